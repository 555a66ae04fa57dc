/**
 * Fields that a server or a controller of the source has set, removed by name so that the report can say why. Data, not code: a row is
 * a rule, the kinds it holds for (all when absent) and the paths. User-set look-alikes need a look at who set them: see service.ts.
 */
import { fieldAt, find, isRecord, podTemplateOf, recordOf, textOf } from '../api/fields.ts';
import { removeField, removePaths, type Draft } from './draft.ts';

interface FieldRule {
  rule: string;
  kinds?: readonly string[];
  paths: readonly string[];
}

const annotation = (name: string) => `metadata.annotations["${name}"]`;

const FIELD_RULES: readonly FieldRule[] = [
  {
    rule: 'ServerMetadata',
    paths: [
      'uid',
      'resourceVersion',
      'generation',
      'creationTimestamp',
      'deletionTimestamp',
      'deletionGracePeriodSeconds',
      'selfLink',
      'generateName',
      'managedFields',
    ].map((field) => `metadata.${field}`),
  },
  { rule: 'Status', paths: ['status'] },
  { rule: 'NamespaceFinalizers', kinds: ['Namespace'], paths: ['spec.finalizers', 'metadata.labels["kubernetes.io/metadata.name"]'] },
  // OpenShift writes the ranges of the source cluster into every namespace; the target's controller writes its own.
  {
    rule: 'NamespaceRanges',
    kinds: ['Namespace'],
    paths: ['mcs', 'uid-range', 'supplemental-groups'].map((name) => annotation(`openshift.io/sa.scc.${name}`)),
  },
  {
    rule: 'ControllerAnnotation',
    paths: [
      'deployment.kubernetes.io/revision',
      'deployment.kubernetes.io/desired-replicas',
      'deployment.kubernetes.io/max-replicas',
      'deprecated.daemonset.template.generation',
      'autoscaling.alpha.kubernetes.io/current-metrics',
      'autoscaling.alpha.kubernetes.io/conditions',
      'endpoints.kubernetes.io/last-change-trigger-time',
      'batch.kubernetes.io/job-tracking',
    ].map(annotation),
  },
  {
    rule: 'ClaimBinding',
    kinds: ['PersistentVolumeClaim'],
    paths: [
      'spec.volumeName',
      ...[
        'pv.kubernetes.io/bind-completed',
        'pv.kubernetes.io/bound-by-controller',
        'volume.kubernetes.io/storage-provisioner',
        'volume.beta.kubernetes.io/storage-provisioner',
        'volume.kubernetes.io/selected-node',
        'volume.kubernetes.io/storage-resizer',
      ].map(annotation),
    ],
  },
  // On its claims while a group snapshot is taken; a capture may come in between.
  { rule: 'ClaimGroup', kinds: ['PersistentVolumeClaim'], paths: ['metadata.labels["tranship.io/snapshot-group"]'] },
  // The content travels with us; the snapshot, clone or populator that made the volume once stays where it is.
  { rule: 'ClaimOrigin', kinds: ['PersistentVolumeClaim'], paths: ['spec.dataSource', 'spec.dataSourceRef'] },
  // A class that comes along must not become the default of everybody on the target.
  { rule: 'GlobalDefault', kinds: ['PriorityClass'], paths: ['globalDefault'] },
  { rule: 'PodPlacement', kinds: ['Pod'], paths: ['spec.nodeName', 'spec.priority', 'spec.preemptionPolicy'] },
  {
    rule: 'PodNetworkState',
    kinds: ['Pod'],
    paths: [
      'k8s.v1.cni.cncf.io/network-status',
      'k8s.v1.cni.cncf.io/networks-status',
      'k8s.ovn.org/pod-networks',
      'cni.projectcalico.org/containerID',
      'cni.projectcalico.org/podIP',
      'cni.projectcalico.org/podIPs',
    ].map(annotation),
  },
];

/** Finalizers that built-in controllers put on again by themselves. Others may be a user's wish and stay. */
const OWN_FINALIZERS: ReadonlySet<string> = new Set([
  'kubernetes',
  'kubernetes.io/pvc-protection',
  'kubernetes.io/pv-protection',
  'foregroundDeletion',
  'orphan',
  'service.kubernetes.io/load-balancer-cleanup',
  'batch.kubernetes.io/job-tracking',
  'customresourcecleanup.apiextensions.k8s.io',
  'snapshot.storage.kubernetes.io/pvc-as-source-protection',
]);

/** Labels that the Job controller writes into the template; with the selector they belong to the old uid. */
const JOB_LABELS = ['controller-uid', 'batch.kubernetes.io/controller-uid', 'job-name', 'batch.kubernetes.io/job-name'];

/**
 * Removes what the source's servers and controllers have written.
 * @param carriedSecrets `namespace/name` of the Secrets that move: a ServiceAccount loses its references to others (its old tokens)
 */
export function removeServerFields(draft: Draft, carriedSecrets: ReadonlySet<string>): void {
  const { manifest } = draft;
  for (const { rule, kinds, paths } of FIELD_RULES) {
    if (kinds === undefined || kinds.includes(manifest.kind)) removePaths(draft, rule, paths);
  }
  for (const hit of find(manifest, 'metadata.finalizers[*]').toReversed()) {
    if (OWN_FINALIZERS.has(textOf(hit.value) ?? '')) removeField(draft, 'ControllerFinalizer', hit);
  }
  if (manifest.kind === 'ServiceAccount') removeOldTokens(draft, carriedSecrets);
  if (manifest.kind === 'Job') removeJobIdentity(draft);
  if (manifest.kind === 'Pod') removeInjectedToken(draft);
  if (manifest.kind === 'ClusterRole' && isRecord(manifest.aggregationRule)) removePaths(draft, 'AggregatedRules', ['rules']);
  // `kubectl apply` writes null here; the server drops it, and a comparison should not trip over it.
  const template = podTemplateOf(manifest);
  if (template !== undefined && fieldAt(template.template, 'metadata', 'creationTimestamp') === null) {
    delete recordOf(template.template.metadata).creationTimestamp;
  }
}

function removeOldTokens(draft: Draft, carriedSecrets: ReadonlySet<string>): void {
  for (const hit of find(draft.manifest, 'secrets[*]').toReversed()) {
    const name = textOf(fieldAt(hit.value, 'name')) ?? '';
    if (!carriedSecrets.has(`${draft.manifest.metadata.namespace ?? ''}/${name}`)) removeField(draft, 'TokenOfSource', hit);
  }
  if (Array.isArray(draft.manifest.secrets) && draft.manifest.secrets.length === 0) delete draft.manifest.secrets;
}

function removeJobIdentity(draft: Draft): void {
  if (fieldAt(draft.manifest, 'spec', 'manualSelector') === true) return;
  removePaths(draft, 'JobIdentity', ['spec.selector', ...JOB_LABELS.map((label) => `spec.template.metadata.labels["${label}"]`)]);
}

/** The token volume that admission adds to every bare pod: the target adds its own. */
function removeInjectedToken(draft: Draft): void {
  const injected = (name: unknown) => /^kube-api-access-[a-z0-9]{5}$/.test(textOf(name) ?? '');
  const paths = [
    'spec.volumes[*]',
    ...['containers', 'initContainers', 'ephemeralContainers'].map((list) => `spec.${list}[*].volumeMounts[*]`),
  ];
  for (const path of paths) {
    for (const hit of find(draft.manifest, path).toReversed()) {
      if (injected(fieldAt(hit.value, 'name'))) removeField(draft, 'InjectedTokenVolume', hit);
    }
  }
}
