import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isInside, overlaps } from '../addresses.ts';
import { assessCase, deployment, found, object, thing, node, type Case, type Row } from '../fixtures/sides.ts';

const NET = 'networking.k8s.io/v1';
const GATEWAY = 'gateway.networking.k8s.io/v1';
const onTarget = (...objects: ReturnType<typeof object>[]): NonNullable<Case['target']> => ({ facts: { objects } });
const fixedPort = (nodePort: number, name = 'web', namespace = 'shop') =>
  object('Service', name, {
    metadata: {
      namespace,
      annotations: { 'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify({ spec: { ports: [{ port: 80, nodePort }] } }) },
    },
    spec: { type: 'NodePort', ports: [{ port: 80, protocol: 'TCP', nodePort }], ipFamilies: ['IPv4'] },
  });
const sixes = (families: string[]) =>
  object('Service', 'web', {
    metadata: { managedFields: [{ manager: 'x', apiVersion: 'v1', fieldsV1: { 'f:spec': { 'f:ipFamilies': {} } } }] },
    spec: { type: 'ClusterIP', ports: [{ port: 80 }], ipFamilies: families },
  });
const ingress = (name: string, more: Record<string, unknown> = {}, annotations: Record<string, string> = {}, namespace = 'shop') =>
  object(
    'Ingress',
    name,
    { metadata: { namespace, annotations }, spec: { rules: [{ host: 'shop.example.com', http: { paths: [{ path: '/' }] } }], ...more } },
    NET,
  );
const classNamed = (name: string, controller: string, isDefault = false) =>
  thing(
    'IngressClass',
    name,
    { metadata: { annotations: isDefault ? { 'ingressclass.kubernetes.io/is-default-class': 'true' } : {} }, spec: { controller } },
    NET,
  );
const gateway = object('Gateway', 'door', { spec: { gatewayClassName: 'envoy' } }, GATEWAY);
const route = object('HTTPRoute', 'web', { spec: { parentRefs: [{ name: 'door' }] } }, GATEWAY);
const policy = (cidr = '192.0.2.0/24') =>
  object('NetworkPolicy', 'p', { spec: { podSelector: {}, egress: [{ to: [{ ipBlock: { cidr } }] }] } }, NET);
const network = (image: string) =>
  object(
    'DaemonSet',
    'cni',
    { metadata: { namespace: 'kube-system' }, spec: { template: { spec: { containers: [{ image }] } } } },
    'apps/v1',
  );
const oldRanges: Case['source'] = {
  facts: {
    objects: [node('n', { podCIDRs: ['10.244.0.0/24'] }), thing('ServiceCIDR', 'kubernetes', { spec: { cidrs: ['10.96.0.0/16'] } }, NET)],
  },
};
const env = (value: string) => deployment({ containers: [{ name: 'main', image: 'x:v1', env: [{ name: 'DB', value }] }] });

const rows: Row[] = [
  [
    'block NodePortTaken',
    { objects: [fixedPort(30_080)], target: onTarget(fixedPort(30_080, 'other', 'else')) },
    { objects: [fixedPort(30_080)], target: onTarget(fixedPort(30_081, 'other', 'else')) },
  ],
  [
    'block IpFamilyMissing',
    { objects: [sixes(['IPv6'])], target: onTarget(sixes(['IPv4'])) },
    { objects: [sixes(['IPv6'])], target: onTarget(sixes(['IPv6'])) },
  ],
  [
    'warn IngressWithoutClass',
    { objects: [ingress('web')] },
    { objects: [ingress('web')], target: onTarget(classNamed('traefik', 'traefik.io/ingress-controller', true)) },
  ],
  [
    'block IngressHostTaken',
    { objects: [ingress('web')], target: onTarget(ingress('theirs', {}, {}, 'else')) },
    { objects: [ingress('web')], target: onTarget(ingress('theirs', { rules: [{ host: 'other.example.com' }] }, {}, 'else')) },
  ],
  [
    'warn IngressAnnotationsUnread',
    {
      objects: [ingress('web', {}, { 'nginx.ingress.kubernetes.io/rewrite-target': '/' })],
      target: onTarget(classNamed('traefik', 'traefik.io/ingress-controller', true)),
    },
    {
      objects: [ingress('web', {}, { 'nginx.ingress.kubernetes.io/rewrite-target': '/' })],
      target: onTarget(classNamed('nginx', 'k8s.io/ingress-nginx', true)),
    },
  ],
  [
    'warn GatewayClassMissing',
    { objects: [gateway] },
    { objects: [gateway], target: onTarget(thing('GatewayClass', 'envoy', {}, GATEWAY)) },
  ],
  ['warn GatewayMissing', { objects: [route] }, { objects: [route, gateway] }],
  [
    'warn NetworkPolicyNotEnforced',
    { objects: [policy()], target: onTarget(network('docker.io/flannel/flannel:v1')) },
    { objects: [policy()], target: onTarget(network('quay.io/cilium/cilium:v1')) },
  ],
  ['unknown NetworkPolicyUnproven', { objects: [policy()] }, { objects: [policy()], target: onTarget(network('quay.io/calico/node:v3')) }],
  [
    'warn PolicyNamesOldRange',
    { objects: [policy('10.244.0.0/16')], source: { facts: { objects: [node('n', { podCIDRs: ['10.244.0.0/16'] })] } } },
    { objects: [policy()], source: oldRanges },
  ],
  [
    'block ClusterDomainDiffers',
    { objects: [env('db.shop.svc.cluster.local')], target: { facts: { dnsDomain: 'prod.example' } } },
    { objects: [env('db.shop.svc')], target: { facts: { dnsDomain: 'prod.example' } } },
  ],
  [
    'warn AddressOfOldCluster',
    { objects: [env('10.96.3.4:5432')], source: oldRanges },
    { objects: [env('10.97.3.4:5432')], source: oldRanges },
  ],
];

for (const [expected, has, hasNot] of rows) {
  test(expected, () => {
    const [, id = ''] = expected.split(' ');
    assert.equal(found(assessCase(has), id), expected);
    assert.equal(found(assessCase(hasNot), id), '');
  });
}

test('address ranges', () => {
  assert.ok(isInside('10.96.255.255', ['10.96.0.0/16']));
  assert.ok(!isInside('10.97.0.0', ['10.96.0.0/16']));
  assert.ok(isInside('fd00::1', ['10.0.0.0/8', 'fd00::/8']));
  assert.ok(!isInside('not an address', ['0.0.0.0/0']));
  assert.ok(!isInside('10.0.0.1', ['10.0.0.0/99', 'nonsense']));
  assert.ok(overlaps('10.0.0.0/8', '10.5.0.0/16') && !overlaps('10.0.0.0/16', '10.5.0.0/16'));
});
