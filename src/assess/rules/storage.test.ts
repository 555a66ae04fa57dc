import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CapturedVolume } from '../../api/captured.ts';
import type { SurfaceStorageClass } from '../../api/plan.ts';
import { assessCase, deployment, found, node, object, thing, type Case, type Row } from '../fixtures/sides.ts';

const claim = object('PersistentVolumeClaim', 'data', {
  spec: { storageClassName: 'fast', volumeName: 'pv', accessModes: ['ReadWriteOnce'] },
});
const volume = (more: Partial<CapturedVolume> = {}): CapturedVolume => ({
  namespace: 'shop',
  claim: 'data',
  persistentVolume: 'pv',
  mode: 'Filesystem',
  accessModes: ['ReadWriteOnce'],
  capacityBytes: 2 ** 30,
  storageClass: 'fast',
  driver: 'csi.example.com',
  usedBy: [],
  ...more,
});
const classNamed = (name: string, provisioner: string, allowExpansion = false): SurfaceStorageClass => ({
  name,
  provisioner,
  isDefault: false,
  bindingMode: 'Immediate',
  allowExpansion,
});
const onto = (provisioner: string, more: Partial<CapturedVolume>): Case => ({
  objects: [claim],
  volumes: [volume(more)],
  target: { surface: { storageClasses: [classNamed('standard', provisioner)] } },
});
const factClass = (content: Record<string, unknown>, name = 'standard') =>
  thing('StorageClass', name, { provisioner: 'csi.example.com', ...content }, 'storage.k8s.io/v1');
const csiNode = (drivers: unknown[]) => thing('CSINode', 'one', { spec: { drivers } }, 'storage.k8s.io/v1');
const withFacts = (objects: NonNullable<NonNullable<Case['target']>['facts']>['objects'], source: Case['source'] = {}): Case => ({
  objects: [claim],
  volumes: [volume()],
  source,
  target: { surface: { csiDrivers: ['csi.example.com'] }, facts: { ...(objects && { objects }) } },
});
const driver = (count?: number) => ({ name: 'csi.example.com', ...(count !== undefined && { allocatable: { count } }) });
const zone = (name: string) => ({ allowedTopologies: [{ matchLabelExpressions: [{ key: 'zone', values: [name] }] }] });
const grows: Case['source'] = { surface: { storageClasses: [classNamed('fast', 'csi.example.com', true)] } };
const fs = (type: string) => ({ parameters: { 'csi.storage.k8s.io/fstype': type } });

const rows: Row[] = [
  ['block AccessModeNotPossible', onto('ebs.csi.aws.com', { accessModes: ['ReadWriteMany'] }), onto('ebs.csi.aws.com', {})],
  ['block BlockModeNotPossible', onto('nfs.csi.k8s.io', { mode: 'Block' }), onto('nfs.csi.k8s.io', {})],
  ['warn ExpansionLost', { ...withFacts([]), source: grows }, withFacts([])],
  [
    'info FilesystemDiffers',
    withFacts([factClass(fs('xfs'))], { facts: { objects: [factClass(fs('ext4'), 'fast')] } }),
    withFacts([factClass(fs('ext4'))], { facts: { objects: [factClass(fs('ext4'), 'fast')] } }),
  ],
  ['block DriverNotRunning', withFacts([factClass({}), csiNode([])]), withFacts([factClass({}), csiNode([driver()])])],
  ['block VolumesPerNodeExceeded', withFacts([factClass({}), csiNode([driver(0)])]), withFacts([factClass({}), csiNode([driver(1)])])],
  [
    'block ClassTopologyMissing',
    withFacts([factClass(zone('a')), csiNode([driver()]), node('n', { labels: { zone: 'b' } })]),
    withFacts([factClass(zone('a')), csiNode([driver()]), node('n', { labels: { zone: 'a' } })]),
  ],
  [
    'unknown DriversUnknown',
    {
      objects: [claim],
      volumes: [volume()],
      target: { facts: { unread: [{ group: 'storage.k8s.io', resource: 'csinodes', message: 'no' }] } },
    },
    { objects: [claim], volumes: [volume()] },
  ],
  [
    'info EphemeralData',
    { objects: [{ ...deployment({ volumes: [{ name: 'v', emptyDir: {} }] }), kind: 'StatefulSet' }] },
    { objects: [deployment({ volumes: [{ name: 'v', emptyDir: {} }] })] },
  ],
  [
    'info EphemeralInlineVolume',
    { objects: [deployment({ volumes: [{ name: 'v', csi: { driver: 'inline.example.com' } }] })] },
    { objects: [deployment({ volumes: [{ name: 'v', csi: { driver: 'secrets-store.csi.k8s.io' } }] })] },
  ],
  [
    'info ClaimUnbound',
    { objects: [object('PersistentVolumeClaim', 'new', { spec: { storageClassName: 'fast' }, status: { phase: 'Pending' } })] },
    { objects: [claim], volumes: [volume()] },
  ],
];

for (const [expected, has, hasNot] of rows) {
  test(expected, () => {
    const [, id = ''] = expected.split(' ');
    assert.equal(found(assessCase(has), id), expected);
    assert.equal(found(assessCase(hasNot), id), '');
  });
}

test('classes, by the plan', () => {
  const standard = classNamed('standard', 'csi.example.com');
  const having = (storageClasses: SurfaceStorageClass[], name?: string): Case => ({
    objects: [
      object('PersistentVolumeClaim', 'data', { spec: { ...(name !== undefined && { storageClassName: name }), volumeName: 'pv' } }),
    ],
    volumes: [volume({ storageClass: name })],
    target: { surface: { storageClasses } },
  });
  assert.equal(found(assessCase(having([{ ...standard, isDefault: true }])), 'StorageClassDefault'), 'info StorageClassDefault');
  assert.equal(found(assessCase(having([standard], 'fast')), 'StorageClassDefault'), '');
  const manual = classNamed('standard', 'kubernetes.io/no-provisioner');
  assert.equal(found(assessCase(having([manual], 'fast')), 'StorageClassWithoutProvisioner'), 'warn StorageClassWithoutProvisioner');
  assert.equal(found(assessCase(having([standard], 'fast')), 'StorageClassWithoutProvisioner'), '');
});
