/**
 * A Kubernetes client that loses nothing: raw JSON in and out, one connection pool per cluster, names never changed.
 * See docs/adr for why it is our own.
 */
import type { Duplex, Readable, Writable } from 'node:stream';
import type { KubeObject, ResourceType } from '../api/object.ts';

/** How to address a resource. The constants in `resources.ts` name the built-in ones; discovery gives the rest. */
export type Resource = Pick<ResourceType, 'group' | 'version' | 'resource' | 'namespaced' | 'kind'>;

export interface CallOptions {
  signal?: AbortSignal;
  /** Whole-call deadline; default 30 s for unary calls. */
  timeoutMs?: number;
}

export interface ListOptions extends CallOptions {
  namespace?: string;
  labelSelector?: string;
  fieldSelector?: string;
  /** Page size, default 500. */
  limit?: number;
}

export interface WriteOptions extends CallOptions {
  dryRun?: boolean;
  fieldManager?: string;
}

export interface WatchEvent {
  type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';
  object: KubeObject;
}

export interface Discovery {
  resources: ResourceType[];
  /** Groups that could not be read, with the server's words. They cost one entry here, never the whole discovery. */
  broken: { group: string; message: string }[];
}

export interface ExecSession {
  stdin: Writable;
  stdout: Readable;
  stderr: Readable;
  /** Resolves with the exit code when the process ended and all output was delivered. */
  exit: Promise<{ code: number; message?: string }>;
  close(): void;
}

export interface KubeClient {
  /** Context or Cluster name, for messages. */
  readonly name: string;
  readonly server: string;
  /** uid of the namespace kube-system. */
  clusterId(options?: CallOptions): Promise<string>;
  version(options?: CallOptions): Promise<{ gitVersion: string; major: number; minor: number }>;
  /** Cached; `refresh` reads it again (after definitions changed). */
  discover(options?: CallOptions & { refresh?: boolean }): Promise<Discovery>;

  /** undefined when the object does not exist. */
  get(resource: Resource, name: string, namespace?: string, options?: CallOptions): Promise<KubeObject | undefined>;
  /** All objects, page by page, in the server's order. A 410 in the middle of paging starts the list again without doubles. */
  list(resource: Resource, options?: ListOptions): AsyncIterable<KubeObject>;
  /**
   * Lists, then watches for ever: reconnects, uses bookmarks, lists again on 410 (and then sends DELETED for what is gone).
   * Ends when the signal aborts.
   */
  watch(resource: Resource, options: ListOptions & { signal: AbortSignal }): AsyncIterable<WatchEvent>;

  create(resource: Resource, object: KubeObject, options?: WriteOptions): Promise<KubeObject>;
  replace(resource: Resource, object: KubeObject, options?: WriteOptions): Promise<KubeObject>;
  /** Server-side apply. */
  apply(resource: Resource, object: KubeObject, options: WriteOptions & { fieldManager: string; force?: boolean }): Promise<KubeObject>;
  patch(
    resource: Resource,
    name: string,
    namespace: string | undefined,
    patch: { type: 'merge'; body: unknown } | { type: 'json'; body: unknown[] },
    options?: WriteOptions & { subresource?: string },
  ): Promise<KubeObject>;
  /** False when it was not there. */
  delete(
    resource: Resource,
    name: string,
    namespace?: string,
    options?: CallOptions & { propagation?: 'Foreground' | 'Background' | 'Orphan'; uid?: string; gracePeriodSeconds?: number },
  ): Promise<boolean>;

  exec(
    target: { namespace: string; pod: string; container?: string; command: string[]; stdin?: boolean },
    options?: CallOptions,
  ): Promise<ExecSession>;
  logs(
    target: { namespace: string; pod: string; container?: string; tailLines?: number; previous?: boolean },
    options?: CallOptions,
  ): Promise<string>;
  portForward(target: { namespace: string; pod: string; port: number }, options?: CallOptions): Promise<Duplex>;

  /** SelfSubjectAccessReview: may we? */
  can(
    verb: string,
    resource: Pick<Resource, 'group' | 'resource'> & { subresource?: string; namespace?: string; name?: string },
    options?: CallOptions,
  ): Promise<boolean>;
  /** Any request, for what has no verb of its own. Errors are TranshipErrors with the server's Status as details. */
  request(
    method: string,
    path: string,
    options?: CallOptions & { body?: unknown; contentType?: string; accept?: string },
  ): Promise<unknown>;
  /** Warnings that the server sent with answers since the last call, without doubles. */
  takeWarnings(): string[];
  close(): Promise<void>;
}
