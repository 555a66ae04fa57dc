/** Volumes: can the target hold what the source has, and does anything stay behind? */
import { fieldAt, find, listOf, textOf } from '../../api/fields.ts';
import type { PlannedVolume } from '../../api/plan.ts';
import { factsOf, isKnown, some, type Found, type Rule, type RuleContext } from '../rule.ts';
import { roomOf } from './nodes.ts';

export const storageRules: readonly Rule[] = [
  {
    id: 'VOL-1',
    title: 'Storage classes of the target can hold the volumes',
    severity: 'block',
    proof: 'clusters',
    reads: 'storage classes, CSI drivers and nodes of the target; claims of the source',
    fix: 'Map the class to one that can: --map-storage-class FROM=TO.',
    reason: 'A claim that its class cannot serve stays pending: the volume is never filled.',
    findings: [
      'StorageClassMissing',
      'StorageClassDefault',
      'StorageClassWithoutProvisioner',
      'AccessModeNotPossible',
      'BlockModeNotPossible',
      'DriverNotRunning',
      'ClassTopologyMissing',
      'VolumesPerNodeExceeded',
      'ExpansionLost',
      'FilesystemDiffers',
      'DriversUnknown',
    ],
    check: checkClasses,
  },
  {
    id: 'VOL-2',
    title: 'All data is on volumes that move',
    severity: 'block',
    proof: 'objects',
    reads: 'volumes of pods and claims',
    fix: 'Put the data on a claim before the move, or copy it by hand.',
    reason: 'What lies in a directory of a node, or in a volume that is gone, does not travel.',
    findings: ['HostPathVolume', 'VolumeLost', 'VolumeMissing', 'EphemeralData', 'EphemeralInlineVolume', 'ClaimUnbound'],
    check: checkLeftData,
  },
  {
    id: 'VOL-3',
    title: 'The mover can read every file',
    severity: 'block',
    proof: 'probe',
    reads: 'a mover on the volume; it reads as root, and a file that it cannot read ends the copy',
    fix: 'Let the namespace of the mover run pods as root.',
    reason: 'A copy under another user silently loses files of mode 0700 (crane on OpenShift lost 3 of 5).',
    findings: [],
  },
  {
    id: 'VOL-4',
    title: 'Volumes of the source can be read at one moment',
    severity: 'block',
    proof: 'clusters',
    reads: 'volumes, drivers and snapshot classes of the source',
    fix: 'Create a VolumeSnapshotClass for the driver, or read live: --read live.',
    reason: 'While the application runs only a snapshot is consistent.',
    findings: [
      'VolumeNotCsi',
      'SnapshotClassMissing',
      'SnapshotClassAmbiguous',
      'VolumeNotReadable',
      'ReadWriteOncePodLive',
      'SnapshotsOneByOne',
      'TemporaryClassUnfit',
    ],
  },
];

/** Provisioners that attach a disk to one node (their documentation): several nodes can't share it. */
const ONE_NODE: ReadonlySet<string> = new Set([
  'ebs.csi.aws.com',
  'kubernetes.io/aws-ebs',
  'disk.csi.azure.com',
  'kubernetes.io/azure-disk',
  'pd.csi.storage.gke.io',
  'kubernetes.io/gce-pd',
  'cinder.csi.openstack.org',
  'dobs.csi.digitalocean.com',
  'csi.hetzner.cloud',
  'linodebs.csi.linode.com',
  'rancher.io/local-path',
  'k8s.io/minikube-hostpath',
  'hostpath.csi.k8s.io',
  'topolvm.io',
  'local.csi.openebs.io',
]);
/** Provisioners of shared files: they have no raw devices. */
const FILES_ONLY: ReadonlySet<string> = new Set([
  'efs.csi.aws.com',
  'file.csi.azure.com',
  'filestore.csi.storage.gke.io',
  'nfs.csi.k8s.io',
  'smb.csi.k8s.io',
  'cephfs.csi.ceph.com',
  'rook-ceph.cephfs.csi.ceph.com',
  'rancher.io/local-path',
]);

const subjectOf = ({ source }: PlannedVolume) => ({
  group: '',
  kind: 'PersistentVolumeClaim',
  namespace: source.namespace,
  name: source.claim,
});

function checkClasses(context: RuleContext): Found[] {
  const { plan, source, target } = context;
  const where = target.surface.cluster.name;
  const found: Found[] = [];
  const used = new Map<string, PlannedVolume[]>();
  for (const volume of plan.volumes) {
    const chosen = target.surface.storageClasses.find((each) => each.name === volume.targetStorageClass);
    if (chosen === undefined) continue;
    const { provisioner, name } = chosen;
    used.set(name, [...(used.get(name) ?? []), volume]);
    const shared = volume.source.accessModes.find((mode) => mode === 'ReadWriteMany' || mode === 'ReadOnlyMany');
    if (shared !== undefined && ONE_NODE.has(provisioner) && !(volume.source.mode === 'Block' && provisioner === 'pd.csi.storage.gke.io')) {
      found.push({
        id: 'AccessModeNotPossible',
        severity: 'block',
        subject: subjectOf(volume),
        message: `The claim asks for ${shared}; ${name} on ${where} (${provisioner}) attaches a volume to one node only.`,
        fix: 'Map its class to one for shared files.',
      });
    }
    if (volume.source.mode === 'Block' && FILES_ONLY.has(provisioner)) {
      found.push({
        id: 'BlockModeNotPossible',
        severity: 'block',
        subject: subjectOf(volume),
        message: `The claim is a raw device; ${name} on ${where} (${provisioner}) has only files.`,
        fix: 'Map its class to one with block volumes.',
      });
    }
    const before = source.surface.storageClasses.find((each) => each.name === volume.source.storageClass);
    if (before?.allowExpansion === true && !chosen.allowExpansion) {
      found.push({
        id: 'ExpansionLost',
        severity: 'warn',
        subject: subjectOf(volume),
        message: `The volume can grow on the source; class ${name} on ${where} does not allow it.`,
        fix: 'Set allowVolumeExpansion on the class, or map to another.',
      });
    }
    const fsType = (side: RuleContext['source'], className: string | undefined) =>
      factsOf(side, 'StorageClass')
        .filter((each) => each.metadata.name === className)
        .map((each) => textOf(fieldAt(each, 'parameters', 'csi.storage.k8s.io/fstype')))[0];
    const [from, to] = [fsType(source, volume.source.storageClass), fsType(target, name)];
    if (from !== undefined && to !== undefined && from !== to && volume.source.mode === 'Filesystem') {
      found.push({
        id: 'FilesystemDiffers',
        severity: 'info',
        subject: subjectOf(volume),
        message: `The file system is ${from} on the source and ${to} by class ${name} on ${where}: limits of names, links and attributes differ.`,
      });
    }
  }
  for (const [name, volumes] of used) found.push(...judgeDriver(name, volumes.length, context));
  if (plan.volumes.length > 0 && (!isKnown(target, 'csidrivers', 'storage.k8s.io') || !isKnown(target, 'csinodes', 'storage.k8s.io'))) {
    found.push({
      id: 'DriversUnknown',
      severity: 'unknown',
      message: `Which storage drivers run on the nodes of ${where} can't be read.`,
      fix: 'Grant list on csidrivers and csinodes.',
    });
  }
  return found;
}

function judgeDriver(name: string, volumes: number, { target }: RuleContext): Found[] {
  const where = target.surface.cluster.name;
  const object = factsOf(target, 'StorageClass').find((each) => each.metadata.name === name);
  const provisioner = textOf(fieldAt(object, 'provisioner')) ?? '';
  const subject = { group: 'storage.k8s.io', kind: 'StorageClass', name };
  const nodes = roomOf(target);
  const running = factsOf(target, 'CSINode').flatMap((node) =>
    listOf(fieldAt(node, 'spec', 'drivers')).filter((driver) => fieldAt(driver, 'name') === provisioner),
  );
  const found: Found[] = [];
  const isCsi = target.surface.csiDrivers.includes(provisioner);
  if (nodes.length > 0 && isCsi && running.length === 0 && isKnown(target, 'csinodes', 'storage.k8s.io')) {
    found.push({
      id: 'DriverNotRunning',
      severity: 'block',
      subject,
      message: `The driver ${provisioner} of class ${name} runs on no node of ${where}.`,
      fix: 'Repair the driver on the target, or map to a class whose driver runs.',
    });
  }
  const counts = running.map((driver) => fieldAt(driver, 'allocatable', 'count'));
  const most = counts.every((count) => typeof count === 'number') ? counts.reduce<number>((sum, count) => sum + count, 0) : Infinity;
  if (running.length > 0 && volumes > most) {
    found.push({
      id: 'VolumesPerNodeExceeded',
      severity: 'block',
      subject,
      message: `${volumes} volumes would be attached through ${provisioner}; the nodes of ${where} take ${most} in all.`,
      fix: 'Add nodes.',
    });
  }
  const topologies = find(object, 'allowedTopologies[*].matchLabelExpressions[*]');
  const reachable = topologies.every(({ value }) => {
    const [key, values] = [textOf(fieldAt(value, 'key')) ?? '', listOf(fieldAt(value, 'values')).map(String)];
    return nodes.some(({ labels }) => values.includes(labels[key] ?? ''));
  });
  if (nodes.length > 0 && !reachable) {
    found.push({
      id: 'ClassTopologyMissing',
      severity: 'block',
      subject,
      message: `Class ${name} makes volumes only in zones (${some(topologies.flatMap(({ value }) => listOf(fieldAt(value, 'values')).map(String)))}) where ${where} has no node.`,
      fix: 'Add nodes there, or map to another class.',
    });
  }
  return found;
}

function checkLeftData({ captured, workloads }: RuleContext): Found[] {
  const found: Found[] = [];
  for (const { ref, spec } of workloads) {
    const drivers = find(spec, 'volumes[*].csi.driver')
      .map((hit) => String(hit.value))
      .filter((name) => name !== 'secrets-store.csi.k8s.io');
    if (drivers.length > 0) {
      found.push({
        id: 'EphemeralInlineVolume',
        severity: 'info',
        subject: ref,
        message: `Its pods have inline volumes of ${some(drivers)}; they are made anew on the target, and the driver must be there.`,
      });
    }
    if (
      ref.kind === 'StatefulSet' &&
      find(spec, 'volumes[*].emptyDir').length > 0 &&
      find(spec, 'volumes[*].emptyDir.medium').length === 0
    ) {
      found.push({
        id: 'EphemeralData',
        severity: 'info',
        subject: ref,
        message: 'Its pods keep files in emptyDir volumes; they do not move, as they do not survive the pod.',
      });
    }
  }
  for (const { object } of captured.objects) {
    if (object.kind !== 'PersistentVolumeClaim' || fieldAt(object, 'status', 'phase') !== 'Pending') continue;
    const { name, namespace } = object.metadata;
    found.push({
      id: 'ClaimUnbound',
      severity: 'info',
      subject: { group: '', kind: 'PersistentVolumeClaim', ...(namespace !== undefined && { namespace }), name },
      message: 'The claim has no volume on the source: it moves as an object and gets an empty one.',
    });
  }
  return found;
}
