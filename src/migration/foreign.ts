/** Who else uses what we made? Asked before a definition or a namespace is deleted: both take everything in them along. */
import { migrationLabel } from '../api/meta.ts';
import type { KubeObject } from '../api/object.ts';
import { resources, type KubeClient, type Resource } from '../kube/index.ts';

/** Kinds that people put into namespaces. What controllers derive from them needs no look. */
const looked: readonly Resource[] = [
  resources.persistentVolumeClaims,
  resources.configMaps,
  resources.secrets,
  resources.services,
  resources.deployments,
  resources.statefulSets,
  resources.daemonSets,
  resources.jobs,
  resources.cronJobs,
  resources.pods,
];

function isMadeByCluster(object: KubeObject): boolean {
  const derived = (object.metadata.ownerReferences ?? []).some((owner) => owner.controller === true);
  return derived || object.metadata.name === 'kube-root-ca.crt';
}

/** Objects in a namespace that are not of this migration. */
export async function foreignIn(client: KubeClient, namespace: string, mark: string, signal: AbortSignal): Promise<string[]> {
  const found: string[] = [];
  for (const resource of looked) {
    for await (const object of client.list(resource, { namespace, signal })) {
      if (
        object.metadata.annotations?.[migrationLabel] === mark ||
        object.metadata.labels?.[migrationLabel] === mark ||
        isMadeByCluster(object)
      )
        continue;
      found.push(`${resource.kind} ${object.metadata.name}`);
    }
  }
  return found;
}

/** Objects of a definition that are not of this migration, in any namespace. */
export async function foreignOf(client: KubeClient, definition: KubeObject, mark: string, signal: AbortSignal): Promise<string[]> {
  const spec = definition['spec'] as {
    group: string;
    scope: string;
    names: { plural: string; kind: string };
    versions: { name: string; served: boolean }[];
  };
  const version = spec.versions.find((one) => one.served)?.name;
  if (version === undefined) return [];
  const resource: Resource = {
    group: spec.group,
    version,
    resource: spec.names.plural,
    kind: spec.names.kind,
    namespaced: spec.scope === 'Namespaced',
  };
  const found: string[] = [];
  for await (const object of client.list(resource, { signal })) {
    if (object.metadata.annotations?.[migrationLabel] !== mark)
      found.push(`${spec.names.kind} ${object.metadata.namespace ?? ''}/${object.metadata.name}`);
  }
  return found;
}
