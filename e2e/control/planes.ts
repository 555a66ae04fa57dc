/** The API servers of the control-plane level, and what is on them. */
import type { KubeObject, ResourceType } from '../../src/api/object.ts';
import { loadKubeconfig, openKube, type KubeClient } from '../../src/kube/index.ts';

export interface Plane {
  context: string;
  kubeconfig: string;
  client: KubeClient;
}

const paths = (process.env['TRANSHIP_TEST_KUBECONFIGS'] ?? '').split(':').filter((path) => path !== '');

/** For `{ skip }`: false when there are two. */
export const noPlanes = paths.length >= 2 ? false : 'needs two API servers in TRANSHIP_TEST_KUBECONFIGS (make test starts them)';

/** The two of the level; the caller closes their clients. */
export function planes(): [Plane, Plane] {
  const [one, two] = paths.map(planeOf);
  if (one === undefined || two === undefined) throw new Error('TRANSHIP_TEST_KUBECONFIGS names fewer than two files');
  return [one, two];
}

export function planeOf(kubeconfig: string): Plane {
  const config = loadKubeconfig({ path: kubeconfig });
  const context = config.contexts()[0]?.name ?? '';
  return { context, kubeconfig, client: openKube(config.access(context)) };
}

/** Everything on a cluster by name and resourceVersion: equal before and after when nothing was written. */
export async function contents(client: KubeClient, signal: AbortSignal): Promise<string[]> {
  const { resources } = await client.discover({ signal, refresh: true });
  const lines: string[] = [];
  for (const resource of resources.filter(isSettled)) {
    for await (const object of client.list(resource, { signal })) lines.push(line(resource, object));
  }
  return lines.toSorted();
}

/** What changes by itself (leases of the control plane, events) says nothing about us. */
function isSettled(resource: ResourceType): boolean {
  return resource.verbs.includes('list') && resource.verbs.includes('create') && !['leases', 'events'].includes(resource.resource);
}

function line(resource: ResourceType, { metadata }: KubeObject): string {
  return `${resource.resource}.${resource.group} ${metadata.namespace ?? ''}/${metadata.name} ${metadata.resourceVersion}`;
}
