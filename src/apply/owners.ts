/** Owner references with the uids of the target. Owners that come later are put in at the end. */
import { fieldAt, find, listOf, textOf } from '../api/fields.ts';
import type { KubeObject } from '../api/object.ts';
import type { PlanStep } from '../api/plan.ts';
import type { KubeClient } from '../kube/index.ts';
import { ownerIds } from '../plan/index.ts';
import { sameOwners } from './write.ts';

/** The uids of what is on the target, by step id. */
export type Uids = Map<string, string>;

/** The manifest with all owners that are known; the others are left out for now. */
export function withOwners(step: PlanStep, uids: Uids): KubeObject {
  const references = listOf(step.manifest.metadata.ownerReferences);
  if (references.length === 0) return step.manifest;
  const manifest = structuredClone(step.manifest);
  for (const hit of find(manifest, 'metadata.ownerReferences[*]').toReversed()) {
    const uid = uidOf(hit.value, step, uids);
    if (uid === undefined) hit.remove();
    else for (const field of find(hit.value, 'uid')) field.set(uid);
  }
  if (listOf(manifest.metadata.ownerReferences).length === 0) delete manifest.metadata.ownerReferences;
  return manifest;
}

function uidOf(reference: unknown, step: PlanStep, uids: Uids): string | undefined {
  for (const id of ownerIds(reference, step.target.namespace)) {
    const uid = uids.get(id);
    if (uid !== undefined) return uid;
  }
  return undefined;
}

/** Steps whose objects have an owner among the steps. */
export function ownedSteps(steps: readonly PlanStep[]): PlanStep[] {
  return steps.filter((step) => step.action !== 'Exists' && listOf(step.manifest.metadata.ownerReferences).length > 0);
}

/** Reads the uids of owners that this run has not written itself. */
export async function readOwnerUids(client: KubeClient, steps: readonly PlanStep[], uids: Uids, signal: AbortSignal): Promise<void> {
  const byId = new Map(steps.map((step) => [step.id, step]));
  for (const step of ownedSteps(steps)) {
    for (const reference of listOf(step.manifest.metadata.ownerReferences)) {
      const owner = ownerIds(reference, step.target.namespace).flatMap((id) => byId.get(id) ?? [])[0];
      if (owner === undefined || uids.has(owner.id)) continue;
      const object = await client.get(owner.resource, owner.target.name, owner.target.namespace, { signal });
      if (object?.metadata.uid !== undefined) uids.set(owner.id, object.metadata.uid);
    }
  }
}

/** Gives an object the owners that did not exist when it was created. Nothing is sent when they are right already. */
export async function adopt(client: KubeClient, step: PlanStep, uids: Uids, signal: AbortSignal): Promise<void> {
  const owners = withOwners(step, uids).metadata.ownerReferences;
  if (owners === undefined) return;
  const { name, namespace } = step.target;
  const there = await client.get(step.resource, name, namespace, { signal });
  if (there === undefined || sameOwners(there.metadata.ownerReferences, owners)) return;
  const foreign = listOf(there.metadata.ownerReferences).filter(
    (reference) => !owners.some((owner) => owner.uid === textOf(fieldAt(reference, 'uid'))),
  );
  const body = { metadata: { ownerReferences: [...foreign, ...owners] } };
  await client.patch(step.resource, name, namespace, { type: 'merge', body }, { signal });
}
