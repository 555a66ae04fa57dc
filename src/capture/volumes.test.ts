import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CapturedObject } from '../api/captured.ts';
import type { KubeClient } from '../kube/index.ts';
import { readVolumes } from './volumes.ts';

const claim = (phase: string): CapturedObject => ({
  object: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: 'data', namespace: 'shop' }, spec: {}, status: { phase } },
  resource: {
    group: '',
    version: 'v1',
    resource: 'persistentvolumeclaims',
    kind: 'PersistentVolumeClaim',
    namespaced: true,
    verbs: [],
    versions: ['v1'],
  },
  role: 'selected',
  shared: false,
});

test('a claim that has lost its volume stands against the move; one that waits for its first does not', async () => {
  // Neither names a volume, so nothing is asked of the cluster.
  const reader = { client: {} as KubeClient, signal: new AbortController().signal, broken: new Set<string>() };
  const ids = async (phase: string) =>
    (await readVolumes(reader, [claim(phase)], [])).findings.map(({ severity, id }) => `${severity} ${id}`);
  assert.deepEqual(await ids('Lost'), ['block VolumeLost']);
  assert.deepEqual(await ids('Pending'), []);
});
