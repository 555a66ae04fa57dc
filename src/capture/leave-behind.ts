/**
 * What stays where it is, as one table read from top to bottom: the first rule that fits an object names why it does not move.
 * Everything without a rule moves.
 */
import { fieldAt, listOf, recordOf, textOf } from '../api/fields.ts';
import { group as ourGroup, managedBy, managedByLabel, migrationLabel } from '../api/meta.ts';
import type { KubeObject, ResourceType } from '../api/object.ts';
import { BUILT_IN, type Rules } from '../rules/index.ts';

/** The user's way to say that an object stays. */
export const EXCLUDE_LABEL = `${ourGroup}/exclude`;

/** What a rule may look at besides the object. */
export interface Surroundings {
  /** `namespace/name` of services that have a selector: their endpoints are made by the cluster. */
  selectedServices: ReadonlySet<string>;
  /** `namespace/name` → newest deployed revision of each Helm release. */
  helmReleases: ReadonlyMap<string, number>;
  /** uids of everything that was read. */
  uids: ReadonlySet<string>;
}

interface LeaveRule {
  rule: string;
  reason: string;
  /** `Kind` or `Kind.group`; all kinds when absent. `*.group` stands for a whole group. */
  kinds?: readonly string[];
  when?: (object: KubeObject, around: Surroundings) => boolean;
}

/** Kinds that are never even read: they are many, short-lived, and nobody misses them. */
export const NEVER_READ: ReadonlySet<string> = new Set(['Event', 'Event.events.k8s.io']);

const label = (object: KubeObject, name: string) => object.metadata.labels?.[name];
const annotation = (object: KubeObject, name: string) => object.metadata.annotations?.[name];
const nameOf = (object: KubeObject) => `${object.metadata.namespace ?? ''}/${object.metadata.name}`;

/** Children that hold something of their own: their owner would make them again, but empty or different. */
const CARRIED_CHILDREN: ReadonlySet<string> = new Set(['PersistentVolumeClaim', 'Secret']);

function hasController(object: KubeObject, { uids }: Surroundings): boolean {
  if (CARRIED_CHILDREN.has(object.kind)) return false;
  // An owner that was not read (cluster-scoped, or hidden from us) can't be relied upon to make it again on the target.
  return listOf(object.metadata.ownerReferences).some(
    (owner) => fieldAt(owner, 'controller') === true && uids.has(textOf(fieldAt(owner, 'uid')) ?? ''),
  );
}

function isFinished(object: KubeObject): boolean {
  return listOf(fieldAt(object, 'status', 'conditions')).some(
    (condition) =>
      ['Complete', 'Failed', 'SuccessCriteriaMet', 'FailureTarget'].includes(textOf(fieldAt(condition, 'type')) ?? '') &&
      fieldAt(condition, 'status') === 'True',
  );
}

/** Name, namespace and revision of the Helm release that a Secret or ConfigMap records. */
export function helmRelease(object: KubeObject): { key: string; revision: number; status: string } | undefined {
  const name = label(object, 'name');
  if (label(object, 'owner')?.toLowerCase() !== 'helm' || name === undefined) return undefined;
  const kept = object.kind === 'Secret' ? object.type === 'helm.sh/release.v1' : object.kind === 'ConfigMap';
  if (!kept) return undefined;
  return {
    key: `${object.metadata.namespace ?? ''}/${name}`,
    revision: Number(label(object, 'version') ?? 0),
    status: label(object, 'status') ?? '',
  };
}

/** An account that holds nothing: every namespace gets its `default` by itself. */
function isBareDefaultAccount(object: KubeObject): boolean {
  if (object.metadata.name !== 'default') return false;
  const own = Object.keys(recordOf(object.metadata.labels)).length + Object.keys(recordOf(object.metadata.annotations)).length;
  return (
    own === 0 &&
    object.automountServiceAccountToken === undefined &&
    listOf(object.imagePullSecrets).length === 0 &&
    listOf(object.secrets).length === 0
  );
}

const RULES: readonly LeaveRule[] = [
  { rule: 'ExcludedByLabel', reason: `it has the label ${EXCLUDE_LABEL}=true`, when: (object) => label(object, EXCLUDE_LABEL) === 'true' },
  {
    rule: 'OursForStaging',
    reason: 'we made it for a copy',
    when: (object) => label(object, managedByLabel) === managedBy && label(object, migrationLabel) !== undefined,
  },
  { rule: 'OursForStaging', reason: 'it steers this tool', kinds: [`*.${ourGroup}`] },
  { rule: 'BeingDeleted', reason: 'somebody has deleted it', when: (object) => object.metadata.deletionTimestamp !== undefined },
  {
    rule: 'MadeByCluster',
    reason: 'every namespace gets it from its cluster',
    kinds: ['ConfigMap'],
    when: ({ metadata: { name } }) => name === 'kube-root-ca.crt' || name === 'openshift-service-ca.crt',
  },
  { rule: 'MadeByCluster', reason: 'every namespace gets it from its cluster', kinds: ['ServiceAccount'], when: isBareDefaultAccount },
  {
    rule: 'TokenSecret',
    reason: 'tokens are signed by their cluster',
    kinds: ['Secret'],
    when: (object) => object.type === 'kubernetes.io/service-account-token',
  },
  {
    rule: 'HelmHistory',
    reason: 'only the deployed revision of a release moves',
    kinds: ['Secret', 'ConfigMap'],
    when: (object, { helmReleases }) => {
      const release = helmRelease(object);
      return release !== undefined && helmReleases.get(release.key) !== release.revision;
    },
  },
  {
    rule: 'MirrorPod',
    reason: 'its node makes it from a file',
    kinds: ['Pod'],
    when: (object) => annotation(object, 'kubernetes.io/config.mirror') !== undefined,
  },
  {
    rule: 'FinishedPod',
    reason: 'it has ended',
    kinds: ['Pod'],
    when: (object) => ['Succeeded', 'Failed'].includes(textOf(fieldAt(object, 'status', 'phase')) ?? ''),
  },
  { rule: 'FinishedJob', reason: 'it has ended, and a move never runs a job twice', kinds: ['Job.batch'], when: isFinished },
  { rule: 'ManagedByController', reason: 'its controller makes it again', when: hasController },
  {
    rule: 'EphemeralClaim',
    reason: 'it lives and dies with one pod, whose successor gets a new one',
    kinds: ['PersistentVolumeClaim'],
    when: (object) =>
      listOf(object.metadata.ownerReferences).some((owner) => fieldAt(owner, 'kind') === 'Pod' && fieldAt(owner, 'controller') === true),
  },
  { rule: 'History', reason: 'its workload writes it again', kinds: ['ControllerRevision.apps'] },
  {
    rule: 'LeaderElection',
    reason: 'it says who leads in this cluster',
    kinds: ['Lease.coordination.k8s.io', 'LeaseCandidate.coordination.k8s.io'],
  },
  {
    rule: 'LeaderElection',
    reason: 'it says who leads in this cluster',
    kinds: ['Endpoints', 'ConfigMap'],
    when: (object) => annotation(object, 'control-plane.alpha.kubernetes.io/leader') !== undefined,
  },
  {
    rule: 'MadeForService',
    reason: 'the cluster makes it from the selector of its service',
    kinds: ['Endpoints'],
    when: (object, { selectedServices }) => selectedServices.has(nameOf(object)),
  },
  {
    rule: 'MadeForService',
    reason: 'the cluster makes it from the selector of its service',
    kinds: ['EndpointSlice.discovery.k8s.io'],
    when: (object) => label(object, 'endpointslice.kubernetes.io/managed-by')?.endsWith('.k8s.io') === true,
  },
  {
    rule: 'StateOfStorage',
    reason: 'it belongs to the storage of its cluster; the content of volumes travels by itself',
    kinds: ['*.snapshot.storage.k8s.io', '*.groupsnapshot.storage.k8s.io', 'CSIStorageCapacity.storage.k8s.io'],
  },
  {
    rule: 'BoundToNode',
    reason: 'it tells about the pods of a node',
    kinds: ['CiliumEndpoint.cilium.io', 'ResourceClaim.resource.k8s.io', 'PodMetrics.metrics.k8s.io'],
  },
];

/** The rule by which an object stays behind; undefined for an object that moves. */
export function leaveRule(
  object: KubeObject,
  type: ResourceType,
  around: Surroundings,
  rules: Rules = BUILT_IN,
): { rule: string; reason: string } | undefined {
  const kind = type.group === '' ? type.kind : `${type.kind}.${type.group}`;
  const rule = RULES.find(
    ({ kinds, when }) =>
      (kinds === undefined || kinds.includes(kind) || (type.group !== '' && kinds.includes(`*.${type.group}`))) &&
      (when?.(object, around) ?? true),
  );
  if (rule !== undefined) return { rule: rule.rule, reason: rule.reason };
  // What a rule file says of an operator: made again, without an owner that would tell.
  const generated = rules.generated.find(
    ({ kinds, labels = {} }) => kinds.includes(kind) && Object.entries(labels).every(([name, value]) => label(object, name) === value),
  );
  return generated === undefined ? undefined : { rule: 'Generated', reason: generated.reason };
}

/** What the rules look at, from everything that was read. */
export function surroundingsOf(objects: readonly KubeObject[]): Surroundings {
  const helmReleases = new Map<string, number>();
  for (const object of objects) {
    const release = helmRelease(object);
    if (release?.status === 'deployed') helmReleases.set(release.key, Math.max(release.revision, helmReleases.get(release.key) ?? 0));
  }
  const withSelector = (object: KubeObject) => Object.keys(recordOf(fieldAt(object, 'spec', 'selector'))).length > 0;
  return {
    selectedServices: new Set(
      objects.filter((each) => each.kind === 'Service' && each.apiVersion === 'v1' && withSelector(each)).map(nameOf),
    ),
    helmReleases,
    uids: new Set(objects.flatMap((object) => object.metadata.uid ?? [])),
  };
}
