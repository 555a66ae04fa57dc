/** Waiting until the application runs, with an account of what it waits for. */
import { setTimeout as sleep } from 'node:timers/promises';
import { isRecord } from '../api/fields.ts';
import { refText, type KubeObject, type ObjectRef } from '../api/object.ts';
import { TranshipError } from '../errors.ts';
import type { KubeClient } from '../kube/index.ts';
import { diagnose } from './diagnose.ts';
import { podsOf, restarting } from './pods.ts';
import { WAITED } from './readiness.ts';
import { Starts } from './starts.ts';

export interface ReadyOptions {
  timeoutMs: number;
  signal: AbortSignal;
  /** Called when what we wait for has changed: `Deployment.apps shop/web: 1 of 3 ready`. */
  onWaiting?: (text: string) => void;
  /**
   * All that is missing must have been hopeless for so long (an image that can't be pulled, configuration that is not there, pods that are
   * refused) before we stop waiting early. Default 30 s.
   */
  hopelessAfterMs?: number;
}

/** `details` of the error that `waitReady` throws. */
export interface NotReadyDetails {
  /**
   * False only when it is certain that no container of the application was ever started on this cluster: then nothing was written by it, and
   * the other side may be started again without losing anything.
   */
  everStarted: boolean;
  /** True when we have stopped waiting before the time was over. */
  hopeless: boolean;
  workloads: { ref: ObjectRef; missing: string; facts: string[] }[];
}

/** The details of an error of `waitReady`; undefined for other errors. */
export function notReadyDetails(error: unknown): NotReadyDetails | undefined {
  if (!(error instanceof TranshipError) || error.code !== 'TimedOut') return undefined;
  const { details } = error;
  return isRecord(details) && typeof details['everStarted'] === 'boolean' ? (details as unknown as NotReadyDetails) : undefined; // made below
}

/** Short, because every poll counts as downtime; one get per workload, and one list of pods for those that say they are ready. */
const POLL_MS = 250;
/** How often to look at all pods: what starts fast is never looked at, what does not is not in a hurry. */
const LOOK_MS = 2_000;
const HOPELESS_MS = 30_000;

interface Looked {
  ref: ObjectRef;
  /** Undefined when the workload is ready. */
  missing: string | undefined;
  object: KubeObject | undefined;
}

/**
 * Waits until all workloads among `refs` are ready at the same moment, and none of them is between two crashes; other kinds are passed over.
 *
 * @throws TimedOut naming each workload that is not, and why: image, schedule, crash with its last log lines, pending claim, events.
 * Early when it is hopeless; `details` are NotReadyDetails in both cases.
 * @example catch (error) { if (notReadyDetails(error)?.everStarted === false) await startSourceAgain(); }
 */
export async function waitReady(client: KubeClient, refs: readonly ObjectRef[], options: ReadyOptions): Promise<void> {
  const { signal, timeoutMs, hopelessAfterMs = HOPELESS_MS } = options;
  const begin = Date.now();
  const end = begin + timeoutMs;
  const starts = new Starts(client, refs, signal);
  const lookEvery = Math.min(LOOK_MS, hopelessAfterMs);
  let nextLook = begin + lookEvery;
  let hopelessSince: number | undefined;
  const workloads = refs.filter((ref) => WAITED[`${ref.kind}.${ref.group}`] !== undefined);
  let told = '';
  for (;;) {
    const looked = await Promise.all(workloads.map(async (ref) => await look(client, ref, signal)));
    const waiting = looked.filter((each) => each.missing !== undefined);
    if (waiting.length === 0) return;
    const text = waiting.map(({ ref, missing }) => `${refText(ref)}: ${missing}`).join('; ');
    if (text !== told) options.onWaiting?.(text);
    told = text;
    for (const { object } of looked) starts.note(object);
    const late = Date.now() > end;
    if (Date.now() >= nextLook && !late) {
      await starts.look();
      const hopeless = await starts.allHopeless(waiting.map(({ object }) => object));
      hopelessSince = hopeless ? (hopelessSince ?? Date.now()) : undefined;
      nextLook = Date.now() + lookEvery;
    }
    const hopeless = hopelessSince !== undefined && Date.now() - hopelessSince >= hopelessAfterMs;
    if (late || hopeless) throw await notReady(client, waiting, { ms: Date.now() - begin, hopeless, starts, signal });
    await sleep(POLL_MS, undefined, { signal });
  }
}

async function look(client: KubeClient, ref: ObjectRef, signal: AbortSignal): Promise<Looked> {
  const waited = WAITED[`${ref.kind}.${ref.group}`];
  if (waited === undefined) return { ref, missing: undefined, object: undefined };
  const object = await client.get(waited.resource, ref.name, ref.namespace, { signal });
  const missing = object === undefined ? 'does not exist' : (waited.missing(object) ?? (await unsteady(client, object, signal)));
  return { ref, missing, object };
}

async function unsteady(client: KubeClient, object: KubeObject, signal: AbortSignal): Promise<string | undefined> {
  for (const pod of await podsOf(client, object, signal)) {
    const restarts = restarting(pod);
    if (restarts !== undefined) return restarts;
  }
  return undefined;
}

async function notReady(
  client: KubeClient,
  waiting: readonly Looked[],
  how: { ms: number; hopeless: boolean; starts: Starts; signal: AbortSignal },
): Promise<TranshipError> {
  const everStarted = await how.starts.everStarted();
  const workloads = await Promise.all(
    waiting.map(async ({ ref, missing = '', object }) => ({ ref, missing, facts: await diagnose(client, ref, object, how.signal) })),
  );
  const lines = workloads.flatMap(({ ref, missing, facts }) => [`${refText(ref)}: ${missing}.`, ...facts.map((fact) => `  ${fact}`)]);
  const after = `after ${Math.round(how.ms / 1000)} s`;
  const head = how.hopeless
    ? `Not ready on ${client.name} ${after}, and waiting longer will not help`
    : `Not ready on ${client.name} ${after}`;
  const details: NotReadyDetails = { everStarted, hopeless: how.hopeless, workloads };
  return new TranshipError('TimedOut', `${head}:\n${lines.join('\n')}`, {
    hint: 'Cure what is named above and resume; the objects stay where they are.',
    details,
  });
}
