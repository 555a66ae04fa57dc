import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { apiVersion, hubNamespace } from '../api/meta.ts';
import { migrationSchema } from '../api/migration.ts';
import type { KubeObject } from '../api/object.ts';
import { TranshipError, codeOf } from '../errors.ts';
import { openEmbeddedHub, type Hub } from '../hub/index.ts';
import { reconcileMigration } from './migration.ts';

function freshHub(t: TestContext): Hub {
  const directory = mkdtempSync(join(tmpdir(), 'tranship-controller-'));
  const hub = openEmbeddedHub({ file: join(directory, 'hub.db') });
  t.after(async () => {
    await hub.close();
    rmSync(directory, { recursive: true });
  });
  return hub;
}

function migration(name: string): KubeObject {
  const spec = { source: { cluster: 'old' }, target: { cluster: 'new' }, namespaces: ['shop'], location: 'here' };
  return migrationSchema.parse({ apiVersion, kind: 'Migration', metadata: { name, namespace: hubNamespace }, spec }) as KubeObject;
}

/** Clusters that cannot be reached: the reconcile comes as far as opening them. */
function options(hub: Hub, name: string, signal: AbortSignal) {
  const asked: string[] = [];
  return {
    asked,
    hub,
    name,
    signal,
    journal: { append: () => undefined },
    openCluster: (cluster: string) => {
      asked.push(cluster);
      return Promise.reject(new TranshipError('Unreachable', `Cluster ${cluster} does not answer.`));
    },
    openLocation: () => Promise.reject(new Error('not reached')),
  };
}

test('the object that is named is reconciled once, others are left alone, and its error is told and kept', async (t) => {
  const hub = freshHub(t);
  await hub.create(migration('other'));
  await hub.create(migration('one'));
  const given = options(hub, 'one', t.signal);
  await assert.rejects(reconcileMigration(given), /Cluster old does not answer/);
  assert.deepEqual(given.asked, ['old']);
  const status = (await hub.get('Migration', hubNamespace, 'one'))?.['status'] as {
    conditions: { type: string; status: string; reason: string }[];
  };
  const stalled = status.conditions.find((condition) => condition.type === 'Stalled');
  assert.deepEqual([stalled?.status, stalled?.reason], ['True', 'Unreachable']);
  assert.equal((await hub.get('Migration', hubNamespace, 'other'))?.['status'], undefined);
});

test('an object that is not there is not waited for', async (t) => {
  await assert.rejects(reconcileMigration(options(freshHub(t), 'none', t.signal)), (error) => codeOf(error) === 'NotFound');
});

test('a stop before anything was done says so', async (t) => {
  const hub = freshHub(t);
  await hub.create(migration('one'));
  await assert.rejects(reconcileMigration(options(hub, 'one', AbortSignal.abort())), (error) => codeOf(error) === 'Canceled');
});
