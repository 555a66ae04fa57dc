/** Reading whole collections, page by page. */
import type { KubeObject } from '../api/object.ts';
import type { Caller } from './call.ts';
import { callJson } from './call.ts';
import { TranshipError } from '../errors.ts';
import { kubeDetails } from './failures.ts';
import type { ListOptions, Resource } from './kube.ts';
import { collectionPath, versionPath, withQuery } from './paths.ts';

export interface Page {
  items: KubeObject[];
  resourceVersion: string;
  /** Token of the next page; absent on the last one. */
  next?: string;
}

/** A page of 500 large Secrets over a slow line takes its time: longer than a unary call, and counted per page. */
const PAGE_TIMEOUT_MS = 60_000;
const DEFAULT_LIMIT = 500;
/** Lists that expire again and again (a store that compacts all the time) must end with an error. */
const MAX_RESTARTS = 5;

/**
 * All objects of a collection.
 *
 * The pages of one list show one moment. When the server forgets that moment in between (410), the list starts again and what was
 * given already is skipped: every object comes once, the later ones as of the later moment.
 */
export async function* listObjects(caller: Caller, cluster: string, resource: Resource, options: ListOptions): AsyncGenerator<KubeObject> {
  const given = new Set<string>();
  let next: string | undefined;
  for (let restarts = 0; ;) {
    let page: Page;
    try {
      page = await readPage(caller, cluster, resource, options, next);
    } catch (error) {
      if (next === undefined || !isExpired(error) || ++restarts > MAX_RESTARTS) throw error;
      next = undefined;
      continue;
    }
    const single = next === undefined && page.next === undefined && given.size === 0;
    for (const item of page.items) {
      if (!single) {
        const key = keyOf(item);
        if (given.has(key)) continue;
        given.add(key);
      }
      yield item;
    }
    next = page.next;
    if (next === undefined) return;
  }
}

/** One page. Items get their apiVersion and kind, which built-in lists leave out. */
export async function readPage(caller: Caller, cluster: string, resource: Resource, options: ListOptions, next?: string): Promise<Page> {
  const where = options.namespace === undefined ? '' : ` in ${options.namespace}`;
  const answer = await callJson(
    caller,
    {
      method: 'GET',
      path: withQuery(collectionPath(resource, options.namespace), {
        labelSelector: options.labelSelector,
        fieldSelector: options.fieldSelector,
        limit: options.limit ?? DEFAULT_LIMIT,
        continue: next,
      }),
      repeatable: true,
      subject: { verb: 'list', what: `${resource.resource}${where}`, cluster, server: caller.transport.access.server },
    },
    { ...options, timeoutMs: options.timeoutMs ?? PAGE_TIMEOUT_MS },
  );
  const list = answer as { items?: KubeObject[] | null; metadata?: { resourceVersion?: string; continue?: string } }; // JSON border
  if (typeof list !== 'object' || list === null || list.metadata === undefined) {
    throw new TranshipError(
      'Unsupported',
      `Cluster ${cluster} answered to list ${resource.resource}${where} with something that is not a list.`,
    );
  }
  const apiVersion = versionPath(resource).replace(/^\/apis?\//, '');
  const items = (list.items ?? []).map((item) => (item.kind && item.apiVersion ? item : { ...item, apiVersion, kind: resource.kind }));
  const page: Page = { items, resourceVersion: list.metadata.resourceVersion ?? '' };
  return list.metadata.continue ? { ...page, next: list.metadata.continue } : page;
}

/** 410: the moment that a token or resourceVersion stands for is no longer kept. */
export function isExpired(error: unknown): boolean {
  return kubeDetails(error)?.status === 410;
}

/** Identity of an object inside one collection. */
export function keyOf(object: KubeObject): string {
  return `${object.metadata.namespace ?? ''}/${object.metadata.name}`;
}
