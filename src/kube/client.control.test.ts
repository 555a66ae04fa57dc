/** The client against a real API server. TRANSHIP_TEST_KUBECONFIGS names kubeconfigs of clusters without nodes, colon between. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import type { KubeObject } from '../api/object.ts';
import { TranshipError, codeOf } from '../errors.ts';
import { isAlreadyExists, kubeDetails, loadKubeconfig, openKube, resources } from './index.ts';
import type { KubeClient, Resource } from './index.ts';

const path = process.env['TRANSHIP_TEST_KUBECONFIGS']?.split(':')[0];
const skip = path === undefined || path === '' ? 'TRANSHIP_TEST_KUBECONFIGS is not set: no API server to try' : false;
const tag = randomBytes(3).toString('hex');
const namespace = `kube-test-${tag}`;
const group = `t${tag}.example.com`;
const widgets: Resource = { group, version: 'v1', resource: 'widgets', kind: 'Widget', namespaced: true };

function configMap(name: string, data: Record<string, string> = {}): KubeObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace }, data };
}

describe('client on a real API server', { skip, timeout: 900_000 }, () => {
  let kube: KubeClient;

  before(async () => {
    const config = loadKubeconfig({ path: path ?? '' });
    kube = openKube(config.access(config.currentContext ?? ''));
    await kube.create(resources.namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  });

  after(async () => {
    await kube.delete(resources.namespaces, namespace, undefined, { propagation: 'Background' });
    await kube.delete(resources.customResourceDefinitions, `widgets.${group}`);
    await kube.delete(resources.clusterRoles, `team:AdminRole-${tag}`);
    await kube.close();
  });

  it('knows who it talks to', async () => {
    const { major, minor, gitVersion } = await kube.version();
    assert.match(gitVersion, /^v\d/);
    assert.deepEqual([major, minor >= 30], [1, true]);
    assert.match(await kube.clusterId(), /^[0-9a-f-]{36}$/);
    assert.equal(await kube.can('create', { group: 'apps', resource: 'deployments', namespace }), true);
  });

  it('keeps names with colons and capitals', async () => {
    const name = `team:AdminRole-${tag}`;
    const rules = [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }];
    await kube.create(resources.clusterRoles, {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name },
      rules,
    });
    assert.deepEqual((await kube.get(resources.clusterRoles, name))?.['rules'], rules);
  });

  it('finds a new definition, and carries objects of unknown shape through it', async () => {
    const old = await kube.discover();
    assert.equal(
      old.resources.find((one) => one.group === group),
      undefined,
    );
    const schema = { type: 'object', properties: { spec: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } } };
    const definition = {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: `widgets.${group}` },
      spec: {
        group,
        scope: 'Namespaced',
        names: { plural: 'widgets', singular: 'widget', kind: 'Widget', listKind: 'WidgetList' },
        versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: schema } }],
      },
    };
    const made = await kube.create(resources.customResourceDefinitions, definition);
    assert.deepEqual((made['spec'] as typeof definition.spec).versions[0]?.schema.openAPIV3Schema, schema);
    const stop = new AbortController();
    const fieldSelector = `metadata.name=widgets.${group}`;
    for await (const { object } of kube.watch(resources.customResourceDefinitions, { fieldSelector, signal: stop.signal })) {
      const status = (object['status'] ?? {}) as { conditions?: { type: string; status: string }[] | null };
      if (status.conditions?.some((one) => one.type === 'Established' && one.status === 'True') === true) stop.abort();
    }
    let found = (await kube.discover({ refresh: true })).resources.find((one) => one.group === group);
    // The list of resources follows the condition with a little delay.
    for (let tries = 0; found === undefined && tries < 200; tries++)
      found = (await kube.discover({ refresh: true })).resources.find((one) => one.group === group);
    assert.deepEqual({ ...found, verbs: [] }, { ...widgets, verbs: [], versions: ['v1'] });
    const spec = { list: [1, 2.5, null, { deep: true }], empty: {}, text: 'ü 🚀', big: 12345678901 };
    await kube.create(widgets, { apiVersion: `${group}/v1`, kind: 'Widget', metadata: { name: 'one', namespace }, spec });
    assert.deepEqual((await kube.get(widgets, 'one', namespace))?.['spec'], spec);
  });

  it('creates, replaces, applies, patches and deletes', async () => {
    const made = await kube.create(resources.configMaps, configMap('verbs', { a: '1' }), { fieldManager: 'maker' });
    await assert.rejects(kube.create(resources.configMaps, configMap('verbs')), isAlreadyExists);
    const replaced = await kube.replace(resources.configMaps, { ...made, data: { a: '2' } });
    await assert.rejects(
      kube.replace(resources.configMaps, { ...made, data: { a: '3' } }),
      (error) => kubeDetails(error)?.reason === 'Conflict',
    );
    assert.deepEqual(replaced['data'], { a: '2' });
    const owned = { fieldManager: 'tranship' };
    await assert.rejects(kube.apply(resources.configMaps, configMap('verbs', { a: '4' }), owned), (error) => {
      assert.equal(kubeDetails(error)?.causes?.[0]?.reason, 'FieldManagerConflict');
      return codeOf(error) === 'Conflict';
    });
    assert.deepEqual((await kube.apply(resources.configMaps, configMap('verbs', { a: '4' }), { ...owned, force: true }))['data'], {
      a: '4',
    });
    await kube.patch(resources.configMaps, 'verbs', namespace, { type: 'merge', body: { data: { b: '5' } } }, { dryRun: true });
    const patched = await kube.patch(resources.configMaps, 'verbs', namespace, {
      type: 'json',
      body: [{ op: 'add', path: '/data/c', value: '6' }],
    });
    assert.deepEqual(patched['data'], { a: '4', c: '6' });
    await assert.rejects(
      kube.delete(resources.configMaps, 'verbs', namespace, { uid: 'another' }),
      (error) => codeOf(error) === 'Conflict',
    );
    assert.equal(await kube.delete(resources.configMaps, 'verbs', namespace, { uid: made.metadata.uid ?? '' }), true);
    assert.equal(await kube.delete(resources.configMaps, 'verbs', namespace), false);
    assert.equal(await kube.get(resources.configMaps, 'verbs', namespace), undefined);
  });

  it('turns refusals into errors with causes, and collects warnings', async () => {
    await assert.rejects(kube.create(resources.configMaps, configMap('Bad_Name')), (error) => {
      assert.ok(error instanceof TranshipError);
      assert.equal(error.code, 'InvalidInput');
      assert.equal(kubeDetails(error)?.causes?.[0]?.field, 'metadata.name');
      return true;
    });
    const lost = { ...configMap('lost'), metadata: { name: 'lost', namespace: `none-${tag}` } };
    await assert.rejects(kube.create(resources.configMaps, lost), (error) => codeOf(error) === 'NotFound');
    await assert.rejects(
      kube.get({ ...widgets, group: `none.${group}` }, 'a', namespace),
      (error) => kubeDetails(error)?.reason === 'NotServed',
    );
    kube.takeWarnings();
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'w', namespace },
      spec: { containers: [{ name: 'a', image: 'x' }], serviceAccount: 'default', nodeSelector: { 'beta.kubernetes.io/os': 'linux' } },
    };
    await kube
      .create(resources.pods, pod, { dryRun: true })
      .catch((error: unknown) => assert.equal(codeOf(error), 'Forbidden', String(error)));
    assert.match(kube.takeWarnings().join(), /beta\.kubernetes\.io\/os.* deprecated/);
  });

  it('is Forbidden where its identity may nothing, and says what', async () => {
    const config = loadKubeconfig({ path: path ?? '' });
    const access = config.access(config.currentContext ?? '');
    const nobody = openKube(
      { ...access, impersonate: { user: 'nobody', groups: ['system:authenticated'], extra: {} } },
      { name: 'limited' },
    );
    try {
      await assert.rejects(nobody.list(resources.secrets, { namespace })[Symbol.asyncIterator]().next(), (error) => {
        assert.ok(error instanceof TranshipError);
        assert.equal(error.code, 'Forbidden');
        assert.match(error.message, /Cluster limited refused to list secrets in kube-test-.*: .*nobody.*cannot list resource "secrets"/);
        return true;
      });
      assert.equal(await nobody.can('list', { group: '', resource: 'secrets', namespace }), false);
    } finally {
      await nobody.close();
    }
  });

  it('lists 10,000 objects page by page, each once, and a watch sees all of them', async () => {
    const names = Array.from({ length: 10_000 }, (_, index) => `many-${index}`);
    const queue = names.values();
    const stop = new AbortController();
    const watched = new Set<string>();
    const watching = (async () => {
      for await (const { type, object } of kube.watch(resources.configMaps, { namespace, labelSelector: 'many', signal: stop.signal })) {
        if (type === 'ADDED' && watched.add(object.metadata.name).size === names.length) stop.abort();
      }
    })();
    await Promise.all(
      Array.from({ length: 32 }, async () => {
        for (const name of queue) {
          const object = configMap(name, { value: 'x'.repeat(200) });
          await kube.create(resources.configMaps, { ...object, metadata: { ...object.metadata, labels: { many: '' } } });
        }
      }),
    );
    const listed: string[] = [];
    for await (const object of kube.list(resources.configMaps, { namespace, labelSelector: 'many', limit: 700 }))
      listed.push(object.metadata.name);
    assert.equal(listed.length, names.length);
    assert.equal(new Set(listed).size, names.length);
    await watching;
  });
});
