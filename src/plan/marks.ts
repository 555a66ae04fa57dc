/** The marks that we leave on objects and read from them. */
import { find, recordOf } from '../api/fields.ts';
import { group, migrationLabel, replicasAnnotation } from '../api/meta.ts';
import { setField, type Draft } from './draft.ts';

/** On a source workload that we stopped: the replica count it had, or for a CronJob its suspend flag. */
export const REPLICAS_ANNOTATION = replicasAnnotation;
/** On everything that we create on a target: the name of the migration. */
export const MIGRATION_ANNOTATION = migrationLabel;
/** On everything that we create on a target: SHA-256 of the manifest it was made from. */
export const MANIFEST_HASH_ANNOTATION = `${group}/manifest-hash`;

const ours = (name: string) => name.startsWith(`${group}/`);

/** Which field a freeze sets, by kind; what it had is in the annotation, as JSON. */
const FROZEN_FIELDS: Readonly<Record<string, string>> = { CronJob: 'suspend', Job: 'suspend' };

/** Takes back what a freeze of the source did to a workload, and removes every mark of ours that came along. */
export function takeMarks(draft: Draft): void {
  const { manifest } = draft;
  const before = manifest.metadata.annotations?.[REPLICAS_ANNOTATION];
  if (before !== undefined) {
    const hit = find(manifest, `spec.${FROZEN_FIELDS[manifest.kind] ?? 'replicas'}`)[0];
    const value = parse(before);
    if (hit !== undefined && (typeof value === 'number' || typeof value === 'boolean')) setField(draft, 'StoppedByUs', hit, value);
  }
  // DaemonSets are stopped by a node label that no node has.
  for (const hit of find(manifest, 'spec.template.spec.nodeSelector')) {
    for (const label of Object.keys(recordOf(hit.value)).filter(ours)) delete recordOf(hit.value)[label];
    if (Object.keys(recordOf(hit.value)).length === 0) hit.remove();
  }
  for (const marks of [manifest.metadata.annotations, manifest.metadata.labels]) {
    for (const name of Object.keys(marks ?? {}).filter(ours)) delete marks?.[name];
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Says whose creation the object will be. */
export function markManifest(draft: Draft, migration: string): void {
  const { metadata } = draft.manifest;
  metadata.annotations = { ...metadata.annotations, [MIGRATION_ANNOTATION]: migration };
}
