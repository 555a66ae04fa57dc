/**
 * Pure: which pods of the source stop when the application is frozen, and which nobody can stop. What stops a pod is its topmost owner: scaling
 * down what an operator's custom resource owns would only make the operator scale it up again.
 */
import type { Captured, UnstoppablePod } from '../api/captured.ts';
import { byText, fieldAt, find, textOf } from '../api/fields.ts';
import { managedBy, managedByLabel } from '../api/meta.ts';
import { refOf, refText, type KubeObject, type ObjectRef, type OwnerReference } from '../api/object.ts';
import { EXCLUDE_LABEL } from './leave-behind.ts';

/** `Kind.group` of what a freeze can stop. The group counts: a StatefulSet of apps.kruise.io is another thing than one of apps. */
const STOPPABLE: ReadonlySet<string> = new Set([
  'Deployment.apps',
  'StatefulSet.apps',
  'DaemonSet.apps',
  'ReplicaSet.apps',
  'ReplicationController.',
  'CronJob.batch',
  'Job.batch',
]);

/** Chains are short (CronJob, Job, pod); a circle of owners must end. */
const LONGEST_CHAIN = 10;

/** Can a freeze stop an object of this group and kind, if no controller owns it? */
export function isStoppable({ group, kind }: Pick<ObjectRef, 'group' | 'kind'>): boolean {
  return STOPPABLE.has(`${kind}.${group}`);
}

export function controllerOf(object: KubeObject): OwnerReference | undefined {
  return object.metadata.ownerReferences?.find((owner) => owner.controller === true);
}

export function ownerRef({ apiVersion, kind, name }: OwnerReference, namespace: string | undefined): ObjectRef {
  return refOf({ apiVersion, kind, metadata: namespace === undefined ? { name } : { name, namespace } });
}

function claimsOf(pod: KubeObject): string[] {
  return find(pod, 'spec.volumes[*].persistentVolumeClaim.claimName')
    .flatMap(({ value }) => textOf(value) ?? [])
    .toSorted(byText);
}

const isExcluded = (object: KubeObject) => object.metadata.labels?.[EXCLUDE_LABEL] === 'true';

/** Runs, or is going to, and is not one of ours. */
function isAlive(pod: KubeObject): boolean {
  const ended = ['Succeeded', 'Failed'].includes(textOf(fieldAt(pod, 'status', 'phase')) ?? '');
  return !ended && pod.metadata.labels?.[managedByLabel] !== managedBy;
}

/**
 * Must this pod be gone before the last copy? Not when it has ended, is ours, was excluded by the user, or has neither a controller nor a
 * claim: then nobody stops it, and it writes to nothing that moves.
 * @example if (mustStop(pod, captured)) left.push(pod.metadata.name);
 */
export function mustStop(pod: KubeObject, captured: Pick<Captured, 'keptRunning'> = {}): boolean {
  if (!isAlive(pod)) return false;
  const controller = controllerOf(pod);
  if (controller === undefined && claimsOf(pod).length === 0) return false;
  const kept = captured.keptRunning ?? [];
  return ![pod.metadata.uid, controller?.uid].some((uid) => uid !== undefined && kept.includes(uid));
}

export interface Stopping {
  unstoppable: UnstoppablePod[];
  keptRunning: string[];
}

/**
 * @param pods all pods of the namespaces
 * @param known everything that was read: the owners are found in it by their uids
 * @param selected uids of the objects that move
 * @param movingClaims `namespace/name` of the claims that move
 */
export function judgeStopping(
  pods: readonly KubeObject[],
  known: ReadonlyMap<string, KubeObject>,
  selected: ReadonlySet<string>,
  movingClaims: ReadonlySet<string>,
): Stopping {
  const unstoppable: UnstoppablePod[] = [];
  const keptRunning = new Set<string>();
  for (const pod of pods) {
    // One that is on its way out needs nobody to stop it.
    if (!mustStop(pod) || pod.metadata.deletionTimestamp !== undefined) continue;
    const { owners, top, objects } = chainOf(pod, known);
    const reason = reasonOf(owners, top, selected);
    if (reason === undefined) continue;
    const entry = { pod: refOf(pod), owners, claims: claimsOf(pod) };
    if (![pod, ...objects].some(isExcluded)) unstoppable.push({ ...entry, reason });
    else if (entry.claims.some((claim) => movingClaims.has(`${pod.metadata.namespace ?? ''}/${claim}`))) {
      unstoppable.push({ ...entry, reason: 'ExcludedWithClaim' });
    } else {
      // The next pod of an excluded controller has another uid.
      for (const uid of [pod.metadata.uid, objects.some(isExcluded) ? controllerOf(pod)?.uid : undefined]) {
        if (uid !== undefined) keptRunning.add(uid);
      }
    }
  }
  return {
    unstoppable: unstoppable.toSorted((a, b) => byText(refText(a.pod), refText(b.pod))),
    keptRunning: [...keptRunning].toSorted(byText),
  };
}

/** The owners of a pod from its controller upwards; `top` is undefined when the last of them is not known. */
function chainOf(
  pod: KubeObject,
  known: ReadonlyMap<string, KubeObject>,
): { owners: ObjectRef[]; top: KubeObject | undefined; objects: KubeObject[] } {
  const owners: ObjectRef[] = [];
  const objects: KubeObject[] = [];
  for (let here = pod; owners.length < LONGEST_CHAIN;) {
    const reference = controllerOf(here);
    if (reference === undefined) return { owners, top: here, objects };
    const owner = known.get(reference.uid);
    owners.push(owner === undefined ? ownerRef(reference, pod.metadata.namespace) : refOf(owner));
    if (owner === undefined) break;
    objects.push(owner);
    here = owner;
  }
  return { owners, top: undefined, objects };
}

function reasonOf(
  owners: readonly ObjectRef[],
  top: KubeObject | undefined,
  selected: ReadonlySet<string>,
): UnstoppablePod['reason'] | undefined {
  const last = owners.at(-1);
  if (last === undefined) return 'NoController';
  if (!isStoppable(last)) return 'OwnerNotStoppable';
  if (top === undefined) return 'OwnerUnknown';
  return selected.has(top.metadata.uid ?? '') ? undefined : 'OwnerNotSelected';
}
