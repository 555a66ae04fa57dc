import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import dotparser from 'dotparser';
import type { Captured, CapturedObject } from '../api/captured.ts';
import type { KubeObject } from '../api/object.ts';
import { BUILT_IN } from '../rules/index.ts';
import { graphAsDot, graphAsText, graphOf, type Graph } from './index.ts';

/** The shop as a real API server gave it. */
const shop = () => JSON.parse(readFileSync(new URL('../plan/fixtures/shop-captured.json', import.meta.url), 'utf8')) as Captured;

function applicationOf(objects: readonly KubeObject[], more: Partial<Captured> = {}): Captured {
  const all = objects.map((object): CapturedObject => {
    const [group = '', version = ''] = object.apiVersion.includes('/') ? object.apiVersion.split('/') : ['', object.apiVersion];
    const namespaced = object.metadata.namespace !== undefined;
    const resource = { group, version, resource: object.kind.toLowerCase(), kind: object.kind, namespaced, verbs: [], versions: [version] };
    return { object, resource, role: 'selected', shared: false };
  });
  return { ...shop(), objects: all, leftBehind: [], volumes: [], ...more };
}

const object = (apiVersion: string, kind: string, name: string, rest: Record<string, unknown> = {}): KubeObject => ({
  apiVersion,
  kind,
  metadata: { name, namespace: 'shop' },
  ...rest,
});

const arrows = (graph: Graph) => graph.edges.map(({ from, type, to }) => `${from} ${type} ${to}`);

/** Reviewed when it changes: UPDATE_FIXTURES=1 writes it anew. */
test('the graph of the shop reads as reviewed', () => {
  const path = new URL('fixtures/shop-graph.txt', import.meta.url);
  const text = graphAsText(graphOf(shop(), BUILT_IN));
  if (process.env['UPDATE_FIXTURES'] !== undefined || !existsSync(path)) writeFileSync(path, text);
  assert.equal(text, readFileSync(path, 'utf8'));
});

test('the same application gives the same bytes, whatever the order of its objects', () => {
  const [one, other] = [shop(), shop()];
  other.objects.reverse();
  other.leftBehind.reverse();
  other.volumes.reverse();
  for (const print of [graphAsText, graphAsDot, JSON.stringify])
    assert.equal(print(graphOf(other, BUILT_IN)), print(graphOf(one, BUILT_IN)));
});

test('every captured object is a node with a reason, and every arrow has both its ends', () => {
  const captured = shop();
  const graph = graphOf(captured, BUILT_IN);
  const ids = new Set(graph.nodes.map(({ id }) => id));
  assert.equal(ids.size, graph.nodes.length);
  assert.ok(graph.nodes.length >= captured.objects.length + captured.leftBehind.length);
  for (const { id, why } of graph.nodes) assert.notEqual(why, '', id);
  for (const { from, to } of graph.edges) assert.ok(ids.has(from) && ids.has(to), `${from} → ${to}`);
});

test('a name that leads nowhere dangles; in another namespace or of the cluster it is outside', () => {
  const pod = {
    containers: [],
    serviceAccountName: 'default',
    priorityClassName: 'high',
    volumes: [{ secret: { secretName: 'gone' } }, { configMap: { name: 'maybe', optional: true } }],
  };
  const web = object('apps/v1', 'Deployment', 'web', { spec: { template: { spec: pod } } });
  const route = object('gateway.networking.k8s.io/v1', 'HTTPRoute', 'web', {
    spec: { parentRefs: [{ name: 'edge', namespace: 'infra' }], rules: [{ backendRefs: [{ name: 'web' }] }] },
  });
  const graph = graphOf(applicationOf([web, route]), BUILT_IN);
  const state = (id: string) => graph.nodes.find((node) => node.id === id)?.state;
  assert.equal(state('Secret shop/gone'), 'Missing');
  assert.equal(state('PriorityClass.scheduling.k8s.io high'), 'Outside');
  assert.equal(state('ServiceAccount shop/default'), 'Outside');
  assert.equal(state('Gateway.gateway.networking.k8s.io infra/edge'), 'Outside');
  assert.deepEqual(
    graph.edges.filter((edge) => edge.dangling === true).map(({ to, strength }) => [to, strength]),
    [
      ['ConfigMap shop/maybe', 'optional'],
      ['Secret shop/gone', 'required'],
      ['Service shop/web', 'required'],
    ],
  );
  assert.match(graphAsText(graph), /Dangling \(3\)/);
});

test('two places of one name are one arrow, and needed when one of them is', () => {
  const container = (optional: boolean) => ({ envFrom: [{ secretRef: { name: 'db', ...(optional && { optional }) } }] });
  const web = object('apps/v1', 'Deployment', 'web', { spec: { template: { spec: { containers: [container(true), container(false)] } } } });
  const [edge, ...others] = graphOf(applicationOf([web, object('v1', 'Secret', 'db')]), BUILT_IN).edges;
  assert.deepEqual(others, []);
  assert.equal(edge?.strength, 'required');
  assert.deepEqual(
    edge?.places,
    [0, 1].map((n) => `/spec/template/spec/containers/${n}/envFrom/0/secretRef/name`),
  );
});

test('a selector leads to what has such pods; one of nothing selects nothing, one of everything the namespace', () => {
  const web = object('apps/v1', 'Deployment', 'web', { spec: { template: { metadata: { labels: { app: 'web' } }, spec: {} } } });
  const db = object('apps/v1', 'StatefulSet', 'db', { spec: { template: { metadata: { labels: { app: 'db' } }, spec: {} } } });
  const graph = graphOf(
    applicationOf([
      web,
      db,
      object('v1', 'Service', 'web', { spec: { selector: { app: 'web' } } }),
      object('v1', 'Service', 'none', { spec: { selector: {} } }),
      object('policy/v1', 'PodDisruptionBudget', 'db', {
        spec: { selector: { matchExpressions: [{ key: 'app', operator: 'In', values: ['db'] }] } },
      }),
      object('networking.k8s.io/v1', 'NetworkPolicy', 'all', { spec: { podSelector: {} } }),
    ]),
    BUILT_IN,
  );
  assert.deepEqual(arrows(graph), [
    'NetworkPolicy.networking.k8s.io shop/all selects Namespace shop',
    'PodDisruptionBudget.policy shop/db selects StatefulSet.apps shop/db',
    'Service shop/web selects Deployment.apps shop/web',
  ]);
});

test('who manages an object is written beside it', () => {
  const web = object('apps/v1', 'Deployment', 'web');
  web.metadata.annotations = { 'meta.helm.sh/release-name': 'shop' };
  assert.match(graphAsText(graphOf(applicationOf([web]), BUILT_IN)), /Deployment web {2}\(managed by Helm release shop\)/);
});

test('what its controller makes again hangs below its owner', () => {
  const owner = { group: 'apps', kind: 'Deployment', namespace: 'shop', name: 'web' };
  const left = {
    ref: { group: 'apps', kind: 'ReplicaSet', namespace: 'shop', name: 'web-1' },
    rule: 'ManagedByController',
    reason: 'again',
    owner,
  };
  const graph = graphOf(applicationOf([object('apps/v1', 'Deployment', 'web')], { leftBehind: [left] }), BUILT_IN);
  assert.deepEqual(arrows(graph), ['Deployment.apps shop/web owns ReplicaSet.apps shop/web-1']);
});

test('DOT is read by a parser with all nodes and arrows, also with hostile names', () => {
  const hostile = object('v1', 'ConfigMap', 'a"]; evil [label="\\');
  const web = object('apps/v1', 'Deployment', 'web', {
    spec: { template: { spec: { volumes: [{ configMap: { name: hostile.metadata.name } }] } } },
  });
  for (const captured of [shop(), applicationOf([web, hostile])]) {
    const graph = graphOf(captured, BUILT_IN);
    const [parsed, ...others] = dotparser(graphAsDot(graph));
    assert.equal(others.length, 0);
    const statements = (parsed?.children ?? []).flatMap((child) => (child.type === 'subgraph' ? child.children : [child]));
    assert.equal(statements.filter((each) => each.type === 'node_stmt').length, graph.nodes.length);
    assert.equal(statements.filter((each) => each.type === 'edge_stmt').length, graph.edges.length);
  }
});

test('no value of a Secret is in any form of the graph', () => {
  const secret = object('v1', 'Secret', 'db', { data: { password: 'Y2FuYXJ5LWRhdGE=' }, stringData: { password: 'canary-data' } });
  const graph = graphOf(applicationOf([secret]), BUILT_IN);
  for (const text of [graphAsText(graph), graphAsDot(graph), JSON.stringify(graph)]) assert.doesNotMatch(text, /canary|Y2Fu/);
});
