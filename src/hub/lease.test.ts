import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { TestContext } from 'node:test';
import { codeOf } from '../errors.ts';
import { openEmbeddedHub } from './embedded.ts';
import { isDeadHolder, thisHolder } from './holder.ts';
import type { Hub } from './hub.ts';
import { acquireLease } from './lease.ts';

const HOUR = 3_600_000;

async function hubFile(t: TestContext): Promise<{ file: string; hub: Hub }> {
  const directory = await mkdtemp(join(tmpdir(), 'hub-'));
  const file = join(directory, 'hub.db');
  const hub = openEmbeddedHub({ file });
  t.after(async () => {
    await hub.close();
    await rm(directory, { recursive: true });
  });
  return { file, hub };
}

function request(signal: AbortSignal, ttlMs = HOUR) {
  return { namespace: 'tranship', name: 'migration-a', ttlMs, signal };
}

describe('acquireLease', { timeout: 120_000 }, () => {
  it('lets one in, and the next when it is given back', async (t) => {
    const { hub } = await hubFile(t);
    const { signal } = new AbortController();
    const first = await acquireLease(hub, request(signal));
    const waits = Promise.withResolvers<string>();
    const second = acquireLease(hub, { ...request(signal, 400), onWait: waits.resolve });
    assert.equal(await waits.promise, first.holder);
    await first.release();
    await first.release();
    const lease = await second;
    assert.notEqual(lease.holder, first.holder);
    assert.equal(first.lost.aborted, false);
    await lease.release();
  });

  it('takes the lease of a killed process of this machine at once', async (t) => {
    const { hub, file } = await hubFile(t);
    const url = (name: string): string => JSON.stringify(new URL(name, import.meta.url).href);
    const script = `
      import { openEmbeddedHub } from ${url('./embedded.ts')};
      import { acquireLease } from ${url('./lease.ts')};
      const hub = openEmbeddedHub({ file: ${JSON.stringify(file)} });
      const { holder } = await acquireLease(hub, { namespace: 'tranship', name: 'migration-a', ttlMs: ${HOUR}, signal: new AbortController().signal });
      console.log(holder);
      setInterval(() => undefined, 1000);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [said] = (await once(child.stdout.setEncoding('utf8'), 'data')) as [string];
    assert.equal(isDeadHolder(said.trim()), false);
    const waits = Promise.withResolvers<string>();
    const taking = acquireLease(hub, { ...request(new AbortController().signal), onWait: waits.resolve });
    assert.equal(await waits.promise, said.trim());
    child.kill('SIGKILL');
    await (await taking).release();
  });

  it('waits for a foreign holder until its time is over', async (t) => {
    const { hub } = await hubFile(t);
    await hub.create(foreignLease('elsewhere', 1));
    const lease = await acquireLease(hub, request(new AbortController().signal));
    const stored = await hub.get('Lease', 'tranship', 'migration-a');
    assert.deepEqual(
      { ...(stored?.['spec'] as object), acquireTime: '', renewTime: '' },
      {
        holderIdentity: lease.holder,
        leaseDurationSeconds: 3600,
        acquireTime: '',
        renewTime: '',
        leaseTransitions: 8,
      },
    );
    await lease.release();
  });

  it('tells the holder that it lost the lease', async (t) => {
    const { hub } = await hubFile(t);
    const lease = await acquireLease(hub, request(new AbortController().signal, 300));
    // Retried because the renewal may come in between.
    for (let taken = false; !taken;) {
      const stored = await hub.get('Lease', 'tranship', 'migration-a');
      assert.ok(stored);
      taken = await hub.update({ ...stored, spec: foreignLease('thief', 60).spec }).then(
        () => true,
        () => false,
      );
    }
    if (!lease.lost.aborted) await once(lease.lost, 'abort');
    assert.equal(codeOf(lease.lost.reason), 'Conflict');
    await lease.release();
    const stored = await hub.get('Lease', 'tranship', 'migration-a');
    assert.deepEqual(stored?.['spec'], foreignLease('thief', 60).spec);
  });

  it('renews, so that nobody else takes it', async (t) => {
    const { hub } = await hubFile(t);
    const lease = await acquireLease(hub, request(new AbortController().signal, 150));
    const stop = new AbortController();
    const events = hub.watch('Lease', stop.signal)[Symbol.asyncIterator]();
    for (let renewals = 0; renewals < 4; renewals++) assert.equal((await events.next()).done, false);
    stop.abort();
    assert.equal(lease.lost.aborted, false);
    await lease.release();
  });

  it('gives up waiting when it is told to', async (t) => {
    const { hub } = await hubFile(t);
    await hub.create(foreignLease('elsewhere', 3600));
    const stop = new AbortController();
    await assert.rejects(
      acquireLease(hub, { ...request(stop.signal), onWait: () => stop.abort() }),
      (error) => codeOf(error) === 'Canceled',
    );
  });
});

describe('isDeadHolder', () => {
  it('is sure only about processes of this machine', () => {
    const [host, pid, start, nonce] = thisHolder().split('/');
    assert.equal(isDeadHolder(`${host}/${pid}/${start}/${nonce}`), false);
    assert.equal(isDeadHolder(`${host}/${pid}/1/${nonce}`), true, 'the number belongs to a younger process');
    assert.equal(isDeadHolder(`${host}/2147483646/${start}/${nonce}`), true, 'no such process');
    assert.equal(isDeadHolder(`other/2147483646/${start}/${nonce}`), false);
    for (const odd of ['', 'somebody', `${host}`, `${host}/x/1/2`, `${host}/-1/1/2`, `${host}/2147483646/1/2/3`])
      assert.equal(isDeadHolder(odd), false, odd);
  });
});

function foreignLease(holderIdentity: string, leaseDurationSeconds: number) {
  return {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { namespace: 'tranship', name: 'migration-a' },
    spec: { holderIdentity, leaseDurationSeconds, leaseTransitions: 7 },
  };
}
