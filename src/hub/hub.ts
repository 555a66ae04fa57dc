/** Where our own objects live. The embedded hub is one SQLite file; the cluster hub (CRDs) passes the same contract test. */
import type { KubeObject } from '../api/object.ts';

export type HubKind = 'Cluster' | 'Location' | 'Migration' | 'RestorePoint' | 'Secret' | 'Lease';

export interface HubEvent {
  type: 'ADDED' | 'MODIFIED' | 'DELETED';
  object: KubeObject;
}

/**
 * Same rules as the API server: `create` of an existing name and `update` with an old resourceVersion are Conflict errors; `update`
 * leaves `status` alone and raises `generation` when `spec` changed, `updateStatus` touches only `status`; `delete` with finalizers
 * only sets deletionTimestamp.
 */
export interface Hub {
  get(kind: HubKind, namespace: string, name: string): Promise<KubeObject | undefined>;
  list(kind: HubKind, namespace?: string): Promise<KubeObject[]>;
  create(object: KubeObject): Promise<KubeObject>;
  update(object: KubeObject): Promise<KubeObject>;
  updateStatus(object: KubeObject): Promise<KubeObject>;
  delete(kind: HubKind, namespace: string, name: string): Promise<boolean>;
  /** First ADDED for everything there is, then changes, also those that other processes make. */
  watch(kind: HubKind, signal: AbortSignal): AsyncIterable<HubEvent>;
  close(): Promise<void>;
}
