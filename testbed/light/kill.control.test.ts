import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { bedDirectory, checkoutPath } from '../cluster/bed.ts';
import { leftovers } from '../cluster/leftovers.ts';
import { allLedgers, headerOf, type LedgerRecord } from '../cluster/ledger.ts';
import { bedId } from '../cluster/addresses.ts';

const name = `kill-light-${process.pid}`;
const main = join(checkoutPath(), 'testbed', 'main.ts');
const directory = bedDirectory(checkoutPath(), name);

function run(...args: string[]) {
  const env = { ...process.env, TRANSHIP_TESTBED_NAME: name };
  return spawn(process.execPath, ['--disable-warning=ExperimentalWarning', main, ...args], { env, stdio: 'ignore' });
}

function records(): LedgerRecord[] {
  return allLedgers()
    .map((ledger) => ledger.read())
    .filter((list) => headerOf(list)?.name === name)
    .flat();
}

async function end(): Promise<void> {
  const [code] = await once(run('down'), 'exit');
  assert.equal(code, 0);
}

after(end);

const moments: Readonly<Record<string, (list: readonly LedgerRecord[]) => boolean>> = {
  'the ledger is begun': (list) => list.length > 0,
  'the first program was written down': (list) => list.some((record) => record.kind === 'process'),
  'all six programs were written down': (list) => list.filter((record) => record.kind === 'process').length === 6,
  'everything is ready': (list) => list.some((record) => record.kind === 'ready'),
};

for (const [moment, reached] of Object.entries(moments)) {
  test(`down leaves nothing after a SIGKILL of light when ${moment}`, async () => {
    const child = run('light');
    const ended = once(child, 'exit');
    while (!reached(records())) {
      assert.equal(child.exitCode, null, 'light ended before it could be killed');
      await delay(5);
    }
    child.kill('SIGKILL');
    await ended;
    await end();
    assert.deepEqual(records(), []);
    assert.deepEqual(leftovers(bedId(checkoutPath(), name), join(directory, 'light')), []);
    assert.equal(existsSync(directory), false);
  });
}
