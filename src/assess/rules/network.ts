/** Addresses, ports, names and the ways in: what is taken on the target, and what would be without effect there. */
import { everyField, fieldAt, find, listOf, textOf } from '../../api/fields.ts';
import type { KubeObject } from '../../api/object.ts';
import { isInside } from '../addresses.ts';
import { factsOf, some, type Found, type Rule, type RuleContext, type Side } from '../rule.ts';

export const networkRules: readonly Rule[] = [
  {
    id: 'NET-1',
    title: 'Ports and addresses are free on the target',
    severity: 'block',
    proof: 'clusters',
    reads: 'services that move, services of the target',
    fix: 'Choose another port, or let the target choose one (remove nodePort).',
    reason: 'A service whose port is taken is refused, after the application was stopped.',
    findings: ['NodePortTaken', 'IpFamilyMissing', 'HostNetwork', 'FixedAddress', 'LoadBalancer'],
    check: checkPorts,
  },
  {
    id: 'NET-2',
    title: 'The ways in work on the target',
    severity: 'block',
    proof: 'clusters',
    reads: 'ingresses, gateways and routes that move; classes, controllers, hosts and paths of the target',
    fix: 'Install the controller, change the class, or free the host name.',
    reason: 'An ingress without a controller gets no traffic; one whose host is taken takes or loses that of another.',
    findings: [
      'IngressClassMissing',
      'IngressWithoutClass',
      'IngressHostTaken',
      'IngressAnnotationsUnread',
      'GatewayClassMissing',
      'GatewayMissing',
    ],
    check: checkWaysIn,
  },
  {
    id: 'NET-3',
    title: 'Network policies mean the same on the target',
    severity: 'warn',
    proof: 'clusters',
    reads: 'network policies that move, the pod network of the target, address ranges of the source',
    fix: 'Use a pod network that enforces policies, and change the ranges.',
    reason: 'A policy that nothing enforces protects nothing; one with ranges of the old cluster opens or closes the wrong door.',
    findings: ['NetworkPolicyNotEnforced', 'NetworkPolicyUnproven', 'PolicyNamesOldRange'],
    check: checkPolicies,
  },
  {
    id: 'NET-4',
    title: 'Nothing names the domain or the addresses of the old cluster',
    severity: 'warn',
    proof: 'clusters',
    reads: 'texts of the objects that move; DNS domain and address ranges of both clusters',
    fix: 'Use names without the domain of the cluster (db.shop.svc), and names instead of addresses.',
    reason: 'A name of the old domain does not resolve on the target, an address leads to somebody else.',
    findings: ['ClusterDomainDiffers', 'AddressOfOldCluster', 'ServiceNameNotRewritten'],
    check: checkNames,
  },
];

const keyOf = ({ metadata }: KubeObject) => `${metadata.namespace ?? ''}/${metadata.name}`;

function checkPorts({ moving, target }: RuleContext): Found[] {
  const where = target.surface.cluster.name;
  const taken = new Map<number, string>();
  for (const service of factsOf(target, 'Service')) {
    for (const { value } of [...find(service, 'spec.ports[*].nodePort'), ...find(service, 'spec.healthCheckNodePort')]) {
      if (typeof value === 'number' && value > 0) taken.set(value, keyOf(service));
    }
  }
  const families = new Set(factsOf(target, 'Service').flatMap((each) => listOf(fieldAt(each, 'spec', 'ipFamilies')).map(String)));
  return moving.flatMap(({ object, origin, resource }): Found[] => {
    if (object.kind !== 'Service' || resource.group !== '') return [];
    const found: Found[] = [];
    for (const { value } of [...find(object, 'spec.ports[*].nodePort'), ...find(object, 'spec.healthCheckNodePort')]) {
      const owner = taken.get(Number(value));
      if (owner === undefined || owner === keyOf(object)) continue;
      found.push({
        id: 'NodePortTaken',
        severity: 'block',
        subject: origin,
        message: `It asks for the node port ${String(value)}, which the service ${owner} has on ${where}.`,
        fix: 'Remove nodePort from the service, or choose another.',
      });
    }
    // The families of the service `kubernetes` and its like are what the cluster can.
    const missing = listOf(fieldAt(object, 'spec', 'ipFamilies'))
      .map(String)
      .filter((family) => families.size > 0 && !families.has(family));
    if (missing.length > 0) {
      const dual = fieldAt(object, 'spec', 'ipFamilyPolicy') === 'PreferDualStack';
      found.push({
        id: 'IpFamilyMissing',
        severity: dual ? 'warn' : 'block',
        subject: origin,
        message: `It asks for ${missing.join(' and ')} addresses, and no service of ${where} has one.`,
        fix: 'Remove ipFamilies from the service, or use a target with that family.',
      });
    }
    return found;
  });
}

/** Annotation prefixes and the controller (of an IngressClass) that reads them. */
const READERS: readonly { prefix: string; controller: RegExp; name: string }[] = [
  { prefix: 'nginx.ingress.kubernetes.io/', controller: /ingress-nginx/, name: 'ingress-nginx (retired in March 2026)' },
  { prefix: 'nginx.org/', controller: /nginx\.org/, name: 'the ingress controller of NGINX' },
  { prefix: 'traefik.ingress.kubernetes.io/', controller: /traefik/, name: 'Traefik' },
  { prefix: 'haproxy.org/', controller: /haproxy\.org|haproxy-ingress/, name: 'the HAProxy ingress controller' },
  { prefix: 'haproxy-ingress.github.io/', controller: /haproxy-ingress/, name: 'HAProxy Ingress' },
  { prefix: 'alb.ingress.kubernetes.io/', controller: /ingress\.k8s\.aws|eks\.amazonaws\.com/, name: 'the AWS load balancer controller' },
  { prefix: 'appgw.ingress.kubernetes.io/', controller: /azure\/application-gateway/, name: 'the Azure application gateway controller' },
  { prefix: 'konghq.com/', controller: /konghq/, name: 'Kong' },
  { prefix: 'projectcontour.io/', controller: /projectcontour/, name: 'Contour' },
];

function checkWaysIn(context: RuleContext): Found[] {
  const { moving, target } = context;
  return moving.flatMap(({ object, origin, resource }): Found[] => {
    if (object.kind === 'Ingress' && resource.group === 'networking.k8s.io') {
      return ingressFindings(object, context).map((found) => ({ ...found, subject: origin }));
    }
    if (resource.group !== 'gateway.networking.k8s.io') return [];
    return gatewayFindings(object, target, moving).map((found) => ({ ...found, subject: origin }));
  });
}

function hostsAndPaths(ingress: KubeObject): string[] {
  return listOf(fieldAt(ingress, 'spec', 'rules')).flatMap((rule) => {
    const host = textOf(fieldAt(rule, 'host')) ?? '';
    const paths = listOf(fieldAt(rule, 'http', 'paths')).map((path) => textOf(fieldAt(path, 'path')) ?? '/');
    // Without a host it takes what others leave: no collision.
    return host === '' ? [] : (paths.length === 0 ? ['/'] : paths).map((path) => `${host}${path}`);
  });
}

function ingressFindings(object: KubeObject, { target }: RuleContext): Found[] {
  const found: Found[] = [];
  const where = target.surface.cluster.name;
  const classes = factsOf(target, 'IngressClass');
  const named = textOf(fieldAt(object, 'spec', 'ingressClassName')) ?? object.metadata.annotations?.['kubernetes.io/ingress.class'];
  const isDefault = (each: KubeObject) => each.metadata.annotations?.['ingressclass.kubernetes.io/is-default-class'] === 'true';
  const effective = classes.find((each) => (named === undefined ? isDefault(each) : each.metadata.name === named));
  if (named === undefined && effective === undefined) {
    found.push({
      id: 'IngressWithoutClass',
      severity: 'warn',
      message: `It names no ingress class, and ${where} has no default one: perhaps no controller takes it.`,
      fix: 'Name a class, or mark one of the target as default.',
    });
  }
  const mine = new Set(hostsAndPaths(object));
  for (const other of factsOf(target, 'Ingress')) {
    if (keyOf(other) === keyOf(object)) continue;
    const both = hostsAndPaths(other).filter((each) => mine.has(each));
    if (both.length === 0) continue;
    found.push({
      id: 'IngressHostTaken',
      severity: 'block',
      message: `${some(both)} belongs to the ingress ${keyOf(other)} on ${where} already.`,
      fix: 'Remove the other one, or change the host name.',
    });
  }
  const controllers = classes.map((each) => textOf(fieldAt(each, 'spec', 'controller')) ?? '');
  for (const { prefix, controller, name } of READERS) {
    const annotations = Object.keys(object.metadata.annotations ?? {}).filter((key) => key.startsWith(prefix));
    const readers = effective === undefined ? controllers : [textOf(fieldAt(effective, 'spec', 'controller')) ?? ''];
    if (annotations.length === 0 || readers.some((each) => controller.test(each))) continue;
    found.push({
      id: 'IngressAnnotationsUnread',
      severity: 'warn',
      message: `${some(annotations.map((key) => key.slice(prefix.length)))} (${prefix}) is read by ${name} only, which does not serve this ingress on ${where}.`,
      fix: 'Say the same in the way of the controller of the target, or with the Gateway API.',
    });
  }
  return found;
}

function gatewayFindings(object: KubeObject, target: Side, moving: RuleContext['moving']): Found[] {
  const where = target.surface.cluster.name;
  if (object.kind === 'Gateway') {
    const name = textOf(fieldAt(object, 'spec', 'gatewayClassName')) ?? '';
    if (factsOf(target, 'GatewayClass').some((each) => each.metadata.name === name)) return [];
    return [
      {
        id: 'GatewayClassMissing',
        severity: 'warn',
        message: `Gateway class ${name} does not exist on ${where}; the gateway will get no traffic.`,
        fix: 'Install an implementation with that class, or change it.',
      },
    ];
  }
  const there = new Set(
    [...factsOf(target, 'Gateway'), ...moving.filter((each) => each.object.kind === 'Gateway').map((each) => each.object)].map(keyOf),
  );
  const missing = listOf(fieldAt(object, 'spec', 'parentRefs'))
    .filter((parent) => (fieldAt(parent, 'kind') ?? 'Gateway') === 'Gateway')
    .map((parent) => `${textOf(fieldAt(parent, 'namespace')) ?? object.metadata.namespace ?? ''}/${textOf(fieldAt(parent, 'name')) ?? ''}`)
    .filter((key) => !there.has(key));
  if (missing.length === 0) return [];
  return [
    {
      id: 'GatewayMissing',
      severity: 'warn',
      message: `The gateway ${some(missing)} is neither on ${where} nor part of the move; the route will get no traffic.`,
      fix: 'Create the gateway on the target, or move its namespace too.',
    },
  ];
}

/** Pod networks by the images of their daemons, and whether they enforce network policies. */
const POD_NETWORKS: readonly { image: RegExp; name: string; enforces: boolean }[] = [
  { image: /(?:^|\/)cilium(?:\/cilium)?[:@]/, name: 'Cilium', enforces: true },
  { image: /calico/, name: 'Calico', enforces: true },
  { image: /antrea/, name: 'Antrea', enforces: true },
  { image: /kube-router/, name: 'kube-router', enforces: true },
  { image: /weave/, name: 'Weave Net', enforces: true },
  { image: /ovn-kubernetes|ovnkube|kube-ovn/, name: 'OVN-Kubernetes', enforces: true },
  { image: /kindnet/, name: 'kindnet', enforces: true },
  { image: /aws-network-policy-agent/, name: 'the network policy agent of AWS', enforces: true },
  { image: /azure-npm/, name: 'Azure NPM', enforces: true },
  { image: /flannel/, name: 'Flannel', enforces: false },
];

function checkPolicies({ moving, source, target }: RuleContext): Found[] {
  const policies = moving.filter(({ object }) => object.kind === 'NetworkPolicy');
  if (policies.length === 0) return [];
  const where = target.surface.cluster.name;
  const images = factsOf(target, 'DaemonSet').flatMap((each) =>
    find(each, 'spec.template.spec.containers[*].image').map((hit) => String(hit.value)),
  );
  const networks = POD_NETWORKS.filter(({ image }) => images.some((each) => image.test(each)));
  const found: Found[] = [];
  if (!networks.some(({ enforces }) => enforces)) {
    found.push({
      id: networks.length > 0 ? 'NetworkPolicyNotEnforced' : 'NetworkPolicyUnproven',
      severity: networks.length > 0 ? 'warn' : 'unknown',
      message:
        networks.length > 0
          ? `${networks.map(({ name }) => name).join(', ')}, the pod network of ${where}, does not enforce network policies, and ${policies.length} move.`
          : `Whether the pod network of ${where} enforces network policies is not known, and ${policies.length} move.`,
      fix: 'See that the pod network of the target enforces them.',
    });
  }
  const ranges = rangesOf(source);
  for (const { object, origin } of policies) {
    const old = [...everyField(object['spec'])]
      .filter(({ key, value }) => key === 'cidr' && isInside(String(value), ranges))
      .map(({ value }) => String(value));
    if (old.length === 0) continue;
    found.push({
      id: 'PolicyNamesOldRange',
      severity: 'warn',
      subject: origin,
      message: `It names ${some(old)}, addresses of pods or services of the source.`,
      fix: 'Use selectors, or the ranges of the target.',
    });
  }
  return found;
}

/** Ranges of pods and services of a cluster, as far as they can be read. */
function rangesOf(side: Side): string[] {
  const services = factsOf(side, 'ServiceCIDR').flatMap((each) => listOf(fieldAt(each, 'spec', 'cidrs')));
  const pods = factsOf(side, 'Node').flatMap((each) => listOf(fieldAt(each, 'spec', 'podCIDRs')));
  return [...services, ...pods].map(String);
}

const ADDRESS = /(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.])/g;

function checkNames({ moving, source, target }: RuleContext): Found[] {
  const [from, to] = [source.facts.dnsDomain, target.facts.dnsDomain];
  const ranges = rangesOf(source);
  const where = target.surface.cluster.name;
  return moving.flatMap(({ object, origin }): Found[] => {
    if (['NetworkPolicy', 'CustomResourceDefinition', 'Namespace'].includes(object.kind)) return [];
    const { metadata, ...content } = object;
    void metadata;
    const texts = [...everyField(content)].flatMap(({ value }) => (typeof value === 'string' ? [decoded(object, value)] : []));
    const found: Found[] = [];
    const domain = from !== undefined && to !== undefined && from !== to && texts.some((text) => text.includes(`.svc.${from}`));
    if (domain) {
      found.push({
        id: 'ClusterDomainDiffers',
        severity: 'block',
        subject: origin,
        message: `It names services in the domain ${from}; the domain of ${where} is ${to}.`,
        fix: 'Use names that end in .svc.',
      });
    }
    const old = texts
      .flatMap((text) => [...text.matchAll(ADDRESS)].map(([address]) => address))
      .filter((address) => isInside(address, ranges));
    if (old.length > 0) {
      found.push({
        id: 'AddressOfOldCluster',
        severity: 'warn',
        subject: origin,
        message: `It names ${some(old)}, an address of a pod or service of the source.`,
        fix: 'Use the name of the service.',
      });
    }
    return found;
  });
}

/** Content of a Secret is base64; after the reduction only host names are left of it. */
function decoded({ kind, apiVersion }: KubeObject, value: string): string {
  return kind === 'Secret' && apiVersion === 'v1' ? Buffer.from(value, 'base64').toString('utf8') : value;
}
