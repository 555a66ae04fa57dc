/** List, then watch for ever. What the stock client's informer gets wrong (one cut socket and it is over) is the reason for this file. */
import type { KubeObject } from '../api/object.ts';
import { TranshipError } from '../errors.ts';
import type { Caller } from './call.ts';
import { pause } from './deadline.ts';
import type { Subject } from './failures.ts';
import { connectionError, kubeDetails, statusError } from './failures.ts';
import type { ListOptions, Resource, WatchEvent } from './kube.ts';
import { jsonLines } from './lines.ts';
import { isExpired, keyOf, readPage } from './list.ts';
import { collectionPath, withQuery } from './paths.ts';
import { backoff } from './retry.ts';

/** The server ends each watch after about this time; spread, so that many watches do not come back at once. */
const WATCH_SECONDS = 240;
/** A server sends a bookmark about once a minute: longer silence means a dead line, and reconnecting costs one request. */
const SILENCE_MS = 150_000;

/** What is kept per object: enough to see changes over a new list and to tell of what is gone. */
interface Known {
  uid: string | undefined;
  resourceVersion: string | undefined;
  namespace: string | undefined;
  name: string;
}

export interface WatchTuning {
  silenceMs?: number;
  /** Milliseconds before try number `attempt` (1 and up) after a failure. */
  backoffMs?: (attempt: number) => number;
}

/**
 * ADDED for all there is, a BOOKMARK when that is complete, then changes for ever. After every new list (410) a BOOKMARK again.
 *
 * Objects of DELETED events that were missed and found by a new list hold only apiVersion, kind and the identifying metadata.
 * The first list fails as `list` does; later failures are waited out.
 */
export async function* watchObjects(
  caller: Caller,
  cluster: string,
  resource: Resource,
  options: ListOptions & { signal: AbortSignal },
  tuning: WatchTuning = {},
): AsyncGenerator<WatchEvent> {
  const { signal } = options;
  const known = new Map<string, Known>();
  const wait = tuning.backoffMs ?? ((attempt) => Math.min(30_000, backoff(attempt) * 2));
  let resourceVersion: string | undefined;
  let synced = false;
  let failures = 0;
  while (!signal.aborted) {
    try {
      if (resourceVersion === undefined) {
        const listed = await listAll(caller, cluster, resource, options);
        yield* differences(known, listed.objects, resource);
        resourceVersion = listed.resourceVersion;
        synced = true;
        yield bookmark(resource, resourceVersion);
      }
      for await (const event of stream(caller, cluster, resource, options, resourceVersion, tuning.silenceMs ?? SILENCE_MS)) {
        failures = 0;
        resourceVersion = event.object.metadata.resourceVersion ?? resourceVersion;
        remember(known, event);
        yield event;
      }
      // Ended by the server in good order. At once again, but never in a tight loop when a proxy ends every watch immediately.
      await pause(failures++ === 0 ? 0 : wait(failures), signal);
    } catch (error) {
      if (signal.aborted) return;
      if (isExpired(error)) resourceVersion = undefined;
      else if (!synced) throw error;
      failures++;
      const asked = (kubeDetails(error)?.retryAfterSeconds ?? 0) * 1000;
      try {
        await pause(isExpired(error) && failures === 1 ? 0 : Math.max(asked, wait(failures)), signal);
      } catch {
        return;
      }
    }
  }
}

/** All pages of one moment; a moment that expires in between is thrown away whole, because a watch must start from one. */
async function listAll(caller: Caller, cluster: string, resource: Resource, options: ListOptions) {
  for (let attempt = 1; ; attempt++) {
    const objects: KubeObject[] = [];
    let next: string | undefined;
    try {
      do {
        const page = await readPage(caller, cluster, resource, options, next);
        objects.push(...page.items);
        next = page.next;
        if (next === undefined) return { objects, resourceVersion: page.resourceVersion };
      } while (next !== undefined);
    } catch (error) {
      if (!isExpired(error) || attempt >= 5) throw error;
    }
  }
}

/** Pure but for `known`: the events that lead from what is known to what was listed. */
export function* differences(known: Map<string, Known>, objects: KubeObject[], resource: Resource): Generator<WatchEvent> {
  const listed = new Set(objects.map(keyOf));
  for (const [key, gone] of known) {
    if (listed.has(key)) continue;
    known.delete(key);
    yield { type: 'DELETED', object: remains(gone, resource) };
  }
  for (const object of objects) {
    const before = known.get(keyOf(object));
    known.set(keyOf(object), knownOf(object));
    if (before === undefined) yield { type: 'ADDED', object };
    else if (before.uid !== object.metadata.uid) {
      // Deleted and made again while we did not look: followers of the old uid must hear of its end.
      yield { type: 'DELETED', object: remains(before, resource) };
      yield { type: 'ADDED', object };
    } else if (before.resourceVersion !== object.metadata.resourceVersion) yield { type: 'MODIFIED', object };
  }
}

async function* stream(
  caller: Caller,
  cluster: string,
  resource: Resource,
  options: ListOptions & { signal: AbortSignal },
  resourceVersion: string,
  silenceMs: number,
): AsyncGenerator<WatchEvent> {
  const where = options.namespace === undefined ? '' : ` in ${options.namespace}`;
  const subject: Subject = { verb: 'watch', what: `${resource.resource}${where}`, cluster, server: caller.transport.access.server };
  const path = withQuery(collectionPath(resource, options.namespace), {
    watch: true,
    allowWatchBookmarks: true,
    resourceVersion,
    timeoutSeconds: Math.round(WATCH_SECONDS * (1 + Math.random() / 4)),
    labelSelector: options.labelSelector,
    fieldSelector: options.fieldSelector,
  });
  try {
    const answer = await caller.transport.send(
      { method: 'GET', path },
      { signal: options.signal, lane: 'watches', bodyTimeoutMs: silenceMs },
    );
    if (answer.statusCode !== 200) {
      const text = await answer.body.text();
      if (answer.statusCode === 401) caller.transport.access.credentials.refused();
      throw statusError(answer.statusCode, text, subject);
    }
    for await (const line of jsonLines(answer.body)) yield readEvent(line, subject);
  } catch (error) {
    throw connectionError(error, subject, false);
  }
}

function readEvent(line: unknown, subject: Subject): WatchEvent {
  const event = line as { type?: string; object?: KubeObject & { code?: number } }; // JSON border
  if (event.object === undefined)
    throw new TranshipError('Unreachable', `Cluster ${subject.cluster} sent a watch event without an object.`);
  if (event.type === 'ERROR') throw statusError(event.object.code ?? 500, JSON.stringify(event.object), subject);
  const { type } = event;
  if (type === 'ADDED' || type === 'MODIFIED' || type === 'DELETED' || type === 'BOOKMARK') return { type, object: event.object };
  throw new TranshipError('Unreachable', `Cluster ${subject.cluster} sent a watch event of unknown type ${String(type)}.`);
}

function remember(known: Map<string, Known>, { type, object }: WatchEvent): void {
  if (type === 'DELETED') known.delete(keyOf(object));
  else if (type !== 'BOOKMARK') known.set(keyOf(object), knownOf(object));
}

function knownOf({ metadata }: KubeObject): Known {
  return { uid: metadata.uid, resourceVersion: metadata.resourceVersion, namespace: metadata.namespace, name: metadata.name };
}

function remains(gone: Known, resource: Resource): KubeObject {
  const { uid, resourceVersion, namespace, name } = gone;
  const metadata = {
    name,
    ...(namespace !== undefined && { namespace }),
    ...(uid !== undefined && { uid }),
    ...(resourceVersion !== undefined && { resourceVersion }),
  };
  return { apiVersion: apiVersionOf(resource), kind: resource.kind, metadata };
}

function bookmark(resource: Resource, resourceVersion: string): WatchEvent {
  return { type: 'BOOKMARK', object: { apiVersion: apiVersionOf(resource), kind: resource.kind, metadata: { name: '', resourceVersion } } };
}

function apiVersionOf(resource: Resource): string {
  return resource.group === '' ? resource.version : `${resource.group}/${resource.version}`;
}
