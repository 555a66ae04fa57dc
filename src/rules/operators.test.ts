import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { refText, type KubeObject } from '../api/object.ts';
import { isBuiltInGroup } from '../api/served.ts';
import { BUILT_IN, namespacePathsOf, pathsOf, referencesOf, selectionsOf } from './index.ts';

/** Made by tools/crd-paths.ts from the definitions that the projects ship; it holds only what was found in them. */
const found = JSON.parse(readFileSync(new URL('fixtures/crd-paths.json', import.meta.url), 'utf8')) as Record<
  string,
  { source: string; scope: string; paths: string[] }
>;
/** Kinds whose definitions come with the cluster rather than with a project. */
const isOfCluster = (group: string) => isBuiltInGroup(group) || group.endsWith('snapshot.storage.k8s.io') || group === 'autoscaling.k8s.io';

test('every path of a rule about a custom resource is in the definition of its project, and so is its scope', () => {
  let paths = 0;
  for (const [kind, group] of BUILT_IN.kinds().filter(([, each]) => !isOfCluster(each))) {
    const known = BUILT_IN.of(kind, group);
    const definition = found[`${kind}.${group}`];
    assert.ok(definition !== undefined, `${kind}.${group}: run tools/crd-paths.ts`);
    assert.equal(known.scope === 'Cluster' ? 'Cluster' : 'Namespaced', definition.scope, `${kind}.${group}`);
    const lost = pathsOf(known).filter((path) => !path.startsWith('metadata.') && !definition.paths.includes(path));
    assert.deepEqual(lost, [], `${kind}.${group} of ${definition.source}`);
    paths += pathsOf(known).length;
  }
  assert.ok(paths > 500);
});

test('each of the named projects has rules', () => {
  const groups = new Set(BUILT_IN.kinds().map(([, group]) => group));
  for (const group of [
    'gateway.networking.k8s.io',
    'cert-manager.io',
    'monitoring.coreos.com',
    'postgresql.cnpg.io',
    'argoproj.io',
    'kustomize.toolkit.fluxcd.io',
    'networking.istio.io',
    'kafka.strimzi.io',
  ]) {
    assert.ok(groups.has(group), group);
  }
});

const object = (apiVersion: string, kind: string, spec: object, labels: Record<string, string> = {}): KubeObject => ({
  apiVersion,
  kind,
  metadata: { name: 'a', namespace: 'shop', labels },
  spec,
});
const named = (of: KubeObject) => referencesOf(of, BUILT_IN).map(({ target, edge }) => `${edge} ${refText(target)}`);

test('resources as their projects show them name what they need', () => {
  const release = {
    chart: { spec: { sourceRef: { kind: 'HelmRepository', name: 'bitnami', namespace: 'flux' } } },
    valuesFrom: [{ kind: 'Secret', name: 'values' }],
  };
  assert.deepEqual(named(object('helm.toolkit.fluxcd.io/v2', 'HelmRelease', release)), [
    'reads-from HelmRepository.source.toolkit.fluxcd.io flux/bitnami',
    'uses-config Secret shop/values',
  ]);
  const cluster = {
    instances: 3,
    superuserSecret: { name: 'su' },
    storage: { storageClass: 'fast' },
    imageCatalogRef: { apiGroup: 'postgresql.cnpg.io', kind: 'ClusterImageCatalog', name: 'pg' },
  };
  assert.deepEqual(named(object('postgresql.cnpg.io/v1', 'Cluster', cluster)), [
    'uses-secret Secret shop/su',
    'uses ClusterImageCatalog.postgresql.cnpg.io pg',
    'of-class StorageClass.storage.k8s.io fast',
  ]);
  assert.deepEqual(named(object('kafka.strimzi.io/v1', 'KafkaTopic', {}, { 'strimzi.io/cluster': 'events' })), [
    'part-of Kafka.kafka.strimzi.io shop/events',
  ]);
  const virtual = { gateways: ['infra/edge', 'own'], http: [{ delegate: { name: 'd', namespace: 'blog' } }] };
  assert.deepEqual(named(object('networking.istio.io/v1', 'VirtualService', virtual)), [
    'part-of Gateway.networking.istio.io infra/edge',
    'part-of Gateway.networking.istio.io shop/own',
    'routes-to VirtualService.networking.istio.io blog/d',
  ]);
  const prometheus = {
    serviceAccountName: 'prom',
    volumes: [{ secret: { secretName: 'extra' } }],
    serviceMonitorSelector: { matchLabels: { team: 'a' } },
  };
  const server = object('monitoring.coreos.com/v1', 'Prometheus', prometheus);
  assert.deepEqual(named(server), ['runs-as ServiceAccount shop/prom', 'uses-secret Secret shop/extra']);
  assert.deepEqual(
    selectionsOf(server, BUILT_IN).map(({ rule, selects }) => [rule.to, selects({ team: 'a' }), selects({ team: 'b' })]),
    [[['ServiceMonitor.monitoring.coreos.com'], true, false]],
  );
});

test('where a namespace is named follows from the references', () => {
  assert.ok(namespacePathsOf(BUILT_IN.of('HTTPRoute', 'gateway.networking.k8s.io')).includes('spec.parentRefs[*].namespace'));
  assert.ok(namespacePathsOf(BUILT_IN.of('Application', 'argoproj.io')).includes('spec.destination.namespace'));
});
