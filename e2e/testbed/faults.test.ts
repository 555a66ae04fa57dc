/** What fault tests build on: a command inside a node, an API server that goes away and comes back, images into a running bed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { resources, type Resource } from '../../src/kube/index.ts';
import { loadImages, nodeExec, readTestBed, startProgram, status, stopProgram } from '../../testbed/index.ts';
import { clientOf } from '../support/bed.ts';

const bed = readTestBed();
const skip = process.env['TRANSHIP_E2E'] === undefined || bed === undefined ? 'no test bed runs, or TRANSHIP_E2E is not set' : false;
if (skip !== false) console.error(`SKIPPED e2e/testbed/faults.test.ts: ${skip}`);

test('a command runs inside the node', { skip }, async ({ signal }) => {
  const done = await nodeExec(bed!.clusters.target, ['cat', '/proc/sys/kernel/hostname'], { signal });
  assert.deepEqual(done, { code: 0, stdout: 'node-target\n', stderr: '' });
  const failed = await nodeExec(bed!.clusters.source, ['sh', '-c', 'cat; exit 7'], { signal, input: 'through stdin' });
  assert.deepEqual(failed, { code: 7, stdout: 'through stdin', stderr: '' });
});

test('the first process of a node collects orphans', { skip }, async ({ signal }) => {
  const script =
    'sh -c "sleep 0.1 & exit 0"; sleep 0.5; for s in /proc/[0-9]*/stat; do cut -d" " -f2,3 $s; done 2>/dev/null | grep -c " Z$"';
  assert.equal((await nodeExec(bed!.clusters.source, ['sh', '-c', script], { signal })).stdout, '0\n');
});

test('an API server goes away and comes back', { skip }, async ({ signal }) => {
  await stopProgram(bed!, 'source', 'kube-apiserver', signal);
  await stopProgram(bed!, 'source', 'kube-apiserver', signal);
  const without = await status(signal);
  assert.equal(without.state, 'unhealthy');
  assert.match(without.reasons.join(' '), /API of source/);
  await startProgram(bed!, 'source', 'kube-apiserver', signal);
  await startProgram(bed!, 'source', 'kube-apiserver', signal);
  assert.deepEqual((await status(signal)).reasons, []);
});

test('an image that is there is not loaded again, one with an unknown name is refused', { skip }, async ({ signal }) => {
  const lines: string[] = [];
  const work = { signal, onProgress: (line: string) => void lines.push(line) };
  assert.equal(await loadImages(bed!, ['pause'], work), bed);
  assert.deepEqual(lines, []);
  await assert.rejects(loadImages(bed!, ['nonesuch'], work), /no image "nonesuch"/);
});

test('a storage driver dies and comes back, and volumes and snapshots are made again', { skip, timeout: 480_000 }, async ({ signal }) => {
  await stopProgram(bed!, 'source', 'csi-driver', signal);
  await startProgram(bed!, 'source', 'csi-driver', signal);
  const client = clientOf(bed!, 'source');
  const namespace = `driver-${Date.now().toString(36)}`;
  const statusOf = async (resource: Resource) =>
    (await client.get(resource, 'data', namespace))?.['status'] as { phase?: string; readyToUse?: boolean } | undefined;
  try {
    await client.create(resources.namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
    await client.create(resources.persistentVolumeClaims, {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'data', namespace },
      spec: { accessModes: ['ReadWriteOnce'], storageClassName: 'fast-now', resources: { requests: { storage: '1Mi' } } },
    });
    while ((await statusOf(resources.persistentVolumeClaims))?.phase !== 'Bound') await delay(100, undefined, { signal });
    await client.create(resources.volumeSnapshots, {
      apiVersion: 'snapshot.storage.k8s.io/v1',
      kind: 'VolumeSnapshot',
      metadata: { name: 'data', namespace },
      spec: { volumeSnapshotClassName: 'fast-snap', source: { persistentVolumeClaimName: 'data' } },
    });
    while ((await statusOf(resources.volumeSnapshots))?.readyToUse !== true) await delay(100, undefined, { signal });
  } finally {
    await client.delete(resources.namespaces, namespace);
    await client.close();
  }
});
