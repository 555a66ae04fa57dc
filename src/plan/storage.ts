/** Storage classes: which one a claim gets on the target, and what stands against it. */
import type { Finding } from '../api/finding.ts';
import { everyField, fieldAt, find, podTemplateOf, textOf, type Hit } from '../api/fields.ts';
import type { KubeObject, ObjectRef } from '../api/object.ts';
import type { Mapping, Surface, SurfaceStorageClass } from '../api/plan.ts';
import { isBuiltInGroup } from '../api/served.ts';
import { setField, type Draft } from './draft.ts';

export interface ClassChoice {
  /** Undefined: the field stays away and the target's default class decides, or there is none (then there is a finding). */
  className: string | undefined;
  finding?: Finding;
}

/** A default class among the target's: the API server takes the newest of several, which a surface cannot know; we take the first by name. */
export function defaultClass(target: Surface): SurfaceStorageClass | undefined {
  return target.storageClasses.filter((each) => each.isDefault).toSorted((a, b) => (a.name < b.name ? -1 : 1))[0];
}

function known(target: Surface): string {
  const names = target.storageClasses.map((each) => each.name).toSorted();
  return names.length === 0 ? 'The target has no storage class.' : `The target has: ${names.join(', ')}.`;
}

/**
 * The class of a claim (or claim template) on the target. `wanted` as the source has it: undefined or '' means "no class named".
 * A mapping wins, then the class of the same name, and for claims without a class the target's default.
 */
export function chooseClass(wanted: string | undefined, mapping: Mapping, target: Surface, subject: ObjectRef): ClassChoice {
  const has = (name: string) => target.storageClasses.some((each) => each.name === name);
  const mapped = mapping.storageClasses[wanted ?? ''];
  if (mapped !== undefined) {
    if (has(mapped)) return { className: mapped };
    return {
      className: mapped,
      finding: {
        id: 'StorageClassMissing',
        severity: 'block',
        subject,
        message: `Storage class ${wanted ?? ''} is mapped to ${mapped}, which does not exist on ${target.cluster.name}. ${known(target)}`,
        fix: 'Map it to a class that exists.',
        proof: 'read',
      },
    };
  }
  if (wanted !== undefined && wanted !== '') {
    if (has(wanted)) return { className: wanted };
    return {
      className: wanted,
      finding: {
        id: 'StorageClassMissing',
        severity: 'block',
        subject,
        message: `Storage class ${wanted} does not exist on ${target.cluster.name}. ${known(target)}`,
        fix: `Map it with --map-storage-class ${wanted}=CLASS.`,
        proof: 'read',
      },
    };
  }
  const fallback = defaultClass(target);
  if (fallback !== undefined) {
    return {
      className: fallback.name,
      finding: {
        id: 'StorageClassDefault',
        severity: 'info',
        subject,
        message: `No storage class is named; the default class of ${target.cluster.name}, ${fallback.name}, is taken.`,
        proof: 'read',
      },
    };
  }
  return {
    className: undefined,
    finding: {
      id: 'StorageClassMissing',
      severity: 'block',
      subject,
      message: `No storage class is named, and ${target.cluster.name} has no default class. ${known(target)}`,
      fix: 'Give the target a default class, or map the empty name: --map-storage-class =CLASS.',
      proof: 'read',
    },
  };
}

/** Where an object names a storage class: claims, claim templates, ephemeral volumes, and custom resources by the field's usual names. */
export function classFields(object: KubeObject, group: string): Hit[] {
  if (object.kind === 'PersistentVolumeClaim' && group === '') return find(object, 'spec.storageClassName');
  const hits = object.kind === 'StatefulSet' ? find(object, 'spec.volumeClaimTemplates[*].spec.storageClassName') : [];
  const pods = podTemplateOf(object);
  if (pods !== undefined) {
    hits.push(...find(pods.template, 'spec.volumes[*].ephemeral.volumeClaimTemplate.spec.storageClassName', pods.pointer));
  }
  if (isBuiltInGroup(group)) return hits;
  return [...everyField(object.spec, '/spec')].filter(
    (field) => (field.key === 'storageClassName' || field.key === 'storageClass') && textOf(field.value) !== undefined,
  );
}

/** Writes the target's classes into an object; says what is missing. Claims with a volume are planned in volumes.ts. */
export function mapStorageClasses(draft: Draft, mapping: Mapping, source: Surface, target: Surface): Finding[] {
  const { group } = draft.captured.resource;
  const findings: Finding[] = [];
  const custom = !isBuiltInGroup(group);
  for (const hit of classFields(draft.manifest, group)) {
    const wanted = textOf(hit.value) ?? '';
    // In a custom resource the field may mean something else: only a name that the source knows as a class is one.
    if (custom && !source.storageClasses.some((each) => each.name === wanted)) continue;
    const choice = chooseClass(wanted, mapping, target, draft.origin);
    if (choice.finding !== undefined) findings.push(choice.finding);
    if (choice.className !== undefined) setField(draft, 'StorageClass', hit, choice.className);
  }
  // Templates without a class take the default of the cluster they run in; without one their next claim would wait for ever.
  const silent = find(draft.manifest, 'spec.volumeClaimTemplates[*].spec').some(
    (hit) => fieldAt(hit.value, 'storageClassName') === undefined,
  );
  if (draft.manifest.kind === 'StatefulSet' && silent) {
    const choice = chooseClass(undefined, mapping, target, draft.origin);
    if (choice.finding?.severity === 'block') findings.push(choice.finding);
  }
  return findings;
}
