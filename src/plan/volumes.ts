/** Volumes: which class each gets on the target, and the claim that will be bound to the copy. How it is read: reading.ts. */
import type { Finding } from '../api/finding.ts';
import type { CapturedVolume } from '../api/captured.ts';
import { find, textOf } from '../api/fields.ts';
import type { KubeObject } from '../api/object.ts';
import { bytesOf } from '../api/quantity.ts';
import type { Mapping, PlannedVolume, Surface } from '../api/plan.ts';
import { removePaths, setField, type Draft } from './draft.ts';
import { chooseReading, type ReadOptions } from './reading.ts';
import { chooseClass } from './storage.ts';

export interface VolumePlan {
  volume: PlannedVolume;
  findings: Finding[];
}

/** @param draft the claim, already renamed and cleaned of server-set fields */
export function planVolume(
  source: CapturedVolume,
  draft: Draft,
  context: { mapping: Mapping; source: Surface; target: Surface; read: ReadOptions },
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

  keepCapacity(draft, source);

  const reading = chooseReading(source, origin, context.source, context.read);
  findings.push(...reading.findings);
  return {
    volume: {
      source,
      targetNamespace: manifest.metadata.namespace ?? source.namespace,
      targetClaim: manifest.metadata.name,
      targetStorageClass: choice.className,
      ...reading.how,
      claimManifest: manifest,
    },
    findings,
  };
}

/**
 * A volume may be larger than its claim asks for: drivers round up, and whoever fills a volume does not look at the claim. What the target makes
 * of the same request may be smaller.
 */
function keepCapacity(draft: Draft, source: CapturedVolume): void {
  const hit = find(draft.manifest, 'spec.resources.requests.storage')[0];
  if (hit !== undefined && bytesOf(hit.value) < source.capacityBytes) setField(draft, 'CapacityKept', hit, String(source.capacityBytes));
}

/** The same volume after transforms have changed its claim: its name and its class may be others, and it may be larger but not smaller. */
export function replanVolume({ volume, findings }: VolumePlan, draft: Draft, mapping: Mapping, target: Surface): VolumePlan {
  const { manifest, origin } = draft;
  keepCapacity(draft, volume.source);
  const named = textOf(find(manifest, 'spec.storageClassName')[0]?.value);
  const choice = chooseClass(named, mapping, target, origin);
  const others = findings.filter(({ id }) => !['StorageClassMissing', 'StorageClassDefault'].includes(id));
  return {
    volume: { ...volume, targetClaim: manifest.metadata.name, targetStorageClass: choice.className, claimManifest: manifest },
    findings: choice.finding === undefined ? others : [...others, choice.finding],
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

/** A claim that was never bound: it holds no data and is created as an object, right before the application that will bind it. */
export function isUnboundClaim(object: KubeObject, volumes: readonly CapturedVolume[]): boolean {
  const { namespace, name } = object.metadata;
  return object.kind === 'PersistentVolumeClaim' && !volumes.some((each) => each.namespace === namespace && each.claim === name);
}
