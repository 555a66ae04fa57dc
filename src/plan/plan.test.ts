import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { ids, planOf, shop, stepOf, toStore } from './fixtures/shop.ts';
import { makePlan, redactPlan, renderPlan, type PlanInput } from './index.ts';
import { fieldAt, find } from '../api/fields.ts';
import type { Captured } from '../api/captured.ts';
import type { KubeObject } from '../api/object.ts';

const input = (): PlanInput => ({ ...shop(), mapping: toStore, options: { migration: 'm' } });

/** What the plan of the shop says, reviewed when it changes: UPDATE_FIXTURES=1 writes it anew. */
test('the plan of the shop reads as reviewed', () => {
  const path = new URL('fixtures/shop-plan.txt', import.meta.url);
  const text = renderPlan(makePlan(input()), { changes: true });
  if (process.env['UPDATE_FIXTURES'] !== undefined || !existsSync(path)) writeFileSync(path, text);
  assert.equal(text, readFileSync(path, 'utf8'));
});

test('the same input gives the same bytes, whatever the order of the objects', () => {
  const one = JSON.stringify(makePlan(input()));
  const other = input();
  other.captured.objects.reverse();
  other.captured.leftBehind.reverse();
  assert.equal(JSON.stringify(makePlan(other)), one);
});

test('the input is not changed', () => {
  const given = input();
  const before = JSON.stringify(given);
  makePlan(given);
  assert.equal(JSON.stringify(given), before);
});

test('a namespace renamed and renamed back equals itself', () => {
  const both = (given: PlanInput): PlanInput => {
    const storageClasses = [...given.source.storageClasses, ...given.target.storageClasses];
    return { ...given, source: { ...given.source, storageClasses }, target: { ...given.target, storageClasses } };
  };
  const there = makePlan(both(input()));
  const manifests = new Map<string, KubeObject>();
  for (const step of there.steps) {
    if (step.action !== 'Exists') manifests.set(step.origin.kind + step.origin.name, asServed(step.manifest));
  }
  for (const volume of there.volumes) manifests.set(`PersistentVolumeClaim${volume.source.claim}`, volume.claimManifest);
  const base = both(input());
  const moved: Captured = {
    ...base.captured,
    namespaces: ['store'],
    objects: base.captured.objects.map((each) => ({
      ...each,
      object: manifests.get(each.object.kind + each.object.metadata.name) ?? each.object,
    })),
    volumes: base.captured.volumes.map((each) => ({ ...each, namespace: 'store', storageClass: 'standard' })),
  };
  const back = makePlan({
    ...base,
    captured: moved,
    mapping: { ...toStore, namespaces: { store: 'shop' }, storageClasses: { standard: 'fast' } },
  });
  const same = makePlan({ ...base, mapping: { ...toStore, namespaces: {}, storageClasses: {} } });
  assert.deepEqual(
    back.steps.map(({ id, manifest }) => [id, manifest]),
    same.steps.map(({ id, manifest }) => [id, manifest]),
  );
  assert.deepEqual(
    back.volumes.map(({ claimManifest }) => claimManifest),
    same.volumes.map(({ claimManifest }) => claimManifest),
  );
});

/** A node port that we sent is known to the target as sent by a client. */
function asServed(manifest: KubeObject): KubeObject {
  const object = structuredClone(manifest);
  const sent = find(object, 'spec.ports[*].nodePort').length > 0 ? find(object, 'spec.ports[*]') : [];
  const fields = sent
    .filter(({ value }) => fieldAt(value, 'nodePort') !== undefined)
    .map(({ value }) => [
      `k:${JSON.stringify({ port: fieldAt(value, 'port'), protocol: fieldAt(value, 'protocol') })}`,
      { 'f:nodePort': {} },
    ]);
  if (fields.length > 0)
    object.metadata['managedFields'] = [{ manager: 'tranship', fieldsV1: { 'f:spec': { 'f:ports': Object.fromEntries(fields) } } }];
  return object;
}

test('nothing that runs, publishes or schedules is created before the final copy', () => {
  const plan = makePlan(input());
  const early = new Set(plan.steps.filter(({ phase }) => phase === 'Prepare').map(({ target }) => target.kind));
  for (const kind of ['Deployment', 'StatefulSet', 'CronJob', 'HorizontalPodAutoscaler', 'Ingress']) assert.ok(!early.has(kind), kind);
  // Its definition moves along, so nothing on the target can act on it.
  assert.ok(early.has('Coupon'));
});

test('a custom resource whose definition is on the target waits: an operator there would act on it', () => {
  const coupon = { apiVersion: 'shop.example.com/v1', kind: 'Coupon', metadata: { name: 'spring', namespace: 'shop' } };
  assert.equal(stepOf(planOf([coupon]), 'Coupon.shop.example.com store/spring').phase, 'Activate');
});

test('a kind that the target does not serve stands against the move, and is named with its count', () => {
  const coupon = { apiVersion: 'shop.example.com/v1', kind: 'Coupon', metadata: { name: 'spring', namespace: 'shop' } };
  const plan = planOf([coupon], { target: { resources: shop().target.resources } });
  assert.deepEqual(ids(plan, 'block'), ['KindNotServed']);
  assert.match(plan.findings.find(({ id }) => id === 'KindNotServed')?.message ?? '', /Coupon \(shop\.example\.com\/v1\), of which 1/);
});

test('a broken API group of the target is named as such', () => {
  const coupon = { apiVersion: 'shop.example.com/v1', kind: 'Coupon', metadata: { name: 'spring', namespace: 'shop' } };
  const plan = planOf([coupon], {
    target: { resources: shop().target.resources, brokenGroups: [{ group: 'shop.example.com', message: 'no endpoints' }] },
  });
  assert.deepEqual(ids(plan, 'block'), ['ApiGroupBroken']);
});

test('the same cluster and the same namespace is refused; another name or another cluster is not', () => {
  const given = input();
  const cluster = given.source.cluster;
  const onto = (mapping: Partial<PlanInput['mapping']>) =>
    ids(makePlan({ ...given, target: { ...given.target, cluster }, mapping: { ...toStore, ...mapping } }), 'block');
  assert.ok(onto({ namespaces: {} }).includes('SameNamespace'));
  assert.ok(!onto({}).includes('SameNamespace'));
  assert.deepEqual(ids(makePlan({ ...given, mapping: { ...toStore, namespaces: {} } }), 'block'), []);
});

test('two namespaces into one, bad names and mappings of nothing are told', () => {
  const given = input();
  given.captured.namespaces = ['shop', 'billing'];
  const plan = makePlan({ ...given, mapping: { ...toStore, namespaces: { shop: 'store', billing: 'store', typo: 'x' } } });
  assert.ok(ids(plan, 'block').includes('NamespacesMerged'));
  assert.ok(ids(plan, 'warn').includes('MappingUnused'));
  assert.ok(
    ids(makePlan({ ...input(), mapping: { ...toStore, namespaces: { shop: 'No_Name' } } }), 'block').includes('InvalidNamespaceName'),
  );
});

test('what a freeze did to the source is taken back, and no mark of ours travels', () => {
  const marks = (before: string) => ({ 'tranship.io/replicas': before, 'tranship.io/frozen-by': 'm' });
  const plan = planOf([
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web', namespace: 'shop', annotations: marks('3') },
      spec: { replicas: 0 },
    },
    {
      apiVersion: 'batch/v1',
      kind: 'CronJob',
      metadata: { name: 'report', namespace: 'shop', annotations: marks('false') },
      spec: { suspend: true },
    },
    {
      apiVersion: 'apps/v1',
      kind: 'DaemonSet',
      metadata: { name: 'agent', namespace: 'shop', annotations: marks('null') },
      spec: { template: { spec: { nodeSelector: { 'tranship.io/frozen': 'true', disk: 'ssd' } } } },
    },
  ]);
  assert.deepEqual(stepOf(plan, 'Deployment.apps store/web').manifest.spec, { replicas: 3 });
  assert.deepEqual(stepOf(plan, 'CronJob.batch store/report').manifest.spec, { suspend: false });
  assert.deepEqual(stepOf(plan, 'DaemonSet.apps store/agent').manifest.spec, { template: { spec: { nodeSelector: { disk: 'ssd' } } } });
  assert.deepEqual(stepOf(plan, 'Deployment.apps store/web').manifest.metadata.annotations, { 'tranship.io/migration': 'm' });
});

test('owners that move are kept without their old uid, others are dropped and noted', () => {
  const owner = (kind: string, name: string) => ({ apiVersion: 'apps/v1', kind, name, uid: 'old' });
  const plan = planOf([
    { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web', namespace: 'shop' }, spec: {} },
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'tls', namespace: 'shop', ownerReferences: [owner('Deployment', 'gone'), owner('Deployment', 'web')] },
    },
  ]);
  const step = stepOf(plan, 'Secret store/tls');
  assert.deepEqual(step.manifest.metadata.ownerReferences, [{ ...owner('Deployment', 'web'), uid: '' }]);
  assert.deepEqual(
    step.changes.map(({ rule }) => rule).filter((rule) => rule.startsWith('Owner')),
    ['OwnerRebuilt', 'OwnerNotCarried'],
  );
});

test('values of Secrets are in the plan, and in nothing that is shown', () => {
  const plan = makePlan(input());
  const secret = Buffer.from('correct-horse').toString('base64');
  assert.ok(JSON.stringify(plan).includes(secret));
  for (const shown of [JSON.stringify(redactPlan(plan)), renderPlan(plan, { changes: true }), JSON.stringify(plan.findings)]) {
    assert.ok(!shown.includes(secret) && !shown.includes('correct-horse'));
  }
});

test('the copy of a Secret that kubectl apply keeps is redacted, too', () => {
  const annotations = {
    'kubectl.kubernetes.io/last-applied-configuration': '{"metadata":{"namespace":"shop"},"stringData":{"a":"open-sesame"}}',
  };
  const plan = planOf([{ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'a', namespace: 'shop', annotations }, data: {} }]);
  assert.ok(JSON.stringify(plan).includes('open-sesame'));
  assert.ok(!JSON.stringify(redactPlan(plan)).includes('open-sesame'));
  assert.ok(!JSON.stringify(plan.steps.map(({ changes }) => changes)).includes('open-sesame'));
});
