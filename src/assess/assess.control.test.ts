/** Assessments of real objects between two real API servers of different releases: live and from files they say the same. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createAll, controlPlanes, openControlPlane, skipWithout } from '../apply/testing/control-planes.ts';
import type { KubeObject } from '../api/object.ts';
import { loadKubeconfig, openKube, resources, type KubeClient } from '../kube/index.ts';
import { light, type LightBed } from '../../testbed/index.ts';
import { assess } from './assess.ts';
import { noAnswers } from './answers.ts';
import { readSide } from './read.ts';
import { parseSurfaceFile } from './surface-file.ts';

const signal = AbortSignal.timeout(900_000);
const namespace = `assess-${Math.random().toString(36).slice(2, 7)}`;
const canary = `canary-${Math.random().toString(36).slice(2)}`;
const meta = (name: string) => ({ name, namespace });
const mapping = { namespaces: {}, storageClasses: {}, nodePorts: 'Reset' as const, dnsNames: true, existing: 'Fail' as const };

const application: KubeObject[] = [
  { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
  {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: meta('db'),
    stringData: { url: `postgres://shop:${canary}@db.example.com:5432/shop`, key: canary },
  },
  {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: meta('web'),
    spec: {
      selector: { matchLabels: { app: 'web' } },
      template: {
        metadata: { labels: { app: 'web' } },
        spec: {
          hostNetwork: true,
          containers: [{ name: 'main', image: 'registry.example.com/web', env: [{ name: 'API_TOKEN', value: canary }] }],
        },
      },
    },
  },
];

describe('assess', { skip: skipWithout(1), timeout: 900_000 }, () => {
  let bed: LightBed;
  let source: KubeClient;
  let target: KubeClient;

  before(async () => {
    bed = await light(1, { signal, versions: ['1.34'] });
    const config = loadKubeconfig({ path: bed.clusters[0]?.kubeconfig ?? '' });
    source = openKube(config.access(bed.clusters[0]?.context ?? ''), { name: 'older' });
    assert.ok(controlPlanes.length > 0);
    target = openControlPlane(0);
    await createAll(source, application, signal);
    const labels = { 'pod-security.kubernetes.io/enforce': 'baseline' };
    await target.create(resources.namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, labels } }, { signal });
    const quota = { apiVersion: 'v1', kind: 'ResourceQuota', metadata: meta('small'), spec: { hard: { 'count/deployments.apps': '0' } } };
    await target.create(resources.resourceQuotas, quota, { signal });
  });
  after(async () => {
    await target?.delete(resources.namespaces, namespace);
    await source?.close();
    await target?.close();
    await bed?.close();
  });

  test('the same findings live and from exported files, with nothing secret in them', async () => {
    const types = (await target.discover({ signal })).resources;
    const [here, there] = await Promise.all([
      readSide(source, { side: 'source', namespaces: [namespace], signal, target: types }),
      readSide(target, { side: 'target', namespaces: [namespace], signal }),
    ]);
    assert.match(here.surface.cluster.version, /^v1\.34\./);
    assert.match(there.surface.cluster.version, /^v1\.36\./);
    const live = assess({ source: here, target: there, mapping, answers: noAnswers, read: 'Snapshot' }).assessment;

    // A later export, by people who do not know the other side.
    const exported = await Promise.all(
      [
        readSide(source, { side: 'source', namespaces: [namespace], signal }),
        readSide(target, { side: 'target', namespaces: [namespace], signal }),
      ].map(async (side) => JSON.stringify(await side)),
    );
    for (const text of exported) assert.ok(!text.includes(canary) && !text.includes(Buffer.from(canary).toString('base64')));
    const [old, young] = exported.map((text) => parseSurfaceFile(new TextEncoder().encode(text), 'file'));
    assert.ok(old !== undefined && young !== undefined);
    const offline = assess({ source: old, target: young, mapping, answers: noAnswers, read: 'Snapshot' }).assessment;
    assert.deepEqual(offline.findings, live.findings);

    const said = live.findings.map(({ severity, id }) => `${severity} ${id}`);
    for (const expected of [
      'block PodSecurityRefuses',
      'block QuotaExceeded',
      'unknown OutsideEndpoint',
      'warn ImageNotPinned',
      'unknown RoomUnknown',
    ]) {
      assert.ok(said.includes(expected), `${expected} is not among ${said.join(', ')}`);
    }
    for (const wrong of ['KindNotServed', 'FieldNotKnown', 'SchemaNotRead', 'RightMissing', 'FactNotReadable']) {
      assert.ok(!live.findings.some(({ id }) => id === wrong), `${wrong}: ${live.findings.find(({ id }) => id === wrong)?.message ?? ''}`);
    }
    assert.equal(live.verdict, 'blocked');
  });
});
