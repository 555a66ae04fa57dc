/** Volumes: which class each gets on the target, which snapshot class reads it on the source, and the claim that will be bound to the copy. */
import type { Finding } from '../api/finding.ts';
import type { CapturedVolume } from '../api/captured.ts';
import { find, textOf } from '../api/fields.ts';
import type { KubeObject } from '../api/object.ts';
import type { Mapping, PlannedVolume, Surface } from '../api/plan.ts';
import { removePaths, setField, type Draft } from './draft.ts';
import { chooseClass } from './storage.ts';

export interface VolumePlan {
  volume: PlannedVolume;
  findings: Finding[];
}

/** @param draft the claim, already renamed and cleaned of server-set fields */
export function planVolume(
  source: CapturedVolume,
  draft: Draft,
  context: { mapping: Mapping; source: Surface; target: Surface; allowLive: boolean },
): VolumePlan {
  const findings: Finding[] = [];
  const { manifest, origin } = draft;
  // Bound to our copy by name: a selector would only let the API server refuse the claim.
  removePaths(draft, 'ClaimSelector', ['spec.selector']);
  removePaths(draft, 'OwnerNotCarried', ['metadata.ownerReferences']);

  const named = textOf(find(manifest, 'spec.storageClassName')[0]?.value);
  const choice = chooseClass(named ?? source.storageClass, context.mapping, context.target, origin);
  if (choice.finding !== undefined) findings.push(choice.finding);
  if (choice.className !== undefined) setClass(draft, choice.className);
  const provisioner = context.target.storageClasses.find((each) => each.name === choice.className)?.provisioner;
  if (provisioner === 'kubernetes.io/no-provisioner') {
    findings.push({
      id: 'StorageClassWithoutProvisioner',
      severity: 'warn',
      subject: origin,
      message: `Storage class ${choice.className} makes no volumes by itself.`,
      fix: 'Have a free volume of the right size ready, or map to a class with a provisioner.',
      proof: 'read',
    });
  }

  const snapshot = chooseSnapshotClass(source, draft, context);
  findings.push(...snapshot.findings);
  return {
    volume: {
      source,
      targetNamespace: manifest.metadata.namespace ?? source.namespace,
      targetClaim: manifest.metadata.name,
      targetStorageClass: choice.className,
      snapshotClass: snapshot.className,
      read: snapshot.className === undefined ? 'Live' : 'Snapshot',
      claimManifest: manifest,
    },
    findings,
  };
}

function setClass(draft: Draft, className: string): void {
  const spec = draft.manifest.spec;
  const hit = find(draft.manifest, 'spec.storageClassName')[0];
  if (hit !== undefined) setField(draft, 'StorageClass', hit, className);
  else if (typeof spec === 'object' && spec !== null) {
    Object.assign(spec, { storageClassName: className });
    draft.changes.push({ rule: 'StorageClass', path: '/spec/storageClassName', to: className });
  }
}

function chooseSnapshotClass(
  volume: CapturedVolume,
  draft: Draft,
  context: { source: Surface; allowLive: boolean },
): { className: string | undefined; findings: Finding[] } {
  const { driver } = volume;
  const subject = draft.origin;
  const severity = context.allowLive ? 'warn' : 'block';
  const live = context.allowLive ? 'It is read live: not crash consistent while the application writes.' : '';
  if (driver === undefined) {
    const finding: Finding = {
      id: 'VolumeNotCsi',
      severity,
      subject,
      message: `Volume ${volume.persistentVolume} is not a CSI volume, so it cannot be snapshotted. ${live}`.trim(),
      fix: 'Read it live: --read live.',
      proof: 'read',
    };
    return { className: undefined, findings: [finding] };
  }
  const classes = context.source.snapshotClasses
    .filter((each) => each.driver === driver)
    .toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  const defaults = classes.filter((each) => each.isDefault);
  const chosen = defaults[0] ?? classes[0];
  if (chosen === undefined) {
    const finding: Finding = {
      id: 'SnapshotClassMissing',
      severity,
      subject,
      message: `Driver ${driver} has no snapshot class on ${context.source.cluster.name}. ${live}`.trim(),
      fix: 'Create a VolumeSnapshotClass for the driver, or read live: --read live.',
      proof: 'read',
    };
    return { className: undefined, findings: [finding] };
  }
  const rivals = defaults.length > 1 ? defaults : defaults.length === 0 ? classes : [];
  if (rivals.length < 2) return { className: chosen.name, findings: [] };
  const names = rivals.map((each) => each.name).join(', ');
  const finding: Finding = {
    id: 'SnapshotClassAmbiguous',
    severity: 'warn',
    subject,
    message: `Driver ${driver} has ${rivals.length} ${defaults.length > 1 ? 'default ' : ''}snapshot classes (${names}); ${chosen.name} is taken.`,
    fix: 'Mark exactly one as default.',
    proof: 'read',
  };
  return { className: chosen.name, findings: [finding] };
}

/** A claim that was never bound: it holds no data and is created as an object, right before the application that will bind it. */
export function isUnboundClaim(object: KubeObject, volumes: readonly CapturedVolume[]): boolean {
  const { namespace, name } = object.metadata;
  return object.kind === 'PersistentVolumeClaim' && !volumes.some((each) => each.namespace === namespace && each.claim === name);
}
