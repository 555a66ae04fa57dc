/** How the engine reaches what the objects name: contexts of the operator's kubeconfig, and a store with the operator's credentials. */
import { clusterSchema } from '../api/cluster.ts';
import { locationSchema } from '../api/location.ts';
import { hubNamespace } from '../api/meta.ts';
import type { KubeObject } from '../api/object.ts';
import { TranshipError } from '../errors.ts';
import type { Hub } from '../hub/index.ts';
import { loadKubeconfig, openKube, type KubeClient } from '../kube/index.ts';
import { openLocation, type LocationSpec } from '../location/index.ts';
import type { EngineOptions } from '../migration/index.ts';
import { caBundle, s3Credentials } from './credentials.ts';
import { credentialsFileAnnotation, type MigrationObjects } from './objects.ts';

export type Reach = Pick<EngineOptions, 'openCluster' | 'openLocation'>;
type Find = (kind: 'Cluster' | 'Location', name: string) => Promise<KubeObject>;

/** For a stored migration: Cluster and Location objects are read from the hub. */
export function reachByHub(hub: Hub, env: NodeJS.ProcessEnv): Reach {
  return reach(async (kind, name) => {
    const object = await hub.get(kind, hubNamespace, name);
    if (object === undefined) throw new TranshipError('NotFound', `The ${kind} "${name}" is not in the hub.`);
    return object;
  }, env);
}

/** For a migration that is not stored: a plan. */
export function reachByObjects(objects: MigrationObjects, env: NodeJS.ProcessEnv): Reach {
  return reach(async (kind, name) => {
    const candidates = kind === 'Cluster' ? objects.clusters : [objects.location];
    const object = candidates.find((candidate) => candidate.metadata.name === name);
    if (object === undefined) throw new TranshipError('Internal', `${kind} "${name}" was not made.`);
    return object;
  }, env);
}

/** A cluster that a verb only reads: a context of the operator's kubeconfig. */
export function openContext(context: string, kubeconfig: string | undefined, env: NodeJS.ProcessEnv): KubeClient {
  return openKube(loadKubeconfig({ env, ...(kubeconfig === undefined ? {} : { path: kubeconfig }) }).access(context));
}

function reach(find: Find, env: NodeJS.ProcessEnv): Reach {
  return {
    async openCluster(name) {
      const { spec } = clusterSchema.parse(await find('Cluster', name));
      const kubeconfig = loadKubeconfig({ env, ...(spec.kubeconfig === undefined ? {} : { path: spec.kubeconfig }) });
      return openKube(kubeconfig.access(spec.context));
    },
    async openLocation(name) {
      const spec = locationSpecOf(await find('Location', name), env);
      return { location: openLocation(spec), spec };
    },
  };
}

function locationSpecOf(object: KubeObject, env: NodeJS.ProcessEnv): LocationSpec {
  const { spec, metadata } = locationSchema.parse(object);
  if (spec.directory !== undefined) return { kind: 'directory', path: spec.directory.path };
  if (spec.s3 === undefined) throw new TranshipError('InvalidInput', `The Location "${metadata.name}" names no store.`);
  const { endpoint, ...rest } = spec.s3;
  const credentials = s3Credentials(metadata.annotations?.[credentialsFileAnnotation], env);
  const ca = caBundle(env);
  return {
    kind: 's3',
    ...rest,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(credentials === undefined ? {} : { credentials }),
    ...(ca === undefined ? {} : { caBundle: ca }),
  };
}
