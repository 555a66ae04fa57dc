/** Pure: is a workload ready, by its kind's own status. */
import { fieldAt, listOf, textOf } from '../api/fields.ts';
import type { KubeObject } from '../api/object.ts';
import { resources, type Resource } from '../kube/index.ts';

const number = (value: unknown, otherwise: number) => (typeof value === 'number' ? value : otherwise);
const status = (object: KubeObject, field: string) => number(fieldAt(object, 'status', field), 0);
const wanted = (object: KubeObject) => number(fieldAt(object, 'spec', 'replicas'), 1);
/** Status speaks of the spec that was written, not of an earlier one. */
const isCurrent = (object: KubeObject) => status(object, 'observedGeneration') >= number(object.metadata.generation, 0);

function podReady(pod: KubeObject): string | undefined {
  if (textOf(fieldAt(pod, 'status', 'phase')) === 'Succeeded') return undefined;
  const ready = listOf(fieldAt(pod, 'status', 'conditions')).some(
    (condition) => fieldAt(condition, 'type') === 'Ready' && fieldAt(condition, 'status') === 'True',
  );
  return ready ? undefined : (textOf(fieldAt(pod, 'status', 'phase')) ?? 'not started');
}

function replicasReady(field: string): (object: KubeObject) => string | undefined {
  return (object) => {
    const [have, want] = [status(object, field), wanted(object)];
    return isCurrent(object) && have >= want ? undefined : `${have} of ${want} ready`;
  };
}

function deploymentReady(object: KubeObject): string | undefined {
  const waiting = replicasReady('availableReplicas')(object);
  if (waiting !== undefined || status(object, 'updatedReplicas') >= wanted(object)) return waiting;
  return `${status(object, 'updatedReplicas')} of ${wanted(object)} updated`;
}

function daemonsReady(object: KubeObject): string | undefined {
  const [have, want] = [status(object, 'numberReady'), status(object, 'desiredNumberScheduled')];
  return isCurrent(object) && have >= want ? undefined : `${have} of ${want} ready`;
}

/** What we wait for: `Kind.group` → its resource, and what is missing (undefined when ready). Other kinds are ready once they exist. */
export const WAITED: Readonly<Record<string, { resource: Resource; missing: (object: KubeObject) => string | undefined }>> = {
  'Deployment.apps': { resource: resources.deployments, missing: deploymentReady },
  'StatefulSet.apps': { resource: resources.statefulSets, missing: replicasReady('readyReplicas') },
  'ReplicaSet.apps': { resource: resources.replicaSets, missing: replicasReady('readyReplicas') },
  'ReplicationController.': { resource: resources.replicationControllers, missing: replicasReady('readyReplicas') },
  'DaemonSet.apps': { resource: resources.daemonSets, missing: daemonsReady },
  'Pod.': { resource: resources.pods, missing: podReady },
};
