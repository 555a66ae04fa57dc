/** One planned object → the target. One create in the common case; everything else is an answer to a 409. */
import { setTimeout as sleep } from 'node:timers/promises';
import { canonicalJson, fieldAt, listOf, textOf } from '../api/fields.ts';
import { refText, type KubeObject } from '../api/object.ts';
import type { Outcome } from '../api/outcome.ts';
import type { PlanStep } from '../api/plan.ts';
import { TranshipError } from '../errors.ts';
import { isAlreadyExists, kubeDetails, passingReason, type KubeClient } from '../kube/index.ts';
import { MANIFEST_HASH_ANNOTATION, MIGRATION_ANNOTATION } from '../plan/index.ts';

export interface Writer {
  client: KubeClient;
  fieldManager: string;
  signal: AbortSignal;
}

export type Written = Pick<Outcome, 'result' | 'reason' | 'message'> & { object?: KubeObject };

/** Writes one object by its action. Throws what the server says when it does not take it. */
export async function writeStep(writer: Writer, step: PlanStep, manifest: KubeObject, hash: string): Promise<Written> {
  const marked: KubeObject = {
    ...manifest,
    metadata: { ...manifest.metadata, annotations: { ...manifest.metadata.annotations, [MANIFEST_HASH_ANNOTATION]: hash } },
  };
  if (step.action === 'Exists') return await look(writer, step);
  const { client, fieldManager, signal } = writer;
  try {
    return { result: 'Created', object: await client.create(step.resource, marked, { fieldManager, signal }) };
  } catch (error) {
    if (isAlreadyExists(error)) return await meet(writer, step, marked, hash, error);
    // Refused for another reason, but it may be there all the same: an API server looks at node ports, quotas and webhooks before it looks
    // whether the name is taken, and an unknown outcome may have been a success.
    const there = isFinalOrUnknown(error) ? await read(writer, step) : undefined;
    if (there === undefined) throw error;
    return await meet(writer, step, marked, hash, error);
  }
}

function isFinalOrUnknown(error: unknown): boolean {
  return passingReason(error) === undefined ? kubeDetails(error)?.status !== undefined : kubeDetails(error)?.outcome === 'unknown';
}

async function read({ client, signal }: Writer, step: PlanStep): Promise<KubeObject | undefined> {
  return await client.get(step.resource, step.target.name, step.target.namespace, { signal });
}

async function look(writer: Writer, step: PlanStep): Promise<Written> {
  const object = await read(writer, step);
  if (object === undefined) {
    return { result: 'Failed', reason: 'MissingOnTarget', message: `${refText(step.target)} does not exist on ${writer.client.name}.` };
  }
  return { result: 'Skipped', reason: 'AlreadyExists', message: 'It is on the target already and stays as it is there.', object };
}

/** The object is there already: ours from an earlier run, the cluster's own, or somebody else's. */
async function meet(writer: Writer, step: PlanStep, marked: KubeObject, hash: string, conflict: unknown): Promise<Written> {
  const there = await read(writer, step);
  // Gone between the two calls, or on its way out: the caller's retry makes it anew.
  if (there === undefined || there.metadata.deletionTimestamp !== undefined) throw beingDeleted(step, conflict);
  const { client, fieldManager, signal } = writer;
  const annotations = there.metadata.annotations ?? {};
  const migration = marked.metadata.annotations?.[MIGRATION_ANNOTATION];
  if (annotations[MIGRATION_ANNOTATION] === migration) {
    if (annotations[MANIFEST_HASH_ANNOTATION] === hash) return { result: 'Unchanged', object: there };
    return { result: 'Updated', object: await client.apply(step.resource, marked, { fieldManager, force: true, signal }) };
  }
  switch (step.action) {
    case 'Merge':
      return await merge(writer, step, marked, there);
    case 'Update':
      return { result: 'Updated', object: await client.apply(step.resource, marked, { fieldManager, force: true, signal }) };
    case 'Recreate':
      return await recreate(writer, step, marked, there);
    default:
      return {
        result: 'Failed',
        reason: 'AlreadyExists',
        message: `${refText(step.target)} came into being on ${client.name} after the plan was made, and is not ours.`,
      };
  }
}

function beingDeleted(step: PlanStep, cause: unknown): TranshipError {
  return new TranshipError('Conflict', `${refText(step.target)}: object is being deleted.`, {
    cause,
    details: { status: 409, reason: 'Conflict' },
  });
}

/** ServiceAccounts and bindings: what both sides have. The target wins where both say something. */
async function merge({ client, fieldManager, signal }: Writer, step: PlanStep, ours: KubeObject, theirs: KubeObject): Promise<Written> {
  const body: Record<string, unknown> = {};
  for (const list of ['secrets', 'imagePullSecrets']) {
    const names = (items: unknown) => listOf(items).flatMap((item) => textOf(fieldAt(item, 'name')) ?? []);
    const missing = names(ours[list]).filter((name) => !names(theirs[list]).includes(name));
    if (missing.length > 0) body[list] = [...listOf(theirs[list]), ...missing.map((name) => ({ name }))];
  }
  if (step.target.kind === 'ClusterRoleBinding') {
    const known = new Set(listOf(theirs['subjects']).map(canonicalJson));
    const missing = listOf(ours['subjects']).filter((subject) => !known.has(canonicalJson(subject)));
    if (missing.length === 0) return { result: 'Unchanged', object: theirs };
    const subjects = [...listOf(theirs['subjects']), ...missing];
    const patch = { type: 'merge' as const, body: { metadata: { resourceVersion: theirs.metadata.resourceVersion }, subjects } };
    return { result: 'Merged', object: await client.patch(step.resource, step.target.name, undefined, patch, { fieldManager, signal }) };
  }
  // Marks say whose creation an object is; this one is the target's.
  const { [MIGRATION_ANNOTATION]: migration, [MANIFEST_HASH_ANNOTATION]: hash, ...annotations } = ours.metadata.annotations ?? {};
  void [migration, hash];
  const metadata = {
    labels: added(ours.metadata.labels, theirs.metadata.labels),
    annotations: added(annotations, theirs.metadata.annotations),
  };
  if (metadata.labels !== undefined || metadata.annotations !== undefined) body.metadata = metadata;
  if (Object.keys(body).length === 0) return { result: 'Unchanged', object: theirs };
  const patch = { type: 'merge' as const, body: JSON.parse(JSON.stringify(body)) as unknown };
  const { name, namespace } = step.target;
  return { result: 'Merged', object: await client.patch(step.resource, name, namespace, patch, { fieldManager, signal }) };
}

function added(ours: Record<string, string> | undefined, theirs: Record<string, string> | undefined): Record<string, string> | undefined {
  const missing = Object.entries(ours ?? {}).filter(([key]) => theirs?.[key] === undefined);
  return missing.length === 0 ? undefined : Object.fromEntries(missing);
}

/** How often to look whether an object that must be made anew is gone. Bounded by the caller's retries. */
const GONE_POLL_MS = 100;
const GONE_TRIES = 100;

async function recreate(writer: Writer, step: PlanStep, marked: KubeObject, there: KubeObject): Promise<Written> {
  const { client, fieldManager, signal } = writer;
  const { name, namespace } = step.target;
  const uid = there.metadata.uid;
  await client.delete(step.resource, name, namespace, { signal, propagation: 'Foreground', ...(uid !== undefined && { uid }) });
  for (let tries = 0; tries < GONE_TRIES; tries += 1) {
    if ((await read(writer, step))?.metadata.uid !== uid) break;
    await sleep(GONE_POLL_MS, undefined, { signal });
  }
  return { result: 'Updated', reason: 'Recreated', object: await client.create(step.resource, marked, { fieldManager, signal }) };
}

/** True when both owner lists say the same. */
export function sameOwners(left: unknown, right: unknown): boolean {
  return canonicalJson(left ?? []) === canonicalJson(right ?? []);
}
