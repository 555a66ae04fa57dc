/**
 * Reading that never takes a bad moment of the server for "there is nothing": only a clear answer about one kind (we may not, it is not served,
 * its own server is gone) is a refusal that the caller can report and go on. Everything else is tried again for a while, and then thrown.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { KubeObject, ResourceType } from '../api/object.ts';
import { isBuiltInGroup } from '../api/served.ts';
import { codeOf, sentenceOf, TranshipError } from '../errors.ts';
import { kubeDetails, type Discovery, type KubeClient } from '../kube/index.ts';

export type RefusalReason = 'Forbidden' | 'NotServed' | 'GroupBroken';

export interface Refusal {
  reason: RefusalReason;
  /** The server's words. */
  sentence: string;
}

export type Reading<Value> = { value: Value } | { refusal: Refusal };

export interface Reader {
  client: KubeClient;
  signal: AbortSignal;
  /** Groups whose discovery is broken: an aggregated API without its server. */
  broken: ReadonlySet<string>;
  /** How long a failure that may pass is waited for, in milliseconds. Default 20 s: an API server's restart, an election of etcd. */
  patienceMs?: number;
}

const PATIENCE_MS = 20_000;
const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 4_000;

/** Statuses by which a server says that it could not answer now. 500 is also how it passes on `etcdserver: leader changed`. */
const PASSING: ReadonlySet<number> = new Set([408, 410, 429, 500, 502, 503, 504]);

/** All objects of a kind, in one namespace or everywhere. @throws when the server fails for longer than our patience */
export async function listAll(reader: Reader, type: ResourceType, namespace?: string): Promise<Reading<KubeObject[]>> {
  return await persist(reader, type.group, async () => {
    const objects: KubeObject[] = [];
    const { client, signal } = reader;
    for await (const object of client.list(type, namespace === undefined ? { signal } : { signal, namespace })) objects.push(object);
    return objects;
  });
}

/** One object; `value` is undefined when it does not exist. @throws as `listAll` */
export async function readOne(
  reader: Reader,
  type: Pick<ResourceType, 'group' | 'version' | 'resource' | 'namespaced' | 'kind'>,
  name: string,
  namespace?: string,
): Promise<Reading<KubeObject | undefined>> {
  return await persist(reader, type.group, async () => await reader.client.get(type, name, namespace, { signal: reader.signal }));
}

async function persist<Value>(reader: Reader, group: string, read: () => Promise<Value>): Promise<Reading<Value>> {
  const { signal, patienceMs = PATIENCE_MS } = reader;
  const end = Date.now() + patienceMs;
  for (let attempt = 0; ; attempt += 1) {
    try {
      return { value: await read() };
    } catch (error) {
      if (signal.aborted) throw error;
      const reason = refusalOf(error, reader.broken.has(group));
      if (reason !== undefined) return { refusal: { reason, sentence: sentenceOf(error) } };
      if (!mayPass(error)) throw error;
      if (Date.now() >= end) {
        if (await hasBroken(reader, group, error)) return { refusal: { reason: 'GroupBroken', sentence: sentenceOf(error) } };
        throw lasting(error, patienceMs);
      }
    }
    await sleep(Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** attempt, Math.max(0, end - Date.now())), undefined, { signal });
  }
}

/** Pure: what a failure says about one kind; undefined when it says something about the server or the way to it. */
export function refusalOf(error: unknown, groupBroken: boolean): RefusalReason | undefined {
  const status = kubeDetails(error)?.status;
  if (status === 403) return 'Forbidden';
  if (status === 404 || status === 405) return 'NotServed';
  return status === 503 && groupBroken ? 'GroupBroken' : undefined;
}

/** Pure: could the same question get an answer a little later? */
export function mayPass(error: unknown): boolean {
  const status = kubeDetails(error)?.status;
  if (status !== undefined) return PASSING.has(status);
  return ['Unreachable', 'TimedOut'].includes(codeOf(error));
}

/** The server behind an aggregated group may have gone after we read the discovery. */
async function hasBroken({ client, signal }: Reader, group: string, error: unknown): Promise<boolean> {
  if (kubeDetails(error)?.status !== 503 || isBuiltInGroup(group)) return false;
  return (await client.discover({ refresh: true, signal })).broken.some((each) => each.group === group);
}

function lasting(error: unknown, patienceMs: number): TranshipError {
  const sentence = error instanceof Error ? error.message : sentenceOf(error);
  return new TranshipError(codeOf(error), `${sentence} It was tried for ${Math.round(patienceMs / 1000)} s.`, {
    hint: 'What cannot be read would be left behind, so nothing goes on without it. Try again when the server answers.',
    cause: error,
    details: kubeDetails(error),
  });
}

/**
 * The discovery with all groups that the API server serves itself: read group by group, one of them may have failed in a bad moment, and its
 * kinds would be missing without a word. Groups of other servers may stay broken; the capture says so.
 * @throws Unreachable when a group of the server itself stays unreadable
 */
export async function discoverWhole(client: KubeClient, signal: AbortSignal, patienceMs = PATIENCE_MS): Promise<Discovery> {
  const end = Date.now() + patienceMs;
  for (let attempt = 0; ; attempt += 1) {
    const discovery = await client.discover({ signal, refresh: attempt > 0 });
    const own = discovery.broken.find(({ group }) => isBuiltInGroup(group));
    if (own === undefined) return discovery;
    if (Date.now() >= end) {
      throw new TranshipError('Unreachable', `${client.name} can't say what it serves in the group ${own.group}: ${own.message}`);
    }
    await sleep(Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** attempt), undefined, { signal });
  }
}
