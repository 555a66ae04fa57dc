import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CapturedVolume } from '../api/captured.ts';
import { find } from '../api/fields.ts';
import type { KubeObject } from '../api/object.ts';
import type { Mapping, Plan, Surface } from '../api/plan.ts';
import { ids, planOf, shop, stepOf, toStore } from './fixtures/shop.ts';
import { makePlan } from './plan.ts';
import type { ReadOptions } from './reading.ts';

function plan(
  change: {
    mapping?: Partial<Mapping>;
    source?: Partial<Surface>;
    target?: Partial<Surface>;
    read?: Partial<ReadOptions>;
    volumes?: (volume: CapturedVolume) => Partial<CapturedVolume>;
    driver?: string | undefined;
  } = {},
): Plan {
  const base = shop();
  base.captured.volumes = base.captured.volumes.map((each) => ({ ...each, ...change.volumes?.(each) }));
  if ('driver' in change) base.captured.volumes = base.captured.volumes.map((each) => ({ ...each, driver: change.driver }));
  return makePlan({
    captured: base.captured,
    source: { ...base.source, ...change.source },
    target: { ...base.target, ...change.target },
    mapping: { ...toStore, ...change.mapping },
    options: { migration: 'm', read: change.read ?? {} },
  });
}

test('claims and claim templates get the mapped class; bound claims are volumes, not steps', () => {
  const made = plan();
  assert.deepEqual(ids(made, 'block'), []);
  assert.deepEqual(
    made.volumes.map(({ targetClaim, targetStorageClass, snapshotClass, read }) => [targetClaim, targetStorageClass, snapshotClass, read]),
    [
      ['data-db-0', 'standard', 'snap', 'Snapshot'],
      ['raw', 'standard', 'snap', 'Snapshot'],
      ['uploads', 'standard', 'snap', 'Snapshot'],
    ],
  );
  assert.ok(!made.steps.some(({ target }) => target.kind === 'PersistentVolumeClaim'));
  const set = stepOf(made, 'StatefulSet.apps store/db').manifest;
  assert.deepEqual(
    find(set, 'spec.volumeClaimTemplates[*].spec.storageClassName').map(({ value }) => value),
    ['standard'],
  );
});

test('the claim of a volume names no volume, no binding and no old owner', () => {
  for (const { claimManifest } of plan().volumes) {
    assert.equal(claimManifest.metadata.namespace, 'store');
    assert.deepEqual(find(claimManifest, 'spec.volumeName'), []);
    assert.deepEqual(Object.keys(claimManifest.metadata.annotations ?? {}), ['tranship.io/migration']);
    assert.equal(claimManifest.metadata.ownerReferences, undefined);
    assert.equal(claimManifest.status, undefined);
  }
  assert.deepEqual(
    plan().volumes.map(({ source }) => source.mode),
    ['Filesystem', 'Block', 'Filesystem'],
  );
});

const deployment: KubeObject = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web', namespace: 'shop' }, spec: {} };

test('a class that the target does not have stands against the move and names those it has', () => {
  const made = plan({ mapping: { storageClasses: {} } });
  assert.deepEqual(ids(made, 'block'), ['StorageClassMissing']);
  const subjects = made.findings.filter(({ id }) => id === 'StorageClassMissing').map(({ subject }) => `${subject?.kind} ${subject?.name}`);
  assert.deepEqual(subjects, [
    'PersistentVolumeClaim data-db-0',
    'PersistentVolumeClaim raw',
    'PersistentVolumeClaim uploads',
    'StatefulSet db',
  ]);
  assert.match(
    made.findings.find(({ id }) => id === 'StorageClassMissing')?.message ?? '',
    /fast does not exist on new\. The target has: standard\./,
  );
});

test('a mapping to a class that the target does not have is refused, too', () => {
  assert.deepEqual(ids(plan({ mapping: { storageClasses: { fast: 'typo' } } }), 'block'), ['StorageClassMissing']);
});

const claim = (spec: Record<string, unknown>) => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { name: 'later', namespace: 'shop' },
  spec,
});

test('a claim that was never bound is created right before what mounts it', () => {
  const made = planOf([claim({ storageClassName: 'fast' }), deployment]);
  const step = stepOf(made, 'PersistentVolumeClaim store/later');
  // Not before the final copy: bound on the source meanwhile, it is a volume then. And before what mounts it.
  assert.equal(step.phase, 'Activate');
  assert.ok(step.layer < stepOf(made, 'Deployment.apps store/web').layer);
  assert.deepEqual(step.manifest.spec, { storageClassName: 'standard' });
});

test('no snapshot class for the driver stands against the move, unless reading live is allowed', () => {
  const none = { source: { snapshotClasses: [{ name: 'other', driver: 'other.example.com', isDefault: true }] } };
  assert.deepEqual(ids(plan(none), 'block'), ['SnapshotClassMissing']);
  const live = plan({ ...none, read: { mode: 'Auto' } });
  assert.deepEqual(ids(live, 'block'), []);
  assert.ok(ids(live, 'warn').includes('SnapshotClassMissing'));
  assert.deepEqual(
    live.volumes.map(({ read }) => read),
    ['Live', 'Live', 'Live'],
  );
});

test('a volume that is not of a CSI driver can only be read live', () => {
  assert.deepEqual(ids(plan({ driver: undefined }), 'block'), ['VolumeNotCsi']);
  assert.deepEqual(ids(plan({ driver: undefined, read: { mode: 'Auto' } }), 'block'), []);
});

test('among several snapshot classes the choice is the default, then the first by name; doubt is told', () => {
  const of = (...classes: [string, boolean][]) =>
    plan({ source: { snapshotClasses: classes.map(([name, isDefault]) => ({ name, isDefault, driver: 'csi.example.com' })) } });
  const chosen = (made: Plan) => [made.volumes[0]?.snapshotClass, ids(made, 'warn').includes('SnapshotClassAmbiguous')];
  assert.deepEqual(chosen(of(['b', true], ['a', false])), ['b', false]);
  assert.deepEqual(chosen(of(['b', true], ['a', true])), ['a', true]);
  assert.deepEqual(chosen(of(['b', false], ['a', false])), ['a', true]);
  assert.deepEqual(chosen(of(['only', false])), ['only', false]);
});

test('a claim without a class takes the default of the target; without a default it is refused', () => {
  const base = shop();
  base.captured.objects = base.captured.objects.map((each) => {
    const object = structuredClone(each.object);
    if (object.kind === 'PersistentVolumeClaim') for (const hit of find(object, 'spec.storageClassName')) hit.remove();
    return { ...each, object };
  });
  base.captured.volumes = base.captured.volumes.map((each) => ({ ...each, storageClass: undefined }));
  const made = (isDefault: boolean) =>
    makePlan({
      ...base,
      target: { ...base.target, storageClasses: base.target.storageClasses.map((each) => ({ ...each, isDefault })) },
      mapping: toStore,
      options: { migration: 'm' },
    });
  assert.deepEqual(
    made(true).volumes.map(({ targetStorageClass }) => targetStorageClass),
    ['standard', 'standard', 'standard'],
  );
  assert.deepEqual(ids(made(false), 'block'), ['StorageClassMissing']);
});

test('a custom resource that names a class of the source gets the mapped one; a field of that name with another meaning stays', () => {
  const database = (storageClass: string) => ({
    apiVersion: 'db.example.com/v1',
    kind: 'Database',
    metadata: { name: 'a', namespace: 'shop' },
    spec: { storage: { storageClass } },
  });
  const of = (name: string) => find(planOf([database(name)]).steps[0]?.manifest, 'spec.storage.storageClass')[0]?.value;
  assert.equal(of('fast'), 'standard');
  assert.equal(of('cold-archive'), 'cold-archive');
});

test('the snapshot class that is annotated for us wins over the default', () => {
  const named = (name: string, more: object) => ({ name, driver: 'csi.example.com', isDefault: false, ...more });
  const made = plan({ source: { snapshotClasses: [named('a', { isDefault: true }), named('z', { isChosen: true })] } });
  assert.equal(made.volumes[0]?.snapshotClass, 'z');
  assert.ok(!ids(made, 'warn').includes('SnapshotClassAmbiguous'));
});

test('a volume larger than its claim asks for gets a claim of its own size', () => {
  const asked = (made: Plan) => made.volumes.map(({ claimManifest }) => find(claimManifest, 'spec.resources.requests.storage')[0]?.value);
  const before = asked(plan());
  const grown = plan({ volumes: ({ claim: name }) => (name === 'raw' ? { capacityBytes: 5e9 } : {}) });
  assert.deepEqual(asked(grown), [before[0], '5000000000', before[2]]);
});

test('volumes of one driver and namespace are snapshotted together where there is a class for it', () => {
  const group = (isDefault: boolean, name: string) => ({ name, driver: 'csi.example.com', isDefault });
  const together = (made: Plan) => made.volumes.map(({ groupSnapshotClass }) => groupSnapshotClass);
  const made = plan({ source: { groupSnapshotClasses: [group(false, 'a'), group(true, 'b')] } });
  assert.deepEqual(together(made), ['b', 'b', 'b']);
  assert.ok(!ids(made, 'info').includes('SnapshotsOneByOne'));
  const none = plan();
  assert.deepEqual(together(none), [undefined, undefined, undefined]);
  assert.ok(ids(none, 'info').includes('SnapshotsOneByOne'));
  const live = plan({ read: { mode: 'Live' }, source: { groupSnapshotClasses: [group(true, 'b')] } });
  assert.deepEqual(together(live), [undefined, undefined, undefined]);
});

test('a ReadWriteOncePod volume that a pod has can only be read from a snapshot, or when the application is stopped', () => {
  const volumes = () => ({ accessModes: ['ReadWriteOncePod'], usedBy: [{ pod: 'db-0', node: 'n' }] });
  assert.deepEqual(ids(plan({ volumes, read: { mode: 'Snapshot' } }), 'block'), []);
  assert.deepEqual(ids(plan({ volumes, read: { mode: 'Live' } }), 'block'), ['ReadWriteOncePodLive']);
  assert.deepEqual(ids(plan({ volumes, read: { mode: 'Live', warm: false } }), 'block'), []);
  const idle = () => ({ accessModes: ['ReadWriteOncePod'], usedBy: [] });
  assert.deepEqual(ids(plan({ volumes: idle, read: { mode: 'Live' } }), 'block'), []);
  assert.deepEqual(ids(plan({ volumes, read: { mode: 'Auto' }, source: { snapshotClasses: [] } }), 'block'), ['ReadWriteOncePodLive']);
});

test('the temporary volume gets a class of the driver that has the snapshot', () => {
  const of = (name: string, provisioner: string, bindingMode: 'Immediate' | 'WaitForFirstConsumer' = 'Immediate') => ({
    name,
    provisioner,
    bindingMode,
    isDefault: false,
    allowExpansion: false,
  });
  const temporary = (made: Plan) => made.volumes[0]?.temporaryStorageClass;
  const classes = [of('fast', 'csi.example.com'), of('later', 'csi.example.com', 'WaitForFirstConsumer'), of('other', 'else')];
  assert.equal(temporary(plan({ source: { storageClasses: classes } })), 'fast');
  assert.equal(temporary(plan({ source: { storageClasses: classes }, read: { temporaryClasses: { fast: 'later' } } })), 'later');
  const gone = [of('later', 'csi.example.com', 'WaitForFirstConsumer'), of('now', 'csi.example.com'), of('fast', 'else')];
  assert.equal(temporary(plan({ source: { storageClasses: gone } })), 'now', 'its own class is another driver’s by now');
  const foreign = plan({ source: { storageClasses: classes }, read: { temporaryClasses: { fast: 'other' } } });
  assert.deepEqual(ids(foreign, 'block'), ['TemporaryClassUnfit']);
  assert.deepEqual(ids(plan({ source: { storageClasses: [of('fast', 'else')] } }), 'block'), ['TemporaryClassUnfit']);
});
