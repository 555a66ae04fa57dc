/** Captures under bad conditions, on real API servers: rights that are missing, a broken aggregated API, versions, a foreign definition. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { controlPlanes, openControlPlane, skipWithout, until } from '../apply/testing/control-planes.ts';
import type { KubeObject } from '../api/object.ts';
import { fixedCredential, loadKubeconfig, openKube, resources, type KubeClient } from '../kube/index.ts';
import { capture, readSurface } from './index.ts';

const signal = AbortSignal.timeout(480_000);
const run = Math.random().toString(36).slice(2, 7);
const namespace = `capture-${run}`;
const rbac = 'rbac.authorization.k8s.io/v1';

describe('capture', { skip: skipWithout(1), timeout: 480_000 }, () => {
  let client: KubeClient;
  /** May read this one namespace's ConfigMaps and little else. */
  let limited: KubeClient;

  before(async () => {
    client = openControlPlane(0);
    const meta = { name: 'reader', namespace };
    await client.create(resources.namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }, { signal });
    await client.create(resources.serviceAccounts, { apiVersion: 'v1', kind: 'ServiceAccount', metadata: meta }, { signal });
    await client.create(resources.configMaps, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'seen', namespace } }, { signal });
    await client.create(resources.secrets, { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'hidden', namespace } }, { signal });
    const rules = [
      { apiGroups: [''], resources: ['configmaps'], verbs: ['list'] },
      { apiGroups: [''], resources: ['namespaces'], verbs: ['get'] },
    ];
    await client.create(
      resources.clusterRoles,
      { apiVersion: rbac, kind: 'ClusterRole', metadata: { name: namespace }, rules },
      { signal },
    );
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: namespace };
    const subjects = [{ kind: 'ServiceAccount', ...meta }];
    await client.create(
      resources.clusterRoleBindings,
      { apiVersion: rbac, kind: 'ClusterRoleBinding', metadata: { name: namespace }, roleRef, subjects },
      { signal },
    );
    const token = await client.request('POST', `/api/v1/namespaces/${namespace}/serviceaccounts/reader/token`, {
      body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} },
      signal,
    });
    const config = loadKubeconfig({ path: controlPlanes[0] ?? '' });
    const access = config.access(config.contexts()[0]?.name ?? '');
    limited = openKube({ ...access, credentials: fixedCredential({ token: (token as { status: { token: string } }).status.token }) });
  });
  after(async () => {
    await client.delete(resources.namespaces, namespace);
    await client.delete(resources.clusterRoleBindings, namespace);
    await client.delete(resources.clusterRoles, namespace);
    await limited.close();
    await client.close();
  });

  test('a kind that we may not list costs a finding, and the rest is captured', async () => {
    await until(async () => await limited.can('list', { group: '', resource: 'configmaps', namespace }, { signal }));
    const captured = await capture(limited, { namespaces: [namespace], signal });
    assert.deepEqual(
      captured.objects.map(({ object }) => `${object.kind} ${object.metadata.name}`),
      ['ConfigMap seen', `Namespace ${namespace}`],
    );
    const unknown = captured.findings.filter(({ severity }) => severity === 'unknown');
    assert.ok(unknown.some(({ id, message }) => id === 'KindForbidden' && message.includes('services')));
    // A move that does not see what holds data, runs or configures must not start.
    const blocks = captured.findings.filter(({ severity }) => severity === 'block').map(({ id, message }) => `${id} ${message}`);
    for (const kind of ['secrets', 'persistentvolumeclaims', 'pods', 'statefulsets.apps', 'deployments.apps']) {
      assert.ok(
        blocks.some((text) => text.startsWith('KindForbidden') && text.includes(`list ${kind} in`)),
        kind,
      );
    }
    assert.ok(unknown.some(({ id, message }) => id === 'KindForbidden' && message.includes('clusterrolebindings')));
    assert.ok(!unknown.some(({ message }) => message.includes('configmaps')));
  });

  test('a broken aggregated API costs a finding, not the capture', async () => {
    const name = `v1.${run}.broken.example.com`;
    const spec = {
      group: `${run}.broken.example.com`,
      version: 'v1',
      groupPriorityMinimum: 100,
      versionPriority: 100,
      service: { name: 'nowhere', namespace },
      insecureSkipTLSVerify: true,
    };
    await client.create(
      resources.apiServices,
      { apiVersion: 'apiregistration.k8s.io/v1', kind: 'APIService', metadata: { name }, spec },
      { signal },
    );
    try {
      await until(async () => (await client.discover({ signal, refresh: true })).broken.some(({ group }) => group === spec.group));
      const captured = await capture(client, { namespaces: [namespace], signal });
      assert.ok(captured.findings.some(({ id, message }) => id === 'ApiGroupBroken' && message.includes(spec.group)));
      const found = captured.objects.map(({ object }) => object.kind);
      assert.ok(found.includes('ConfigMap') && found.includes('Secret'));
      // It calls a service of the namespace: it belongs to the application, and comes last.
      assert.ok(captured.objects.some(({ object, because }) => object.metadata.name === name && because !== undefined));
    } finally {
      await client.delete(resources.apiServices, name);
      await client.discover({ signal, refresh: true });
    }
  });

  test('objects are read in the version that the target prefers', async () => {
    const types = (await client.discover({ signal })).resources;
    const hpa = types.find(({ kind }) => kind === 'HorizontalPodAutoscaler');
    assert.deepEqual(hpa?.versions, ['v2', 'v1']);
    await client.create(
      resources.horizontalPodAutoscalers,
      {
        apiVersion: 'autoscaling/v2',
        kind: 'HorizontalPodAutoscaler',
        metadata: { name: 'web', namespace },
        spec: { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' }, maxReplicas: 3 },
      },
      { signal },
    );
    const older = types.map((type) => (type.kind === 'HorizontalPodAutoscaler' ? { ...type, version: 'v1', versions: ['v1'] } : type));
    const captured = await capture(client, { namespaces: [namespace], signal, target: older });
    assert.equal(captured.objects.find(({ object }) => object.kind === 'HorizontalPodAutoscaler')?.object.apiVersion, 'autoscaling/v1');
  });

  test('pods that nobody can stop are found with the chain of their owners', async () => {
    const owner = await client.create(
      resources.configMaps,
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'operator', namespace } },
      { signal },
    );
    const reference = { apiVersion: 'v1', kind: 'ConfigMap', name: 'operator', uid: owner.metadata.uid ?? '', controller: true };
    const labels = { app: 'db' };
    const spec = { automountServiceAccountToken: false, containers: [{ name: 'a', image: 'registry.example.com/a:1' }] };
    const template = { metadata: { labels }, spec };
    const selector = { matchLabels: labels };
    // One set that nobody owns, one of an operator: their pods look the same.
    for (const [name, ownerReferences] of [
      ['free', []],
      ['operated', [reference]],
    ] as const) {
      await client.create(
        resources.replicaSets,
        {
          apiVersion: 'apps/v1',
          kind: 'ReplicaSet',
          metadata: { name, namespace, ownerReferences: [...ownerReferences] },
          spec: { selector, template },
        },
        { signal },
      );
    }
    const volumes = [{ name: 'v', persistentVolumeClaim: { claimName: 'data' } }];
    const bare: KubeObject = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'bare', namespace }, spec: { ...spec, volumes } };
    await client.create(resources.pods, bare, { signal });
    await until(async () => {
      let pods = 0;
      for await (const pod of client.list(resources.pods, { namespace, labelSelector: 'app=db', signal }))
        pods += pod === undefined ? 0 : 1;
      return pods === 2;
    });
    const captured = await capture(client, { namespaces: [namespace], signal });
    assert.deepEqual(
      captured.unstoppable?.map(({ reason, owners, claims }) => [reason, owners.map(({ kind, name }) => `${kind} ${name}`), claims]),
      [
        ['NoController', [], ['data']],
        ['OwnerNotStoppable', ['ReplicaSet operated', 'ConfigMap operator'], []],
      ],
    );
  });

  test('a surface keeps no content of Secrets', async () => {
    const captured = await capture(client, { namespaces: [namespace], signal });
    const data = { password: Buffer.from('open-sesame').toString('base64') };
    await client.patch(resources.secrets, 'hidden', namespace, { type: 'merge', body: { data } }, { signal });
    // As a target: with more than the captured namespaces.
    const surface = await readSurface(client, { namespaces: [namespace, 'default'], captured, signal });
    const secret = surface.existing.find(({ kind }) => kind === 'Secret');
    assert.equal(secret?.metadata.name, 'hidden');
    assert.ok(!JSON.stringify(surface).includes(data.password));
  });

  test('an aborted capture ends at once', async () => {
    await assert.rejects(capture(client, { namespaces: [namespace], signal: AbortSignal.abort() }));
  });
});
