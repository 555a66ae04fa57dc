/**
 * What an assessment reads of a cluster, as data: the kind, which of its objects, and the fields that are kept. Everything else of an object
 * is dropped where it is read. docs/assess.md is made to agree with this table by a test.
 */
export interface FactKind {
  group: string;
  /** `*` stands for every kind of the group. */
  kind: string;
  /** cluster: cluster-scoped. everywhere: in all namespaces. moving: only in the namespaces of the move. */
  where: 'cluster' | 'everywhere' | 'moving';
  /** Paths as in `api/fields.ts`; the name and the namespace are always kept. */
  keep: readonly string[];
  why: string;
}

const WEBHOOK = [
  'webhooks[*].name',
  'webhooks[*].failurePolicy',
  'webhooks[*].sideEffects',
  'webhooks[*].rules',
  'webhooks[*].clientConfig.service',
  'webhooks[*].namespaceSelector',
  'webhooks[*].objectSelector',
];
const IMAGES = ['spec.template.spec.containers[*].image', 'spec.replicas'];
const ADMISSION = 'admissionregistration.k8s.io';
const GATEWAY = 'gateway.networking.k8s.io';

export const FACT_KINDS: readonly FactKind[] = [
  {
    group: '',
    kind: 'Node',
    where: 'cluster',
    keep: [
      'metadata.labels',
      'spec.taints',
      'spec.unschedulable',
      'spec.podCIDRs',
      'status.allocatable',
      'status.nodeInfo.architecture',
      'status.nodeInfo.operatingSystem',
      'status.nodeInfo.containerRuntimeVersion',
      'status.nodeInfo.kubeletVersion',
      'status.conditions[*].type',
      'status.conditions[*].status',
    ],
    why: 'architecture, zones, room, taints, runtime',
  },
  {
    group: '',
    kind: 'Namespace',
    where: 'cluster',
    keep: [
      'metadata.labels',
      'metadata.annotations["scheduler.alpha.kubernetes.io/node-selector"]',
      'metadata.annotations["openshift.io/node-selector"]',
    ],
    why: 'Pod Security levels, selectors of policies',
  },
  {
    group: 'storage.k8s.io',
    kind: 'StorageClass',
    where: 'cluster',
    keep: [
      'provisioner',
      'reclaimPolicy',
      'volumeBindingMode',
      'allowVolumeExpansion',
      'allowedTopologies',
      'mountOptions',
      'parameters["csi.storage.k8s.io/fstype"]',
    ],
    why: 'can the classes hold what moves',
  },
  { group: 'storage.k8s.io', kind: 'CSIDriver', where: 'cluster', keep: ['spec'], why: 'what drivers can do' },
  {
    group: 'storage.k8s.io',
    kind: 'CSINode',
    where: 'cluster',
    keep: ['spec.drivers'],
    why: 'where drivers run, and how many volumes a node takes',
  },
  {
    group: 'snapshot.storage.k8s.io',
    kind: 'VolumeSnapshotClass',
    where: 'cluster',
    keep: ['driver', 'deletionPolicy', 'metadata.annotations["snapshot.storage.kubernetes.io/is-default-class"]'],
    why: 'which drivers take snapshots',
  },
  {
    group: 'networking.k8s.io',
    kind: 'IngressClass',
    where: 'cluster',
    keep: ['spec.controller', 'metadata.annotations["ingressclass.kubernetes.io/is-default-class"]'],
    why: 'which ingress controllers are there',
  },
  {
    group: GATEWAY,
    kind: 'GatewayClass',
    where: 'cluster',
    keep: ['spec.controllerName', 'status.conditions[*].type', 'status.conditions[*].status'],
    why: 'which gateways are there',
  },
  { group: 'networking.k8s.io', kind: 'ServiceCIDR', where: 'cluster', keep: ['spec.cidrs'], why: 'addresses of services' },
  {
    group: 'scheduling.k8s.io',
    kind: 'PriorityClass',
    where: 'cluster',
    keep: ['value', 'globalDefault', 'preemptionPolicy'],
    why: 'priorities of pods',
  },
  { group: 'node.k8s.io', kind: 'RuntimeClass', where: 'cluster', keep: ['handler', 'scheduling'], why: 'runtimes of pods' },
  { group: '', kind: 'ResourceQuota', where: 'moving', keep: ['spec', 'status'], why: 'room in the target namespaces' },
  { group: '', kind: 'LimitRange', where: 'moving', keep: ['spec'], why: 'defaults and bounds of the target namespaces' },
  { group: ADMISSION, kind: 'ValidatingWebhookConfiguration', where: 'cluster', keep: WEBHOOK, why: 'who may refuse objects' },
  { group: ADMISSION, kind: 'MutatingWebhookConfiguration', where: 'cluster', keep: WEBHOOK, why: 'who may change objects' },
  {
    group: ADMISSION,
    kind: 'ValidatingAdmissionPolicy',
    where: 'cluster',
    keep: ['spec.failurePolicy', 'spec.matchConstraints'],
    why: 'who may refuse objects',
  },
  {
    group: ADMISSION,
    kind: 'ValidatingAdmissionPolicyBinding',
    where: 'cluster',
    keep: ['spec.policyName', 'spec.validationActions', 'spec.matchResources'],
    why: 'where policies apply',
  },
  { group: 'kyverno.io', kind: 'ClusterPolicy', where: 'cluster', keep: ['spec.validationFailureAction'], why: 'who may refuse objects' },
  { group: 'constraints.gatekeeper.sh', kind: '*', where: 'cluster', keep: ['spec.enforcementAction'], why: 'who may refuse objects' },
  {
    group: 'apiregistration.k8s.io',
    kind: 'APIService',
    where: 'cluster',
    keep: ['spec.group', 'spec.version', 'spec.service', 'status.conditions[*].type', 'status.conditions[*].status'],
    why: 'aggregated APIs',
  },
  {
    group: 'apiextensions.k8s.io',
    kind: 'CustomResourceDefinition',
    where: 'cluster',
    keep: [
      'spec.group',
      'spec.scope',
      'spec.names.kind',
      'spec.versions[*].name',
      'spec.versions[*].served',
      'spec.versions[*].storage',
      'spec.conversion.strategy',
      'spec.conversion.webhook.clientConfig.service',
      'status.storedVersions',
    ],
    why: 'versions of custom resources',
  },
  {
    group: '',
    kind: 'Service',
    where: 'everywhere',
    keep: [
      'spec.type',
      'spec.ports[*].nodePort',
      'spec.ports[*].port',
      'spec.ports[*].protocol',
      'spec.clusterIP',
      'spec.healthCheckNodePort',
      'spec.externalIPs',
      'spec.loadBalancerIP',
      'spec.ipFamilies',
    ],
    why: 'ports and addresses that are taken',
  },
  {
    group: 'networking.k8s.io',
    kind: 'Ingress',
    where: 'everywhere',
    keep: [
      'spec.ingressClassName',
      'metadata.annotations["kubernetes.io/ingress.class"]',
      'spec.rules[*].host',
      'spec.rules[*].http.paths[*].path',
      'spec.rules[*].http.paths[*].pathType',
    ],
    why: 'host names and paths that are taken',
  },
  {
    group: GATEWAY,
    kind: 'Gateway',
    where: 'everywhere',
    keep: ['spec.gatewayClassName', 'spec.listeners[*].hostname', 'spec.listeners[*].port', 'spec.listeners[*].name'],
    why: 'listeners that routes need',
  },
  { group: GATEWAY, kind: 'HTTPRoute', where: 'everywhere', keep: ['spec.hostnames', 'spec.parentRefs'], why: 'host names that are taken' },
  { group: 'apps', kind: 'Deployment', where: 'everywhere', keep: IMAGES, why: 'recognises controllers by their images' },
  { group: 'apps', kind: 'DaemonSet', where: 'everywhere', keep: IMAGES, why: 'recognises the pod network and drivers by their images' },
  { group: 'apps', kind: 'StatefulSet', where: 'everywhere', keep: IMAGES, why: 'recognises controllers by their images' },
];
