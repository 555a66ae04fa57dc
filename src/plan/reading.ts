/** How a volume is read on the source: from a snapshot, by which classes, alone or together with others, or live. */
import type { CapturedVolume } from '../api/captured.ts';
import { byText } from '../api/fields.ts';
import type { Finding } from '../api/finding.ts';
import type { ObjectRef } from '../api/object.ts';
import type { PlannedVolume, Surface, SurfaceSnapshotClass } from '../api/plan.ts';

export interface ReadOptions {
  /** Snapshot: a volume that cannot be snapshotted stands against the move. Auto: it is read live. Live: all are. */
  mode: 'Auto' | 'Snapshot' | 'Live';
  /** Copied while the application runs, too. */
  warm: boolean;
  /** Class of the source → class of the temporary volumes that are made from snapshots. */
  temporaryClasses: Readonly<Record<string, string>>;
}

type How = Pick<PlannedVolume, 'read' | 'snapshotClass' | 'temporaryStorageClass'>;

export function chooseReading(
  volume: CapturedVolume,
  subject: ObjectRef,
  source: Surface,
  options: ReadOptions,
): { how: How; findings: Finding[] } {
  const { driver } = volume;
  const snapshot = chooseSnapshotClass(volume, subject, source, options);
  const live = options.mode === 'Live' || snapshot.className === undefined;
  const reading: How = { read: live ? 'Live' : 'Snapshot', snapshotClass: snapshot.className };
  if (live || driver === undefined) {
    return { how: reading, findings: [...snapshot.findings, ...heldByOnePod(volume, subject, source, options)] };
  }
  const temporary = chooseTemporaryClass(volume, driver, subject, source, options);
  if (temporary.className !== undefined) reading.temporaryStorageClass = temporary.className;
  return { how: reading, findings: [...snapshot.findings, ...temporary.findings] };
}

interface Choice {
  className: string | undefined;
  findings: Finding[];
}

function chooseSnapshotClass(
  { driver, persistentVolume }: CapturedVolume,
  subject: ObjectRef,
  source: Surface,
  options: ReadOptions,
): Choice {
  const severity = options.mode === 'Snapshot' ? 'block' : 'warn';
  const live = options.mode === 'Snapshot' ? '' : ' It is read live: not crash consistent while the application writes.';
  if (driver === undefined) {
    const message = `Volume ${persistentVolume} is not a CSI volume, so it cannot be snapshotted.${live}`;
    const fix = 'Read it live: --read live.';
    return { className: undefined, findings: [{ id: 'VolumeNotCsi', severity, subject, message, fix, proof: 'read' }] };
  }
  const { chosen, rivals, why } = bestOf(source.snapshotClasses, driver);
  if (chosen === undefined) {
    const message = `Driver ${driver} has no snapshot class on ${source.cluster.name}.${live}`;
    const fix = 'Create a VolumeSnapshotClass for the driver, or read live: --read live.';
    return { className: undefined, findings: [{ id: 'SnapshotClassMissing', severity, subject, message, fix, proof: 'read' }] };
  }
  if (rivals.length < 2) return { className: chosen.name, findings: [] };
  const message = `Driver ${driver} has ${rivals.length} ${why}snapshot classes (${rivals.map(({ name }) => name).join(', ')}); ${chosen.name} is taken.`;
  const fix = 'Mark exactly one as default, or annotate it with tranship.io/snapshot-class=true.';
  return { className: chosen.name, findings: [{ id: 'SnapshotClassAmbiguous', severity: 'warn', subject, message, fix, proof: 'read' }] };
}

/** The class that is annotated for us, then the driver's default, then the first by name. Rivals are those that the choice was among. */
function bestOf(classes: readonly SurfaceSnapshotClass[], driver: string) {
  const own = classes.filter((each) => each.driver === driver).toSorted((a, b) => byText(a.name, b.name));
  const annotated = own.filter((each) => each.isChosen === true);
  const defaults = own.filter((each) => each.isDefault);
  const [rivals, why] = annotated.length > 0 ? [annotated, 'annotated '] : defaults.length > 0 ? [defaults, 'default '] : [own, ''];
  return { chosen: rivals[0], rivals, why };
}

/** A second pod cannot mount a ReadWriteOncePod volume, not even on the same node: it is read from a snapshot, or when nobody has it. */
function heldByOnePod({ accessModes, usedBy }: CapturedVolume, subject: ObjectRef, source: Surface, options: ReadOptions): Finding[] {
  const [holder] = usedBy;
  if (options.mode === 'Snapshot' || holder === undefined || !options.warm || !accessModes.includes('ReadWriteOncePod')) return [];
  return [
    {
      id: 'ReadWriteOncePodLive',
      severity: 'block',
      subject,
      message: `The claim is ReadWriteOncePod and pod ${holder.pod} on ${source.cluster.name} has it: nobody else can read it while the application runs.`,
      fix: 'Read it from a snapshot (--read Snapshot), or only once, when the application is stopped (--warm-rounds 0).',
      proof: 'read',
    },
  ];
}

/**
 * The temporary volume must come from the driver that has the snapshot. The class of the volume does, unless it was deleted or made anew
 * since; then any class of the driver, of those the first that does not wait for a consumer.
 */
function chooseTemporaryClass(
  { storageClass }: CapturedVolume,
  driver: string,
  subject: ObjectRef,
  source: Surface,
  options: ReadOptions,
): Choice {
  const mapped = options.temporaryClasses[storageClass ?? ''];
  const fits = source.storageClasses.filter((each) => each.provisioner === driver).toSorted((a, b) => byText(a.name, b.name));
  const finding = (message: string): Finding => ({
    id: 'TemporaryClassUnfit',
    severity: 'block',
    subject,
    message,
    fix: fits.length === 0 ? 'Create a storage class for the driver.' : `Name one of: ${fits.map(({ name }) => name).join(', ')}.`,
    proof: 'read',
  });
  if (mapped !== undefined) {
    if (fits.some(({ name }) => name === mapped)) return { className: mapped, findings: [] };
    const message = `Storage class ${mapped} for temporary volumes is not one of driver ${driver} on ${source.cluster.name}, which has the snapshots.`;
    return { className: undefined, findings: [finding(message)] };
  }
  const own = fits.find(({ name }) => name === storageClass);
  const taken = own ?? fits.find(({ bindingMode }) => bindingMode === 'Immediate') ?? fits[0];
  if (taken !== undefined) return { className: taken.name, findings: [] };
  // A surface that may not list classes says so itself; the class of the volume is then the best guess.
  if (storageClass !== undefined && (source.unread ?? []).some(({ resource }) => resource === 'storageclasses')) {
    return { className: storageClass, findings: [] };
  }
  const message = `Driver ${driver} has no storage class on ${source.cluster.name}, so no volume can be made from its snapshots.`;
  return { className: undefined, findings: [finding(message)] };
}

/**
 * Volumes of one driver in one namespace are snapshotted at the same time where that is served. Warm rounds only: the last round is read when
 * nothing writes any more, and is of one time by itself.
 */
export function groupTogether(volumes: PlannedVolume[], source: Surface): Finding[] {
  const findings: Finding[] = [];
  const snapshotted = volumes.filter(({ read }) => read === 'Snapshot');
  for (const [namespace, list] of Map.groupBy(snapshotted, (volume) => volume.source.namespace)) {
    if (list.length < 2) continue;
    const alone: string[] = [];
    for (const [driver, together] of Map.groupBy(list, (volume) => volume.source.driver ?? '')) {
      const { chosen } = bestOf(source.groupSnapshotClasses ?? [], driver);
      if (chosen === undefined) alone.push(...together.map((volume) => volume.source.claim));
      else if (together.length > 1) for (const volume of together) volume.groupSnapshotClass = chosen.name;
    }
    if (alone.length < 2) continue;
    findings.push({
      id: 'SnapshotsOneByOne',
      severity: 'info',
      subject: { group: '', kind: 'Namespace', name: namespace },
      message: `${alone.length} volumes of ${namespace} are snapshotted one after the other: their drivers have no VolumeGroupSnapshotClass on ${source.cluster.name}. Warm rounds are then not of one time; the last round, when the application is stopped, is.`,
      proof: 'read',
    });
  }
  return findings;
}
