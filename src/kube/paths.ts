/** Pure: URLs of resources. Names are encoded and otherwise left alone: RBAC names may hold colons and capital letters. */
import { TranshipError } from '../errors.ts';
import type { Resource } from './kube.ts';

export type Query = Record<string, string | number | boolean | undefined>;

/** `/api/v1` or `/apis/GROUP/VERSION`. */
export function versionPath(resource: Pick<Resource, 'group' | 'version'>): string {
  return resource.group === '' ? `/api/${resource.version}` : `/apis/${resource.group}/${resource.version}`;
}

/** Path of a collection; all namespaces when `namespace` is absent. */
export function collectionPath(resource: Resource, namespace?: string): string {
  const scope = resource.namespaced && namespace !== undefined ? `/namespaces/${segment(namespace, 'namespace')}` : '';
  return `${versionPath(resource)}${scope}/${resource.resource}`;
}

/** Path of one object. */
export function objectPath(resource: Resource, name: string, namespace?: string, subresource?: string): string {
  needNamespace(resource, namespace);
  const path = `${collectionPath(resource, namespace)}/${segment(name, 'name')}`;
  return subresource === undefined ? path : `${path}/${subresource}`;
}

/** @throws InvalidInput when a namespaced resource comes without a namespace */
export function needNamespace(resource: Resource, namespace: string | undefined): void {
  if (resource.namespaced && !namespace) throw new TranshipError('InvalidInput', `A namespace is needed to address one ${resource.kind}.`);
}

/** Adds the defined values of a query; repeatable keys are given as pairs in `more`. */
export function withQuery(path: string, query: Query, more: [string, string][] = []): string {
  const pairs = Object.entries(query).filter(([, value]) => value !== undefined && value !== false && value !== '');
  const params = new URLSearchParams([...pairs.map(([key, value]): [string, string] => [key, String(value)]), ...more]).toString();
  return params === '' ? path : `${path}?${params}`;
}

/** `ConfigMap shop/web`, for messages. */
export function subjectText(resource: Resource, name: string, namespace?: string): string {
  const kind = resource.group === '' ? resource.kind : `${resource.kind}.${resource.group}`;
  return resource.namespaced && namespace !== undefined ? `${kind} ${namespace}/${name}` : `${kind} ${name}`;
}

// An empty segment would address the collection, and a dot segment its parent (URL parsers resolve both `..` and `%2e%2e`).
function segment(value: string, what: string): string {
  if (value === '' || value === '.' || value === '..')
    throw new TranshipError('InvalidInput', `"${value}" cannot be the ${what} of an object.`);
  return encodeURIComponent(value);
}
