import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { startCustomer } from './customer.ts';

/** A shop that keeps the numbers it acknowledged, until it is closed. */
async function shop(): Promise<{ url: string; numbers: number[]; close(): void; grew(by: number): Promise<void> }> {
  const numbers: number[] = [];
  const waiting: (() => void)[] = [];
  const server: Server = createServer((request, response) => {
    numbers.push(Number(new URL(request.url ?? '/', 'http://x').searchParams.get('number')));
    response.writeHead(201).end();
    for (const wake of waiting.splice(0)) wake();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    numbers,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
    async grew(by) {
      const wanted = numbers.length + by;
      while (numbers.length < wanted) await new Promise<void>((resolve) => waiting.push(resolve));
    },
  };
}

test('the customer goes over to the target when the source is closed, and counts what was acknowledged', async () => {
  const [source, target] = [await shop(), await shop()];
  const customer = startCustomer(source.url, async () => target.url, new AbortController().signal);
  await source.grew(5);
  source.close();
  await target.grew(3);
  await customer.stop();
  target.close();
  assert.ok(customer.acknowledgedBySource >= 5);
  assert.equal(target.numbers[0], customer.acknowledgedBySource + 1);
  assert.ok(customer.firstOnTarget! >= customer.lastOnSource!);
  assert.ok(customer.longestGap >= customer.firstOnTarget! - customer.lastOnSource!);
});
