/**
 * The cluster objects of a driver: CSIDriver, its storage classes and its snapshot class, as plain JSON ready to apply.
 *
 * The names are the ones the tests and the demo rely on; source and target have no class name in common, so that a copy
 * without a storage class mapping is found out.
 */
import type { MediumKind } from './flags.ts';

export interface StorageClassSpec {
  name: string;
  /** The cluster's default class; at most one per cluster. */
  isDefault?: boolean;
  volumeBindingMode: 'WaitForFirstConsumer' | 'Immediate';
}

export interface DriverSpec {
  name: string;
  /** What the driver process makes its filesystem volumes of; the `=kind` of its `--driver` flag. */
  medium: MediumKind;
  storageClasses: StorageClassSpec[];
  snapshotClass: string;
  /** For snapshots of several volumes at once; absent: volumes of this driver are snapshotted one by one. */
  groupSnapshotClass?: string;
}

/** A Kubernetes object as JSON. */
export type Manifest = { apiVersion: string; kind: string; metadata: { name: string } } & Record<string, unknown>;

/** The drivers of the two clusters of a test bed: per cluster one plain (copies) and one btrfs (atomic snapshots, size enforced). */
export const testbedDrivers: { source: DriverSpec[]; target: DriverSpec[] } = {
  source: [
    {
      name: 'hostpath.csi.testbed.local',
      medium: 'plain',
      storageClasses: [
        { name: 'fast', isDefault: true, volumeBindingMode: 'WaitForFirstConsumer' },
        { name: 'fast-now', volumeBindingMode: 'Immediate' },
      ],
      snapshotClass: 'fast-snap',
    },
    {
      name: 'bulk.csi.testbed.local',
      medium: 'btrfs',
      storageClasses: [{ name: 'bulk', volumeBindingMode: 'Immediate' }],
      snapshotClass: 'bulk-snap',
      groupSnapshotClass: 'bulk-group',
    },
  ],
  target: [
    {
      name: 'silver.csi.testbed.local',
      medium: 'plain',
      storageClasses: [
        { name: 'silver', isDefault: true, volumeBindingMode: 'WaitForFirstConsumer' },
        { name: 'silver-now', volumeBindingMode: 'Immediate' },
      ],
      snapshotClass: 'silver-snap',
    },
    {
      name: 'gold.csi.testbed.local',
      medium: 'btrfs',
      storageClasses: [{ name: 'gold', volumeBindingMode: 'Immediate' }],
      snapshotClass: 'gold-snap',
    },
  ],
};

/**
 * CSIDriver, storage classes and snapshot classes of one driver, in the order to apply. The snapshot classes need the snapshot
 * CRDs to be there first.
 *
 * @example for (const driver of testbedDrivers.source) objects.push(...driverObjects(driver));
 */
export function driverObjects(driver: DriverSpec): Manifest[] {
  return [
    {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'CSIDriver',
      metadata: { name: driver.name },
      spec: {
        attachRequired: false,
        podInfoOnMount: true,
        fsGroupPolicy: 'File',
        volumeLifecycleModes: ['Persistent'],
      },
    },
    ...driver.storageClasses.map((storageClass) => storageClassObject(driver.name, storageClass)),
    {
      apiVersion: 'snapshot.storage.k8s.io/v1',
      kind: 'VolumeSnapshotClass',
      metadata: { name: driver.snapshotClass },
      driver: driver.name,
      deletionPolicy: 'Delete',
    },
    ...(driver.groupSnapshotClass === undefined
      ? []
      : [
          {
            apiVersion: 'groupsnapshot.storage.k8s.io/v1',
            kind: 'VolumeGroupSnapshotClass',
            metadata: { name: driver.groupSnapshotClass },
            driver: driver.name,
            deletionPolicy: 'Delete',
          },
        ]),
  ];
}

function storageClassObject(provisioner: string, spec: StorageClassSpec): Manifest {
  const annotations = spec.isDefault === true ? { annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } } : {};
  return {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: { name: spec.name, ...annotations },
    provisioner,
    allowVolumeExpansion: true,
    reclaimPolicy: 'Delete',
    volumeBindingMode: spec.volumeBindingMode,
  };
}
