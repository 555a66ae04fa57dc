import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { TestContext } from 'node:test';
import type { KubeObject } from '../api/object.ts';
import { runController } from './controller.ts';
import { openEmbeddedHub } from './embedded.ts';
import type { Hub, HubEvent } from './hub.ts';

async function freshHub(t: TestContext): Promise<Hub> {
  const directory = await mkdtemp(join(tmpdir(), 'hub-'));
  const hub = openEmbeddedHub({ file: join(directory, 'hub.db') });
  t.after(async () => {
    await hub.close();
    await rm(directory, { recursive: true });
  });
  return hub;
}

function cluster(name: string): KubeObject {
  return { apiVersion: 'tranship.io/v1alpha1', kind: 'Cluster', metadata: { name, namespace: 'tranship' }, spec: {} };
}

describe('runController', { timeout: 120_000 }, () => {
  it('reconciles what is there and what comes, again after an error, and again when asked to', async (t) => {
    const hub = await freshHub(t);
    await hub.create(cluster('early'));
    const stop = new AbortController();
    const calls: string[] = [];
    const errors: string[] = [];
    await runController({
      hub,
      kind: 'Cluster',
      signal: stop.signal,
      backoff: { baseMs: 1 },
      onError: (key, error) => errors.push(`${key.name}: ${(error as Error).message}`),
      async reconcile(key) {
        calls.push(key.name);
        const times = calls.filter((name) => name === key.name).length;
        if (key.name === 'early' && times < 3) throw new Error(`no ${times}`);
        if (key.name === 'early') await hub.create(cluster('late'));
        if (key.name === 'late' && times === 1) return { requeueAfterMs: 1 };
        if (key.name === 'late' && times === 2) stop.abort();
        return undefined;
      },
    });
    assert.deepEqual(calls, ['early', 'early', 'early', 'late', 'late']);
    assert.deepEqual(errors, ['early: no 1', 'early: no 2']);
  });

  it('works on no more than `workers` objects, and never on one twice at once', async (t) => {
    const hub = await freshHub(t);
    for (const name of ['a', 'b', 'c', 'd', 'e']) await hub.create(cluster(name));
    const stop = new AbortController();
    const now = new Set<string>();
    const finished = new Set<string>();
    let most = 0;
    await runController({
      hub,
      kind: 'Cluster',
      workers: 2,
      signal: stop.signal,
      async reconcile({ name }) {
        assert.ok(!now.has(name), `${name} twice at once`);
        now.add(name);
        most = Math.max(most, now.size);
        const object = await hub.get('Cluster', 'tranship', name);
        if (object !== undefined) await hub.updateStatus({ ...object, status: { seen: true } });
        await new Promise(setImmediate);
        now.delete(name);
        if (finished.add(name).size === 5) stop.abort();
      },
    });
    assert.equal(most, 2);
  });

  it('waits for the running reconcile when it is stopped', async (t) => {
    const hub = await freshHub(t);
    await hub.create(cluster('a'));
    const stop = new AbortController();
    let ended = false;
    await runController({
      hub,
      kind: 'Cluster',
      signal: stop.signal,
      async reconcile(_key, { signal }) {
        stop.abort();
        assert.ok(signal.aborted);
        await new Promise(setImmediate);
        ended = true;
      },
    });
    assert.ok(ended);
  });

  it('ends with the error of a hub that cannot be watched', async (t) => {
    const hub = await freshHub(t);
    const broken: Hub = { ...hub, watch: failing };
    await assert.rejects(
      runController({ hub: broken, kind: 'Cluster', signal: new AbortController().signal, reconcile: async () => undefined }),
      /gone/,
    );
  });
});

function failing(): AsyncIterable<HubEvent> {
  return { [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(new Error('the hub is gone')) }) };
}
