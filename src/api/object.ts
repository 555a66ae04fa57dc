/** Kubernetes objects as they travel through us: raw JSON. A field that we do not know is still carried. */

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

export interface ObjectMeta {
  name: string;
  namespace?: string;
  uid?: string;
  resourceVersion?: string;
  generation?: number;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  ownerReferences?: OwnerReference[];
  finalizers?: string[];
  [field: string]: unknown;
}

export interface OwnerReference {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
  blockOwnerDeletion?: boolean;
}

export interface KubeObject {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta;
  [field: string]: unknown;
}

/** One served resource, as discovery names it. `group` is '' for the core group. */
export interface ResourceType {
  group: string;
  version: string;
  resource: string;
  kind: string;
  namespaced: boolean;
  verbs: readonly string[];
  /** All served versions of this group that have the resource, the preferred one first. */
  versions: readonly string[];
}

/** Names one object independent of version. `namespace` is absent for cluster-scoped objects. */
export interface ObjectRef {
  group: string;
  kind: string;
  namespace?: string;
  name: string;
}

/** A stable text of a ref, for maps and messages: `Deployment.apps shop/web`, `Namespace shop`. */
export function refText(ref: ObjectRef): string {
  const kind = ref.group === '' ? ref.kind : `${ref.kind}.${ref.group}`;
  return ref.namespace === undefined ? `${kind} ${ref.name}` : `${kind} ${ref.namespace}/${ref.name}`;
}

/** The ref of an object. */
export function refOf(object: KubeObject): ObjectRef {
  const slash = object.apiVersion.indexOf('/');
  const ref = { group: slash < 0 ? '' : object.apiVersion.slice(0, slash), kind: object.kind, name: object.metadata.name };
  return object.metadata.namespace === undefined ? ref : { ...ref, namespace: object.metadata.namespace };
}
