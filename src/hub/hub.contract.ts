/** What every hub must do. An implementation's test file calls `hubContract` with a way to open two doors to one fresh hub. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { KubeObject } from '../api/object.ts';
import { codeOf } from '../errors.ts';
import type { Hub, HubEvent } from './hub.ts';

/** `a` and `b` are independent clients of the same hub, such as two processes have. */
export interface HubPair {
  a: Hub;
  b: Hub;
  close(): Promise<void>;
}

export function hubContract(name: string, open: () => Promise<HubPair>): void {
  async function withHubs(work: (pair: HubPair) => Promise<void>): Promise<void> {
    const pair = await open();
    try {
      await work(pair);
    } finally {
      await pair.close();
    }
  }

  void describe(`hub contract: ${name}`, { timeout: 240_000 }, () => {
    void it('creates, reads and lists what it was given, unknown fields included', () =>
      withHubs(async ({ a, b }) => {
        const made = await a.create(migration('one', { from: 'old', odd: { deep: [1, null, 'ü'] } }));
        assert.equal(made.metadata.generation, 1);
        assert.ok(made.metadata.uid && made.metadata.resourceVersion && made.metadata.creationTimestamp);
        assert.deepEqual(await b.get('Migration', 'tranship', 'one'), made);
        assert.equal(await b.get('Migration', 'other', 'one'), undefined);
        assert.equal(await b.get('Cluster', 'tranship', 'one'), undefined);
        await b.create({ ...migration('two', {}), metadata: { name: 'two', namespace: 'other' } });
        assert.deepEqual((await a.list('Migration')).map((object) => object.metadata.name).toSorted(), ['one', 'two']);
        assert.deepEqual(
          (await a.list('Migration', 'other')).map((object) => object.metadata.name),
          ['two'],
        );
      }));

    void it('refuses to create a name twice', () =>
      withHubs(async ({ a, b }) => {
        await a.create(migration('one', {}));
        await assert.rejects(b.create(migration('one', {})), hasCode('Conflict'));
      }));

    void it('refuses an update or status from an old version, and one of nothing', () =>
      withHubs(async ({ a, b }) => {
        const first = await a.create(migration('one', { n: 1 }));
        await b.update({ ...first, spec: { n: 2 } });
        await assert.rejects(a.update({ ...first, spec: { n: 3 } }), hasCode('Conflict'));
        await assert.rejects(a.updateStatus({ ...first, status: { n: 3 } }), hasCode('Conflict'));
        assert.deepEqual((await a.get('Migration', 'tranship', 'one'))?.['spec'], { n: 2 });
        await assert.rejects(a.update({ ...first, metadata: { ...first.metadata, name: 'none' } }), hasCode('NotFound'));
      }));

    void it('keeps spec and status apart and counts generations of the spec only', () =>
      withHubs(async ({ a }) => {
        const made = await a.create({ ...migration('one', { n: 1 }), status: { phase: 'Sneaked in' } });
        assert.equal(made['status'], undefined);
        const withStatus = await a.updateStatus({ ...made, spec: { n: 99 }, status: { phase: 'Ready' } });
        assert.deepEqual(withStatus['spec'], { n: 1 });
        assert.equal(withStatus.metadata.generation, 1);
        const renamed = await a.update({ ...withStatus, spec: { n: 2 }, status: { phase: 'Nothing' } });
        assert.deepEqual(renamed['status'], { phase: 'Ready' });
        assert.equal(renamed.metadata.generation, 2);
        const labelled = await a.update({ ...renamed, metadata: { ...renamed.metadata, labels: { a: 'b' } } });
        assert.equal(labelled.metadata.generation, 2);
        assert.notEqual(labelled.metadata.resourceVersion, renamed.metadata.resourceVersion);
      }));

    void it('makes no new version when nothing changed', () =>
      withHubs(async ({ a }) => {
        const made = await a.create(migration('one', { n: 1, m: 2 }));
        const same = await a.update({ ...made, spec: { m: 2, n: 1 } });
        assert.equal(same.metadata.resourceVersion, made.metadata.resourceVersion);
      }));

    void it('does not let a caller change what the server owns', () =>
      withHubs(async ({ a }) => {
        const made = await a.create(migration('one', { n: 1 }));
        const forged = {
          ...made.metadata,
          creationTimestamp: '2001-01-01T00:00:00Z',
          generation: 77,
          deletionTimestamp: '2001-01-01T00:00:00Z',
        };
        const next = await a.update({ ...made, metadata: forged, spec: { n: 2 } });
        assert.equal(next.metadata.creationTimestamp, made.metadata.creationTimestamp);
        assert.equal(next.metadata.generation, 2);
        assert.equal(next.metadata.deletionTimestamp, undefined);
      }));

    void it('deletes at once, or when the last finalizer is gone', () =>
      withHubs(async ({ a, b }) => {
        await a.create(migration('plain', {}));
        assert.equal(await a.delete('Migration', 'tranship', 'plain'), true);
        assert.equal(await a.delete('Migration', 'tranship', 'plain'), false);
        const held = migration('held', {});
        await a.create({ ...held, metadata: { ...held.metadata, finalizers: ['tranship.io/clean-up'] } });
        assert.equal(await a.delete('Migration', 'tranship', 'held'), true);
        const dying = await b.get('Migration', 'tranship', 'held');
        assert.ok(dying?.metadata.deletionTimestamp);
        await b.update({ ...dying, metadata: { ...dying.metadata, finalizers: [] } });
        assert.equal(await a.get('Migration', 'tranship', 'held'), undefined);
      }));

    void it('lets exactly one of two writers through', () =>
      withHubs(async ({ a, b }) => {
        let object = await a.create(migration('one', { n: 0 }));
        for (let round = 0; round < 20; round++) {
          const ends = await Promise.allSettled([a, b].map((hub, who) => hub.update({ ...object, spec: { n: round + 1, who } })));
          assert.equal(ends.filter((end) => end.status === 'fulfilled').length, 1);
          object = (await a.get('Migration', 'tranship', 'one')) ?? object;
        }
        assert.equal(object.metadata.generation, 21);
      }));

    void it('watches: what there is, then what changes, also from elsewhere, and only of its kind', () =>
      withHubs(async ({ a, b }) => {
        await a.create(migration('first', { n: 1 }));
        const stop = new AbortController();
        const events = a.watch('Migration', stop.signal)[Symbol.asyncIterator]();
        const next = async (): Promise<string> => told(await events.next());
        assert.equal(await next(), 'ADDED first');
        await b.create({ ...migration('cluster', {}), kind: 'Cluster' });
        const second = await b.create(migration('second', { n: 1 }));
        assert.equal(await next(), 'ADDED second');
        await b.updateStatus({ ...second, status: { phase: 'Ready' } });
        assert.equal(await next(), 'MODIFIED second');
        await a.delete('Migration', 'tranship', 'first');
        assert.equal(await next(), 'DELETED first');
        const last = events.next();
        stop.abort();
        assert.equal((await last).done, true);
      }));

    void it('tells of an object that was made again under its name', () =>
      withHubs(async ({ a, b }) => {
        await b.create(migration('one', { n: 1 }));
        const stop = new AbortController();
        const events = a.watch('Migration', stop.signal)[Symbol.asyncIterator]();
        assert.equal(told(await events.next()), 'ADDED one');
        await b.delete('Migration', 'tranship', 'one');
        const again = await b.create(migration('one', { n: 2 }));
        assert.equal(told(await events.next()), 'DELETED one');
        const added = await events.next();
        assert.equal(told(added), 'ADDED one');
        assert.equal(added.value.object.metadata.uid, again.metadata.uid);
        stop.abort();
      }));
  });
}

function migration(name: string, spec: Record<string, unknown>): KubeObject {
  return { apiVersion: 'tranship.io/v1alpha1', kind: 'Migration', metadata: { name, namespace: 'tranship' }, spec };
}

function told(result: IteratorResult<HubEvent>): string {
  return result.done === true ? 'end' : `${result.value.type} ${result.value.object.metadata.name}`;
}

function hasCode(code: string): (error: unknown) => boolean {
  return (error) => codeOf(error) === code;
}
