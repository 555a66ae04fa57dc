/** Transforms on their whole way between two real API servers: captured, planned with files of three forms, written, read back. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Captured } from '../api/captured.ts';
import { fieldAt } from '../api/fields.ts';
import type { KubeObject } from '../api/object.ts';
import type { Mapping, Plan } from '../api/plan.ts';
import { capture, readSurface } from '../capture/index.ts';
import { parseTransforms } from '../compat/index.ts';
import { resources, type KubeClient, type Resource } from '../kube/index.ts';
import { makePlan } from '../plan/index.ts';
import { createAll, openControlPlane, skipWithout } from './testing/control-planes.ts';
import { applySteps } from './index.ts';

const signal = AbortSignal.timeout(120_000);
const run = Math.random().toString(36).slice(2, 7);
const names = { source: `mirror-${run}`, target: `mirrored-${run}` };
const mapping: Mapping = {
  namespaces: { [names.source]: names.target },
  storageClasses: {},
  nodePorts: 'Reset',
  dnsNames: true,
  existing: 'Fail',
};

const workload = (name: string, image: string) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, namespace: names.source, labels: { app: name } },
  spec: {
    replicas: 0,
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: {
        containers: [
          { name: 'main', image },
          { name: 'side', image: 'registry.k8s.io/pause:3.10' },
        ],
      },
    },
  },
});

const ours = `
apiVersion: tranship.io/v1alpha1
kind: TransformSet
metadata: {name: mirror}
spec:
  transforms:
    - name: images
      subject: {resource: deployments, namespaces: ["mirror-*"]}
      json:
        - {op: test, path: /spec/template/spec/containers/0/image, regex: "^docker\\\\.io/"}
        - {op: replace, path: /spec/template/spec/containers/*/image, regex: "^docker\\\\.io/(.*)$", value: mirror.example/$1}
        - {op: copy, from: /spec/selector/matchLabels/*, path: /metadata/labels/was-$1}
`;
const kasten = `
apiVersion: config.kio.kasten.io/v1alpha1
kind: TransformSet
metadata: {name: x, uid: abc}
spec:
  transforms:
    - {name: settings, subject: {resource: configmaps, name: settings}, json: [{op: move, from: /data/old, path: /data/new}, {op: remove, path: /data/gone}]}
`;
const velero = `
version: v1
resourceModifierRules:
- conditions: {groupResource: deployments.apps, resourceNameRegex: "^web$"}
  strategicPatches:
  - patchData: '{"spec":{"template":{"spec":{"containers":[{"name":"side","env":[{"name":"A","value":"1"}]}]}}}}'
`;

describe('transforms between two clusters', { skip: skipWithout(2), timeout: 120_000 }, () => {
  let source: KubeClient;
  let target: KubeClient;
  let captured: Captured;
  const planWith = async (text: string): Promise<Plan> =>
    makePlan({
      captured,
      source: await readSurface(source, { namespaces: [names.source], captured, signal }),
      target: await readSurface(target, { namespaces: [names.target], captured, signal }),
      mapping,
      transforms: parseTransforms(text, 'test.yaml'),
      options: { migration: `t-${run}` },
    });
  const read = async (resource: Resource, name: string): Promise<KubeObject> => {
    const object = await target.get(resource, name, names.target, { signal });
    assert.ok(object !== undefined, name);
    return object;
  };

  before(async () => {
    source = openControlPlane(0);
    target = openControlPlane(1);
    const settings = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'settings', namespace: names.source },
      data: { old: 'x', gone: 'y' },
    };
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: names.source } };
    await createAll(source, [namespace, workload('web', 'docker.io/nginx:1.27'), workload('own', 'quay.io/own:1'), settings], signal);
    captured = await capture(source, { namespaces: [names.source], signal });
  });
  after(async () => {
    for (const [client, namespace] of [
      [source, names.source],
      [target, names.target],
    ] as const) {
      await client.delete(resources.namespaces, namespace);
      await client.close();
    }
  });

  test('an operation that can not be done stands against the plan', async () => {
    const plan = await planWith('[{name: none, subject: {resource: deployments}, json: [{op: remove, path: /spec/none}]}]');
    assert.deepEqual(
      plan.findings.filter(({ severity }) => severity === 'block').map(({ id, subject }) => `${id} ${subject?.name ?? ''}`),
      ['TransformFailed own', 'TransformFailed web'],
    );
  });

  test('what the files say is what the API server has, and nothing else', async () => {
    const plan = await planWith([ours, kasten, velero].join('\n---\n'));
    assert.deepEqual(
      plan.findings.filter(({ severity, id }) => severity === 'block' || id.startsWith('Transform')),
      [],
    );
    assert.deepEqual(
      plan.transforms?.map(({ objects, changes }) => [objects, changes]),
      [
        [2, 2],
        [1, 3],
        [1, 1],
      ],
    );
    for (const phase of ['Prepare', 'Activate'] as const) {
      const outcomes = await applySteps(target, plan.steps, { phase, previous: [], signal, fieldManager: 'tranship' });
      assert.deepEqual(
        outcomes.filter(({ result }) => result === 'Failed'),
        [],
      );
    }
    const [web, own] = [await read(resources.deployments, 'web'), await read(resources.deployments, 'own')];
    const images = (object: KubeObject) => [0, 1].map((index) => fieldAt(object, 'spec', 'template', 'spec', 'containers', index, 'image'));
    assert.deepEqual(images(web), ['mirror.example/nginx:1.27', 'registry.k8s.io/pause:3.10']);
    assert.deepEqual(fieldAt(web, 'spec', 'template', 'spec', 'containers', 1, 'env'), [{ name: 'A', value: '1' }]);
    assert.deepEqual(web.metadata.labels, { app: 'web', 'was-app': 'web' });
    // Its test does not hold.
    assert.deepEqual(images(own), ['quay.io/own:1', 'registry.k8s.io/pause:3.10']);
    assert.deepEqual(own.metadata.labels, { app: 'own' });
    assert.deepEqual((await read(resources.configMaps, 'settings'))['data'], { new: 'x' });
  });
});
