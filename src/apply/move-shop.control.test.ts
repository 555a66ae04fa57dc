/** The demo's application, from one real API server to another: captured, planned with a new name and class, applied, compared. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Captured } from '../api/captured.ts';
import { find } from '../api/fields.ts';
import type { Outcome } from '../api/outcome.ts';
import type { Mapping, Plan, Surface } from '../api/plan.ts';
import { capture, readSurface } from '../capture/index.ts';
import { TranshipError } from '../errors.ts';
import { resources, type KubeClient } from '../kube/index.ts';
import { makePlan, renderPlan } from '../plan/index.ts';
import { bindClaim, createAll, manifests, openControlPlane, skipWithout, until } from './testing/control-planes.ts';
import { applySteps, compareApplied } from './index.ts';

const signal = AbortSignal.timeout(480_000);
/** Another name in every run, so that a run that was killed does not disturb the next. */
const run = Math.random().toString(36).slice(2, 7);
const names = { source: `shop-${run}`, target: `store-${run}` };
const mapping: Mapping = {
  namespaces: { [names.source]: names.target },
  storageClasses: { [`fast-${run}`]: `standard-${run}` },
  nodePorts: 'Reset',
  dnsNames: true,
  existing: 'Fail',
};

/** The fixture under this run's names; explicit node ports are cluster-wide, so they differ as well. */
function fixture() {
  const text = JSON.stringify(manifests(new URL('../plan/fixtures/shop.yaml', import.meta.url)))
    .replaceAll(/"(namespace|kubernetes\.io\/metadata\.name)":"shop"/g, `"$1":"${names.source}"`)
    .replaceAll('"name":"shop"', `"name":"${names.source}"`)
    .replaceAll('["shop"', `["${names.source}"`)
    .replaceAll('serviceaccounts:shop', `serviceaccounts:${names.source}`)
    .replaceAll(/(db|web)\.shop(?=[.:]\S)(?!\.example)/g, `$1.${names.source}`)
    .replaceAll('shop-reader', `shop-reader-${run}`)
    .replaceAll('shop.example.com/reader', `shop.example.com/reader-${run}`)
    .replaceAll('coupons.shop.example.com', `coupons.${run}x.example.com`)
    .replaceAll('"shop.example.com"', `"${run}x.example.com"`)
    .replaceAll('shop.example.com/v1', `${run}x.example.com/v1`)
    .replaceAll('"fast"', `"fast-${run}"`)
    .replaceAll('30990', String(30_100 + Math.floor(Math.random() * 2_000)));
  return JSON.parse(text) as ReturnType<typeof manifests>;
}

const storageClass = (name: string) => ({
  apiVersion: 'storage.k8s.io/v1',
  kind: 'StorageClass',
  metadata: { name },
  provisioner: 'csi.example.com',
  volumeBindingMode: 'Immediate',
});

describe('moving the shop', { skip: skipWithout(2), timeout: 480_000 }, () => {
  let source: KubeClient;
  let target: KubeClient;
  let captured: Captured;
  let surfaces: { source: Surface; target: Surface };
  let plan: Plan;

  const planNow = async (): Promise<Plan> => {
    surfaces = {
      source: await readSurface(source, { namespaces: [names.source], captured, signal }),
      target: await readSurface(target, { namespaces: [names.target], captured, signal }),
    };
    return makePlan({ captured, ...surfaces, mapping, options: { migration: `m-${run}`, read: { mode: 'Auto' } } });
  };
  /** What the volumes room does between the phases: the claims are there before anything asks for them. */
  const claimsAsRebound = async () => {
    for (const { claimManifest, targetClaim } of plan.volumes) {
      const there = await target.get(resources.persistentVolumeClaims, targetClaim, names.target, { signal });
      if (there === undefined) await target.create(resources.persistentVolumeClaims, claimManifest, { signal });
    }
  };
  const applyAll = async (previous: Outcome[] = []): Promise<Outcome[]> => {
    const outcomes: Outcome[] = [];
    for (const phase of ['Prepare', 'Activate'] as const) {
      if (phase === 'Activate') await claimsAsRebound();
      outcomes.push(...(await applySteps(target, plan.steps, { phase, previous, signal, fieldManager: 'tranship' })));
    }
    return outcomes;
  };

  before(async () => {
    source = openControlPlane(0);
    target = openControlPlane(1);
    await createAll(source, [storageClass(`fast-${run}`)], signal);
    await createAll(target, [storageClass(`standard-${run}`)], signal);
    await createAll(source, fixture(), signal);
    await until(async () => (await source.get(resources.persistentVolumeClaims, 'data-db-0', names.source, { signal })) !== undefined);
    for (const claim of ['data-db-0', 'uploads', 'raw']) await bindClaim(source, names.source, claim, signal);
    captured = await capture(source, { namespaces: [names.source], signal });
    plan = await planNow();
  });
  after(async () => {
    for (const [client, namespace] of [
      [source, names.source],
      [target, names.target],
    ] as const) {
      await client.delete(resources.namespaces, namespace);
      for (const name of [`shop-reader-${run}`]) await client.delete(resources.clusterRoleBindings, name);
      for (const name of [`shop-reader-${run}`, `shop-reader-${run}-namespaces`]) await client.delete(resources.clusterRoles, name);
      await client.delete(resources.customResourceDefinitions, `coupons.${run}x.example.com`);
      for (const name of [`fast-${run}`, `standard-${run}`]) await client.delete(resources.storageClasses, name);
      for (const name of ['data-db-0', 'uploads', 'raw']) await client.delete(resources.persistentVolumes, `pv-${names.source}-${name}`);
      await client.close();
    }
  });

  test('a namespace that does not exist is named', async () => {
    await assert.rejects(capture(source, { namespaces: ['nowhere'], signal }), (error: unknown) => {
      assert.ok(error instanceof TranshipError);
      assert.equal(error.code, 'NotFound');
      assert.match(error.message, /nowhere/);
      return true;
    });
  });

  test('what a cluster makes by itself stays behind, with a rule; what is needed comes along', () => {
    const rules = Object.fromEntries(captured.leftBehind.map(({ ref, rule }) => [`${ref.kind} ${ref.name}`, rule]));
    assert.equal(rules['ConfigMap kube-root-ca.crt'], 'MadeByCluster');
    assert.equal(rules['ConfigMap scratch'], 'ExcludedByLabel');
    assert.equal(rules['ServiceAccount default'], 'MadeByCluster');
    assert.ok(captured.leftBehind.some(({ ref, rule }) => ref.kind === 'ReplicaSet' && rule === 'ManagedByController'));
    assert.ok(captured.leftBehind.some(({ ref, rule }) => ref.kind === 'Pod' && rule === 'ManagedByController'));
    const related = captured.objects.filter(({ role }) => role === 'related').map(({ object }) => `${object.kind} ${object.metadata.name}`);
    assert.deepEqual(related.toSorted(), [
      `ClusterRole shop-reader-${run}`,
      `ClusterRole shop-reader-${run}-namespaces`,
      'ClusterRole view',
      `ClusterRoleBinding shop-reader-${run}`,
      `CustomResourceDefinition coupons.${run}x.example.com`,
    ]);
    assert.deepEqual(
      captured.volumes.map(({ claim, mode, driver }) => [claim, mode, driver]),
      [
        ['data-db-0', 'Filesystem', 'csi.example.com'],
        ['raw', 'Block', 'csi.example.com'],
        ['uploads', 'Filesystem', 'csi.example.com'],
      ],
    );
    assert.ok(captured.volumes.find(({ claim }) => claim === 'uploads')?.usedBy.every(({ pod }) => pod.startsWith('web-')));
  });

  test('nothing stands against the plan, and it tells no secret', () => {
    const blocks = plan.findings.filter(({ severity }) => severity === 'block');
    assert.deepEqual(blocks, []);
    const text = renderPlan(plan, { changes: true });
    assert.ok(!text.includes('correct-horse'));
    assert.ok(!JSON.stringify(plan.findings).includes('correct-horse'));
    assert.ok(!JSON.stringify(plan.steps.map(({ changes }) => changes)).includes('correct-horse'));
  });

  test('a second plan of the same input is the same, byte by byte', async () => {
    assert.equal(JSON.stringify(await planNow()), JSON.stringify(plan));
  });

  test('every object arrives as planned, the automatic node port is new and the explicit one kept', async () => {
    const outcomes = await applyAll();
    assert.deepEqual(
      outcomes.filter(({ result }) => result === 'Failed'),
      [],
    );
    assert.equal(outcomes.length, plan.steps.length);
    assert.deepEqual(await compareApplied(target, plan.steps, { signal }), []);
    const was = await source.get(resources.services, 'web', names.source, { signal });
    const is = await target.get(resources.services, 'web', names.target, { signal });
    const ports = (service: typeof was) => find(service, 'spec.ports[*].nodePort').map(({ value }) => value);
    assert.equal(ports(is).length, 2);
    assert.equal(ports(is)[1], ports(was)[1]);
    assert.equal(
      plan.steps.find(({ id }) => id === `Service ${names.target}/web`)?.changes.filter(({ rule }) => rule === 'AutomaticNodePort').length,
      1,
    );
    const coupon = await target.request('GET', `/apis/${run}x.example.com/v1/namespaces/${names.target}/coupons/spring`, { signal });
    assert.deepEqual((coupon as { spec: unknown }).spec, { percent: 10, unknownToUs: { kept: [1, 2.5, null] } });
  });

  test('applied again: with the outcomes no request, without them nothing changes; a plan made now sees its own objects', async () => {
    const again = await applyAll();
    assert.deepEqual([...new Set(again.map(({ result }) => result))].toSorted(), ['Skipped', 'Unchanged']);
    const resumed = await applyAll(again);
    assert.ok(resumed.every(({ result }) => result === 'Unchanged'));
    const second = await planNow();
    assert.deepEqual(
      second.findings.filter(({ severity }) => severity === 'block'),
      [],
    );
  });

  test('a change by hand on the target is found', async () => {
    await target.patch(resources.configMaps, 'web', names.target, { type: 'merge', body: { data: { upstream: 'elsewhere' } } }, { signal });
    const found = await compareApplied(target, plan.steps, { signal });
    assert.deepEqual(
      found.map(({ step, path }) => [step, path]),
      [[`ConfigMap ${names.target}/web`, '/data/upstream']],
    );
  });

  test('for another migration the target is taken: the objects are listed and nothing is written', async () => {
    const other = makePlan({ captured, ...surfaces, mapping, options: { migration: 'another', read: { mode: 'Auto' } } });
    const finding = other.findings.find(({ id }) => id === 'ObjectsExist');
    assert.equal(finding?.severity, 'block');
    assert.match(finding?.message ?? '', /ConfigMap web/);
  });
});
