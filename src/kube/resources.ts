/** The built-in resources that we address by name. Everything else comes from discovery. */
import type { Resource } from './kube.ts';

function core(resource: string, kind: string): Resource {
  return { group: '', version: 'v1', resource, kind, namespaced: true };
}

function coreCluster(resource: string, kind: string): Resource {
  return { group: '', version: 'v1', resource, kind, namespaced: false };
}

function grouped(group: string, resource: string, kind: string, version = 'v1'): Resource {
  return { group, version, resource, kind, namespaced: true };
}

function groupedCluster(group: string, resource: string, kind: string, version = 'v1'): Resource {
  return { group, version, resource, kind, namespaced: false };
}

export const namespaces = coreCluster('namespaces', 'Namespace');
export const nodes = coreCluster('nodes', 'Node');
export const persistentVolumes = coreCluster('persistentvolumes', 'PersistentVolume');
export const persistentVolumeClaims = core('persistentvolumeclaims', 'PersistentVolumeClaim');
export const pods = core('pods', 'Pod');
export const services = core('services', 'Service');
export const endpoints = core('endpoints', 'Endpoints');
export const configMaps = core('configmaps', 'ConfigMap');
export const secrets = core('secrets', 'Secret');
export const serviceAccounts = core('serviceaccounts', 'ServiceAccount');
export const events = core('events', 'Event');
export const resourceQuotas = core('resourcequotas', 'ResourceQuota');
export const limitRanges = core('limitranges', 'LimitRange');
export const replicationControllers = core('replicationcontrollers', 'ReplicationController');

export const deployments = grouped('apps', 'deployments', 'Deployment');
export const statefulSets = grouped('apps', 'statefulsets', 'StatefulSet');
export const daemonSets = grouped('apps', 'daemonsets', 'DaemonSet');
export const replicaSets = grouped('apps', 'replicasets', 'ReplicaSet');
export const controllerRevisions = grouped('apps', 'controllerrevisions', 'ControllerRevision');
export const jobs = grouped('batch', 'jobs', 'Job');
export const cronJobs = grouped('batch', 'cronjobs', 'CronJob');
export const horizontalPodAutoscalers = grouped('autoscaling', 'horizontalpodautoscalers', 'HorizontalPodAutoscaler', 'v2');
export const podDisruptionBudgets = grouped('policy', 'poddisruptionbudgets', 'PodDisruptionBudget');
export const ingresses = grouped('networking.k8s.io', 'ingresses', 'Ingress');
export const ingressClasses = groupedCluster('networking.k8s.io', 'ingressclasses', 'IngressClass');
export const networkPolicies = grouped('networking.k8s.io', 'networkpolicies', 'NetworkPolicy');
export const endpointSlices = grouped('discovery.k8s.io', 'endpointslices', 'EndpointSlice');
export const leases = grouped('coordination.k8s.io', 'leases', 'Lease');

export const roles = grouped('rbac.authorization.k8s.io', 'roles', 'Role');
export const roleBindings = grouped('rbac.authorization.k8s.io', 'rolebindings', 'RoleBinding');
export const clusterRoles = groupedCluster('rbac.authorization.k8s.io', 'clusterroles', 'ClusterRole');
export const clusterRoleBindings = groupedCluster('rbac.authorization.k8s.io', 'clusterrolebindings', 'ClusterRoleBinding');
export const selfSubjectAccessReviews = groupedCluster('authorization.k8s.io', 'selfsubjectaccessreviews', 'SelfSubjectAccessReview');

export const storageClasses = groupedCluster('storage.k8s.io', 'storageclasses', 'StorageClass');
export const csiDrivers = groupedCluster('storage.k8s.io', 'csidrivers', 'CSIDriver');
export const csiNodes = groupedCluster('storage.k8s.io', 'csinodes', 'CSINode');
export const volumeAttachments = groupedCluster('storage.k8s.io', 'volumeattachments', 'VolumeAttachment');
export const volumeSnapshots = grouped('snapshot.storage.k8s.io', 'volumesnapshots', 'VolumeSnapshot');
export const volumeSnapshotContents = groupedCluster('snapshot.storage.k8s.io', 'volumesnapshotcontents', 'VolumeSnapshotContent');
export const volumeSnapshotClasses = groupedCluster('snapshot.storage.k8s.io', 'volumesnapshotclasses', 'VolumeSnapshotClass');

export const customResourceDefinitions = groupedCluster('apiextensions.k8s.io', 'customresourcedefinitions', 'CustomResourceDefinition');
export const apiServices = groupedCluster('apiregistration.k8s.io', 'apiservices', 'APIService');
export const priorityClasses = groupedCluster('scheduling.k8s.io', 'priorityclasses', 'PriorityClass');
export const runtimeClasses = groupedCluster('node.k8s.io', 'runtimeclasses', 'RuntimeClass');
export const mutatingWebhookConfigurations = groupedCluster(
  'admissionregistration.k8s.io',
  'mutatingwebhookconfigurations',
  'MutatingWebhookConfiguration',
);
export const validatingWebhookConfigurations = groupedCluster(
  'admissionregistration.k8s.io',
  'validatingwebhookconfigurations',
  'ValidatingWebhookConfiguration',
);
