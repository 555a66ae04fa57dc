/**
 * From an object to the cluster-scoped objects that it needs, as data: kind of the object, field path, kind of what it names. Everything
 * namespaced is in the selection anyway; what the edges add is what lies outside of the namespaces.
 */
import { find, listOf, podTemplateOf, textOf } from '../api/fields.ts';
import type { KubeObject, ResourceType } from '../api/object.ts';

export interface Edge {
  /** `Kind` or `Kind.group` of the object that refers; `pods` stands for every kind with a pod template (the path starts at the pod). */
  from: string;
  path: string;
  to: { group: string; kind: string };
  /** Only followed when the reference has this kind. */
  kindField?: string;
}

const RBAC = 'rbac.authorization.k8s.io';
const GATEWAY = 'gateway.networking.k8s.io';

export const EDGES: readonly Edge[] = [
  { from: 'pods', path: 'spec.priorityClassName', to: { group: 'scheduling.k8s.io', kind: 'PriorityClass' } },
  { from: 'pods', path: 'spec.runtimeClassName', to: { group: 'node.k8s.io', kind: 'RuntimeClass' } },
  { from: `RoleBinding.${RBAC}`, path: 'roleRef.name', kindField: 'roleRef.kind', to: { group: RBAC, kind: 'ClusterRole' } },
  { from: `ClusterRoleBinding.${RBAC}`, path: 'roleRef.name', to: { group: RBAC, kind: 'ClusterRole' } },
  { from: 'Ingress.networking.k8s.io', path: 'spec.ingressClassName', to: { group: 'networking.k8s.io', kind: 'IngressClass' } },
  { from: `Gateway.${GATEWAY}`, path: 'spec.gatewayClassName', to: { group: GATEWAY, kind: 'GatewayClass' } },
  {
    from: 'Certificate.cert-manager.io',
    path: 'spec.issuerRef.name',
    kindField: 'spec.issuerRef.kind',
    to: { group: 'cert-manager.io', kind: 'ClusterIssuer' },
  },
  {
    from: 'ResourceClaimTemplate.resource.k8s.io',
    path: 'spec.spec.devices.requests[*].exactly.deviceClassName',
    to: { group: 'resource.k8s.io', kind: 'DeviceClass' },
  },
];

/** Cluster-scoped kinds that name a service of the selection: they belong to the application that answers there. */
export const SERVICE_USERS: readonly { group: string; kind: string; path: string }[] = [
  { group: 'admissionregistration.k8s.io', kind: 'ValidatingWebhookConfiguration', path: 'webhooks[*].clientConfig.service.namespace' },
  { group: 'admissionregistration.k8s.io', kind: 'MutatingWebhookConfiguration', path: 'webhooks[*].clientConfig.service.namespace' },
  { group: 'apiregistration.k8s.io', kind: 'APIService', path: 'spec.service.namespace' },
];

/** Installed with a controller that moves by itself or not at all: looked for on the target, never created there. */
export const BELONG_TO_CLUSTER: ReadonlySet<string> = new Set([
  'IngressClass',
  'RuntimeClass',
  'GatewayClass',
  'DeviceClass',
  'ClusterIssuer',
]);

export interface Reference {
  group: string;
  kind: string;
  name: string;
  path: string;
}

/** The cluster-scoped objects that an object names. */
export function referencesOf(object: KubeObject, type: ResourceType): Reference[] {
  const kind = type.group === '' ? type.kind : `${type.kind}.${type.group}`;
  const pods = podTemplateOf(object)?.template;
  return EDGES.flatMap(({ from, path, to, kindField }) => {
    const root = from === 'pods' ? pods : from === kind ? object : undefined;
    if (root === undefined || (kindField !== undefined && textOf(find(root, kindField)[0]?.value) !== to.kind)) return [];
    return find(root, path).flatMap(({ value }) => {
      const name = textOf(value);
      return name === undefined || name === '' ? [] : [{ ...to, name, path }];
    });
  });
}

/** Does a binding give rights to an account of these namespaces, by name or by the groups that stand for all of them? */
export function bindsNamespace(binding: KubeObject, namespaces: ReadonlySet<string>): { inside: boolean; outside: boolean } {
  let [inside, outside] = [false, false];
  for (const subject of listOf(binding.subjects)) {
    const kind = textOf(find(subject, 'kind')[0]?.value);
    const name = textOf(find(subject, 'name')[0]?.value) ?? '';
    const parts = name.split(':');
    const namespace =
      kind === 'ServiceAccount'
        ? textOf(find(subject, 'namespace')[0]?.value)
        : parts[0] === 'system' && (parts[1] === 'serviceaccounts' || parts[1] === 'serviceaccount')
          ? parts[2]
          : undefined;
    if (namespace !== undefined && namespaces.has(namespace)) inside = true;
    else outside = true;
  }
  return { inside, outside };
}
