import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '../api/object.ts';
import { transformSchema, type TransformInput } from '../api/transform.ts';
import { ids, shop, toStore } from './fixtures/shop.ts';
import { makePlan, redactPlan, renderPlan, type PlanInput } from './index.ts';

function planWith(transforms: (Omit<TransformInput, 'name'> & { name?: string })[], change: Partial<PlanInput> = {}) {
  const list = transforms.map((each, index) => transformSchema.parse({ name: `t${index}`, ...each }));
  return makePlan({ ...shop(), mapping: toStore, options: { migration: 'm' }, transforms: list, ...change });
}
const deployments = { resource: 'deployments' };
const stepNamed = (plan: ReturnType<typeof planWith>, kind: string, name: string) =>
  plan.steps.find(({ target }) => target.kind === kind && target.name === name);

test('transforms come after the mapping; what they change is noted, what they did not mean is as without them', () => {
  const plan = planWith([{ subject: deployments, json: [{ op: 'copy', from: '/metadata/namespace', path: '/metadata/annotations/was' }] }]);
  const without = planWith([]);
  const step = stepNamed(plan, 'Deployment', 'web');
  assert.equal(step?.manifest.metadata.annotations?.['was'], 'store');
  assert.deepEqual(
    step?.changes.filter(({ rule }) => rule === 'Transform t0'),
    [{ rule: 'Transform t0', path: '/metadata/annotations/was', to: 'store' }],
  );
  const others = (of: typeof plan) => of.steps.filter(({ target }) => target.kind !== 'Deployment');
  assert.deepEqual(others(plan), others(without));
  assert.deepEqual(plan.volumes, without.volumes);
  assert.deepEqual(plan.transforms, [{ name: 't0', objects: 1, changes: 1 }]);
  assert.match(renderPlan(plan), /Transforms \(1\):\n {2}t0: 1 object, 1 change\n/);
  assert.equal(without.transforms, undefined);
});

test('the mark by which we know our own objects can not be transformed away', () => {
  const plan = planWith([{ subject: deployments, merge: [{ metadata: { annotations: null } }] }]);
  assert.deepEqual(stepNamed(plan, 'Deployment', 'web')?.manifest.metadata.annotations, { 'tranship.io/migration': 'm' });
});

test('an operation that can not be done stands against the move, with the transform and the object', () => {
  const plan = planWith([{ name: 'replicas', subject: deployments, json: [{ op: 'remove', path: '/spec/none' }] }]);
  const finding = plan.findings.find(({ id }) => id === 'TransformFailed');
  assert.equal(finding?.severity, 'block');
  assert.equal(finding?.message, `Transform "replicas" can't do remove /spec/none: /spec/none does not exist.`);
  assert.equal(finding?.subject?.name, 'web');
});

test('a transform that means nothing, or changes nothing, is told', () => {
  const plan = planWith([
    { subject: { resource: 'deployment' }, json: [{ op: 'remove', path: '/x' }] },
    {
      subject: deployments,
      json: [
        { op: 'test', path: '/spec/none' },
        { op: 'remove', path: '/x' },
      ],
    },
  ]);
  assert.ok(ids(plan, 'warn').includes('TransformUnused'));
  assert.ok(ids(plan, 'info').includes('TransformWithoutEffect'));
});

test('the class of a volume can be given by a transform, where no mapping names one', () => {
  const mapping = { ...toStore, storageClasses: {} };
  assert.ok(ids(planWith([], { mapping }), 'block').includes('StorageClassMissing'));
  const claims = { resource: 'persistentvolumeclaims' };
  const json = [{ op: 'replace' as const, path: '/spec/storageClassName', regex: '^fast$', value: 'standard' }];
  const sets = {
    subject: { resource: 'statefulsets' },
    json: [{ ...json[0]!, path: '/spec/volumeClaimTemplates/*/spec/storageClassName' }],
  };
  const plan = planWith([{ subject: claims, json }, sets], { mapping });
  assert.deepEqual(ids(plan, 'block'), []);
  assert.deepEqual(new Set(plan.volumes.map(({ targetStorageClass }) => targetStorageClass)), new Set(['standard']));
  const wrong = planWith([{ subject: claims, json: [{ ...json[0]!, value: 'nowhere' }] }], { mapping: toStore });
  assert.deepEqual(
    wrong.volumes.map(({ targetStorageClass }) => targetStorageClass),
    ['standard', 'standard', 'standard'],
  );
});

test('a claim that gets another name is the claim that the volume is bound to', () => {
  const plan = planWith([
    { subject: { resource: 'persistentvolumeclaims', name: 'uploads' }, json: [{ op: 'replace', path: '/metadata/name', value: 'files' }] },
    {
      subject: deployments,
      json: [{ op: 'replace', path: '/spec/template/spec/volumes/*/persistentVolumeClaim/claimName', regex: '^uploads$', value: 'files' }],
    },
  ]);
  const volume = plan.volumes.find(({ source }) => source.claim === 'uploads');
  assert.equal(volume?.targetClaim, 'files');
  assert.equal(volume?.claimManifest.metadata.name, 'files');
  assert.ok(!ids(plan, 'warn').includes('ReferenceMissing'));
});

test('two objects of one name after a transform stand against the move', () => {
  const plan = planWith([{ subject: { resource: 'secrets' }, json: [{ op: 'replace', path: '/metadata/name', value: 'one' }] }]);
  assert.ok(ids(plan, 'block').includes('TransformCollision'));
});

test('no value of a Secret gets into what is shown by way of a transform', () => {
  const plan = planWith([
    {
      subject: { resource: 'secrets' },
      json: [
        { op: 'add', path: '/stringData', value: { k: 'canary-data' } },
        { op: 'copy', from: '/stringData/k', path: '/metadata/name' },
      ],
    },
  ]);
  assert.doesNotMatch(renderPlan(plan, { changes: true }).replaceAll(/Secret \S+/g, ''), /canary/);
  const secret: KubeObject | undefined = redactPlan(plan).steps.find(({ target }) => target.kind === 'Secret')?.manifest;
  assert.doesNotMatch(JSON.stringify(secret?.['stringData']), /canary/);
});
