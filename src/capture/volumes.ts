/** Bound claims → the volumes behind them, and who uses them now. */
import type { CapturedObject, CapturedVolume } from '../api/captured.ts';
import { byText, fieldAt, find, listOf, textOf } from '../api/fields.ts';
import type { Finding } from '../api/finding.ts';
import { refOf, type KubeObject } from '../api/object.ts';
import { bytesOf } from '../api/quantity.ts';
import { resources } from '../kube/index.ts';
import { inParallel } from './listing.ts';
import { readOne, type Reader } from './reading.ts';

export interface Volumes {
  volumes: CapturedVolume[];
  findings: Finding[];
}

/**
 * @param pods every pod of the namespaces, also those that stay behind
 * @throws when the server fails for longer than the reader's patience
 */
export async function readVolumes(reader: Reader, claims: readonly CapturedObject[], pods: readonly KubeObject[]): Promise<Volumes> {
  const bound = claims.filter(
    ({ object }) => object.kind === 'PersistentVolumeClaim' && textOf(fieldAt(object, 'spec', 'volumeName')) !== undefined,
  );
  const findings: Finding[] = [];
  const volumes = await inParallel(bound, reader.signal, async ({ object: claim }, signal) => {
    const name = textOf(fieldAt(claim, 'spec', 'volumeName')) ?? '';
    const reading = await readOne({ ...reader, signal }, resources.persistentVolumes, name);
    const volume = 'value' in reading ? reading.value : undefined;
    if ('refusal' in reading) findings.push(volumeNotRead(claim, name));
    // A claim that has lost its volume is told below.
    else if (volume === undefined && fieldAt(claim, 'status', 'phase') !== 'Lost') findings.push(volumeMissing(claim, name));
    return volumeOf(claim, volume, pods);
  });
  for (const { object } of claims) {
    if (object.kind !== 'PersistentVolumeClaim' || fieldAt(object, 'status', 'phase') !== 'Lost') continue;
    findings.push({
      id: 'VolumeLost',
      severity: 'block',
      subject: refOf(object),
      message: 'The volume of the claim is gone: there is no data to move.',
      fix: 'Delete the claim, or exclude it with the label tranship.io/exclude=true.',
      proof: 'read',
    });
  }
  return { volumes: volumes.toSorted((a, b) => byText(`${a.namespace}/${a.claim}`, `${b.namespace}/${b.claim}`)), findings };
}

function volumeNotRead(claim: KubeObject, name: string): Finding {
  return {
    id: 'VolumeNotReadable',
    severity: 'block',
    subject: refOf(claim),
    message: `The volume ${name} can't be read, so its driver is not known.`,
    fix: 'Grant get on persistentvolumes.',
    proof: 'asked',
  };
}

function volumeMissing(claim: KubeObject, name: string): Finding {
  return {
    id: 'VolumeMissing',
    severity: 'block',
    subject: refOf(claim),
    message: `The claim names the volume ${name}, which does not exist: there is no data to move.`,
    fix: 'Wait for it, delete the claim, or exclude it with the label tranship.io/exclude=true.',
    proof: 'asked',
  };
}

function volumeOf(claim: KubeObject, volume: KubeObject | undefined, pods: readonly KubeObject[]): CapturedVolume {
  const { name, namespace = '' } = claim.metadata;
  const capacity = fieldAt(volume, 'spec', 'capacity', 'storage') ?? fieldAt(claim, 'status', 'capacity', 'storage');
  const storageClass = textOf(fieldAt(claim, 'spec', 'storageClassName')) ?? textOf(fieldAt(volume, 'spec', 'storageClassName'));
  return {
    namespace,
    claim: name,
    persistentVolume: textOf(fieldAt(claim, 'spec', 'volumeName')) ?? '',
    mode: fieldAt(claim, 'spec', 'volumeMode') === 'Block' ? 'Block' : 'Filesystem',
    accessModes: listOf(fieldAt(claim, 'spec', 'accessModes')).map(String),
    capacityBytes: bytesOf(capacity),
    storageClass: storageClass === '' ? undefined : storageClass,
    driver: textOf(fieldAt(volume, 'spec', 'csi', 'driver')),
    usedBy: pods
      .filter((pod) => pod.metadata.namespace === namespace && usesClaim(pod, name))
      .map((pod) => ({ pod: pod.metadata.name, node: textOf(fieldAt(pod, 'spec', 'nodeName')) }))
      .toSorted((a, b) => byText(a.pod, b.pod)),
  };
}

function usesClaim(pod: KubeObject, claim: string): boolean {
  if (['Succeeded', 'Failed'].includes(textOf(fieldAt(pod, 'status', 'phase')) ?? '')) return false;
  const named = find(pod, 'spec.volumes[*].persistentVolumeClaim.claimName').some((hit) => hit.value === claim);
  // An ephemeral volume's claim is called POD-VOLUME.
  return (
    named ||
    find(pod, 'spec.volumes[*]').some(
      (hit) => fieldAt(hit.value, 'ephemeral') !== undefined && `${pod.metadata.name}-${String(fieldAt(hit.value, 'name'))}` === claim,
    )
  );
}
