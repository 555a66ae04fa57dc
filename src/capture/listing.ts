/** Lists of all kinds: in parallel within bounds, page by page. A kind that is refused costs a finding; a server that fails ends the capture. */
import type { Finding } from '../api/finding.ts';
import type { KubeObject, ResourceType } from '../api/object.ts';
import { listAll, type Reader, type Refusal } from './reading.ts';

/** Lists in flight at once: enough to hide the way to the server, few enough to stay below its fair share for one client. */
const PARALLEL = 8;

/**
 * Kinds that decide about data: what holds it, what writes it, and what is stopped for the last copy. A move that does not see them could
 * "succeed" without its volumes, or copy below a running application; so it must not start.
 */
const DECIDING: ReadonlySet<string> = new Set([
  'persistentvolumeclaims',
  'persistentvolumes',
  'pods',
  'secrets',
  'configmaps',
  'replicationcontrollers',
  'deployments.apps',
  'statefulsets.apps',
  'daemonsets.apps',
  'replicasets.apps',
  'jobs.batch',
  'cronjobs.batch',
]);

export interface Listed {
  type: ResourceType;
  objects: KubeObject[];
}

/**
 * Runs `work` on every item, at most `PARALLEL` at once, results in the order of the items. The first error ends all: nothing new is begun,
 * and the signal that the others were given aborts, so that nobody waits on behind a failed caller.
 */
export async function inParallel<Item, Result>(
  items: readonly Item[],
  signal: AbortSignal,
  work: (item: Item, signal: AbortSignal) => Promise<Result>,
): Promise<Result[]> {
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  const results: Result[] = [];
  const queue = items.entries();
  const run = async () => {
    for (const [index, item] of queue) {
      if (stop.signal.aborted) return;
      results[index] = await work(item, either);
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(PARALLEL, items.length) }, run));
  } finally {
    stop.abort();
  }
  return results;
}

/** @throws when the server fails on any list for longer than the reader's patience */
export async function listKinds(
  reader: Reader,
  types: readonly ResourceType[],
  namespaces: readonly string[],
  onProgress?: (objects: number) => void,
): Promise<{ listed: Listed[]; findings: Finding[] }> {
  const findings: Finding[] = [];
  let count = 0;
  const tasks = types.flatMap((type) => namespaces.map((namespace) => ({ type, namespace })));
  const listed = await inParallel(tasks, reader.signal, async ({ type, namespace }, signal): Promise<Listed> => {
    const reading = await listAll({ ...reader, signal }, type, namespace);
    if ('refusal' in reading) {
      findings.push(notRead(type, namespace, reading.refusal));
      return { type, objects: [] };
    }
    count += reading.value.length;
    onProgress?.(count);
    return { type, objects: reading.value };
  });
  return { listed, findings };
}

/** `deployments.apps`, as kubectl names it. */
export function resourceName({ group, resource }: Pick<ResourceType, 'group' | 'resource'>): string {
  return group === '' ? resource : `${resource}.${group}`;
}

export function decidesAboutData(type: Pick<ResourceType, 'group' | 'resource'>): boolean {
  return DECIDING.has(resourceName(type));
}

function notRead(type: ResourceType, namespace: string, { reason, sentence }: Refusal): Finding {
  const what = resourceName(type);
  const forbidden = reason === 'Forbidden';
  return {
    id: forbidden ? 'KindForbidden' : 'KindNotReadable',
    severity: decidesAboutData(type) ? 'block' : 'unknown',
    subject: { group: '', kind: 'Namespace', name: namespace },
    message: forbidden
      ? `Our credential may not list ${what} in ${namespace}; if there are any, they do not move.`
      : `${what} in ${namespace} could not be read: ${sentence}`,
    fix: forbidden ? `Grant list on ${what}.` : 'Repair the API server that serves them, or remove its APIService.',
    proof: 'asked',
  };
}
