/** Pure: whose an object is. Every object that we make says so in a label, what the plan makes in an annotation. */
import { managedBy, managedByLabel, migrationLabel } from '../api/meta.ts';
import type { KubeObject } from '../api/object.ts';

/** On a volume in the middle of a move: the policy it had. */
export const policyAnnotation = 'tranship.io/reclaim-policy';
/** On a volume in the middle of a move: `namespace/claim` that it goes to. */
export const movingAnnotation = 'tranship.io/moving-to';

/** On a claim of the application while a group snapshot is taken: `MARK.GROUP`, what the group chooses it by. */
export const groupLabel = 'tranship.io/snapshot-group';

/** Labels that the sweep finds our things by. */
export function ownLabels(migration: string): Record<string, string> {
  return { [managedByLabel]: managedBy, [migrationLabel]: migration };
}

export function ownSelector(migration: string): string {
  return `${managedByLabel}=${managedBy},${migrationLabel}=${migration}`;
}

/** Did this migration make it? @param migration what the migration is called on the clusters: the value of its marks */
export function isOurs(object: KubeObject | undefined, migration: string): boolean {
  if (object === undefined) return false;
  const { labels, annotations } = object.metadata;
  return labels?.[migrationLabel] === migration || annotations?.[migrationLabel] === migration;
}

/** What to do about an object that stands where ours should be. @param mine our own mark */
export function hintAbout(object: KubeObject, mine: string): string {
  const theirs = object.metadata.labels?.[migrationLabel] ?? object.metadata.annotations?.[migrationLabel];
  if (theirs === undefined) return 'Choose another --name, or remove it.';
  // A mark may go on after the migration's name, which has no dot.
  const name = theirs.split('.', 1)[0] ?? theirs;
  if (name === mine.split('.', 1)[0]) {
    return `It belongs to another migration that is called ${name} too: choose another --name, or cancel that one where it was started.`;
  }
  return `It belongs to migration ${name}: tranship cancel ${name}, or wait for it.`;
}
