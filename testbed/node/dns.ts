/** CoreDNS: names of services, and names of the bed under testbed.internal. */
import type { NodeSpec } from './spec.ts';

/**
 * Two server blocks on purpose: plugins run in the order they were built in, not in the order of the file, so a `template` in the first block
 * would answer NXDOMAIN for everything.
 */
export function corefile(spec: NodeSpec): string {
  return `cluster.local:53 in-addr.arpa:53 ip6.arpa:53 testbed.internal:53 {
    errors
    health
    ready
    kubernetes cluster.local in-addr.arpa ip6.arpa {
        pods insecure
        fallthrough in-addr.arpa ip6.arpa
        ttl 10
    }
    hosts {
        ${spec.bed.gateway} s3.testbed.internal
        ${spec.bed.nodes.source.address} node-source.testbed.internal
        ${spec.bed.nodes.target.address} node-target.testbed.internal
        fallthrough
    }
    cache 10
}
.:53 {
    template ANY ANY . {
        rcode NXDOMAIN
    }
}
`;
}

export function dnsObjects(spec: NodeSpec, image: string): { readonly path: string; readonly object: unknown }[] {
  const labels = { 'k8s-app': 'kube-dns' };
  const metadata = { name: 'coredns', namespace: 'kube-system' };
  const inSystem = '/namespaces/kube-system';
  const rbac = '/apis/rbac.authorization.k8s.io/v1';
  const port = (name: string, number: number, protocol: string) => ({ name, port: number, protocol });
  return [
    { path: `/api/v1${inSystem}/serviceaccounts/coredns`, object: { apiVersion: 'v1', kind: 'ServiceAccount', metadata } },
    {
      path: `${rbac}/clusterroles/testbed:coredns`,
      object: {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'ClusterRole',
        metadata: { name: 'testbed:coredns' },
        rules: [
          { apiGroups: [''], resources: ['services', 'pods', 'namespaces'], verbs: ['list', 'watch'] },
          { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['list', 'watch'] },
        ],
      },
    },
    {
      path: `${rbac}/clusterrolebindings/testbed:coredns`,
      object: {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'ClusterRoleBinding',
        metadata: { name: 'testbed:coredns' },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'testbed:coredns' },
        subjects: [{ kind: 'ServiceAccount', name: 'coredns', namespace: 'kube-system' }],
      },
    },
    {
      path: `/api/v1${inSystem}/configmaps/coredns`,
      object: { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { Corefile: corefile(spec) } },
    },
    {
      path: `/api/v1${inSystem}/services/kube-dns`,
      object: {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'kube-dns', namespace: 'kube-system', labels },
        spec: { clusterIP: spec.addresses.dns, selector: labels, ports: [port('dns', 53, 'UDP'), port('dns-tcp', 53, 'TCP')] },
      },
    },
    {
      path: `/apis/apps/v1${inSystem}/deployments/coredns`,
      object: { apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec: deployment(labels, image) },
    },
  ];
}

function deployment(labels: Record<string, string>, image: string): unknown {
  return {
    replicas: 1,
    selector: { matchLabels: labels },
    template: {
      metadata: { labels },
      spec: {
        serviceAccountName: 'coredns',
        dnsPolicy: 'Default',
        priorityClassName: 'system-cluster-critical',
        containers: [
          {
            name: 'coredns',
            image,
            imagePullPolicy: 'Never',
            args: ['-conf', '/etc/coredns/Corefile'],
            ports: [
              { containerPort: 53, name: 'dns', protocol: 'UDP' },
              { containerPort: 53, name: 'dns-tcp', protocol: 'TCP' },
            ],
            readinessProbe: { httpGet: { path: '/ready', port: 8181 }, periodSeconds: 10, failureThreshold: 30 },
            startupProbe: { httpGet: { path: '/ready', port: 8181 }, periodSeconds: 1, failureThreshold: 60 },
            securityContext: {
              allowPrivilegeEscalation: false,
              capabilities: { add: ['NET_BIND_SERVICE'], drop: ['ALL'] },
              readOnlyRootFilesystem: true,
            },
            volumeMounts: [{ name: 'config', mountPath: '/etc/coredns', readOnly: true }],
          },
        ],
        volumes: [{ name: 'config', configMap: { name: 'coredns' } }],
      },
    },
  };
}
