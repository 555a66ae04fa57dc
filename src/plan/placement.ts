/**
 * When an object is created: its layer and its phase, as one table read from top to bottom; the first row that fits decides.
 *
 * `Prepare` objects are created while the application still runs on the source, so nothing there may run, schedule, publish or order
 * anything: two copies of an application must never act at once. `Activate` objects follow after the final copy.
 */
import type { KubeObject, ResourceType } from '../api/object.ts';
import { isBuiltInGroup } from '../api/served.ts';
import type { PlanPhase } from '../api/plan.ts';

export interface Placement {
  layer: number;
  phase: PlanPhase;
  why: string;
}

interface Row extends Placement {
  /** `*` in the place of the kind stands for the whole group. */
  kinds: readonly string[];
  when?: (object: KubeObject) => boolean;
}

const publishesNames = (object: KubeObject): boolean =>
  Object.keys(object.metadata.annotations ?? {}).some((key) => key.startsWith('external-dns.'));

const TABLE: readonly Row[] = [
  { layer: 0, phase: 'Prepare', kinds: ['Namespace'], why: 'everything namespaced lives in it' },
  { layer: 1, phase: 'Prepare', kinds: ['CustomResourceDefinition.apiextensions.k8s.io'], why: 'its resources need it' },
  {
    layer: 1,
    phase: 'Prepare',
    kinds: ['ClusterRole.rbac.authorization.k8s.io', 'PriorityClass.scheduling.k8s.io'],
    why: 'others name it, and it does nothing by itself',
  },
  { layer: 2, phase: 'Prepare', kinds: ['ServiceAccount', 'Secret', 'ConfigMap', 'LimitRange'], why: 'configuration runs nothing' },
  {
    layer: 3,
    phase: 'Prepare',
    kinds: ['Role.rbac.authorization.k8s.io', 'RoleBinding.rbac.authorization.k8s.io', 'ClusterRoleBinding.rbac.authorization.k8s.io'],
    why: 'rights run nothing',
  },
  {
    layer: 14,
    phase: 'Activate',
    kinds: ['Service'],
    when: publishesNames,
    why: 'external-dns would publish the name of an application that does not run yet',
  },
  {
    layer: 15,
    phase: 'Activate',
    kinds: ['*.admissionregistration.k8s.io'],
    why: 'guards objects as soon as it exists; its pods must be up',
  },
  { layer: 15, phase: 'Activate', kinds: ['APIService.apiregistration.k8s.io'], why: 'discovery fails until its pods are up' },
  {
    layer: 9,
    phase: 'Activate',
    kinds: ['PersistentVolumeClaim'],
    why: 'only unbound ones are objects; created early, it would stand in the way of its own volume once it is bound on the source',
  },
  { layer: 11, phase: 'Activate', kinds: ['PodDisruptionBudget.policy'], why: 'guards pods; there before them' },
  {
    layer: 12,
    phase: 'Activate',
    kinds: ['*.apps', 'Pod', 'ReplicationController', 'Job.batch'],
    why: 'runs the application',
  },
  {
    layer: 13,
    phase: 'Activate',
    kinds: ['CronJob.batch', '*.autoscaling', '*.keda.sh', '*.autoscaling.k8s.io'],
    why: 'starts or scales the application by itself',
  },
  { layer: 14, phase: 'Activate', kinds: ['Ingress.networking.k8s.io'], why: 'takes traffic and may publish names' },
  { layer: 4, phase: 'Prepare', kinds: ['ReferenceGrant.gateway.networking.k8s.io'], why: 'a right; runs nothing' },
  {
    layer: 14,
    phase: 'Activate',
    kinds: ['*.gateway.networking.k8s.io', '*.networking.istio.io', '*.traefik.io'],
    why: 'takes traffic and may publish names',
  },
  {
    layer: 4,
    phase: 'Prepare',
    kinds: ['*.cilium.io', '*.crd.projectcalico.org', '*.projectcalico.org', '*.policy.networking.k8s.io'],
    why: 'network policies must be there before the pods they guard',
  },
];

/** @param definitionMoves true when the definition of this custom resource is created by the same plan, so that nothing acts on it yet */
export function placementOf(object: KubeObject, resource: ResourceType, definitionMoves: boolean): Placement {
  const name = resource.group === '' ? resource.kind : `${resource.kind}.${resource.group}`;
  const row = TABLE.find(
    ({ kinds, when }) =>
      (kinds.includes(name) || (resource.group !== '' && kinds.includes(`*.${resource.group}`))) && (when?.(object) ?? true),
  );
  if (row !== undefined) return { layer: row.layer, phase: row.phase, why: row.why };
  if (isBuiltInGroup(resource.group)) return { layer: 4, phase: 'Prepare', why: 'runs nothing by itself' };
  if (definitionMoves) return { layer: 5, phase: 'Prepare', why: 'its definition moves along, so nothing on the target acts on it yet' };
  return { layer: 10, phase: 'Activate', why: 'an operator on the target would act on it at once' };
}
