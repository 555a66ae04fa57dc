import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '../api/object.ts';
import { planOf, stepOf } from './fixtures/shop.ts';

const ports = [
  { name: 'http', port: 80, protocol: 'TCP', nodePort: 31000 },
  { name: 'admin', port: 81, protocol: 'TCP', nodePort: 31001 },
];

function service(spec: Record<string, unknown>, metadata: Record<string, unknown> = {}): KubeObject {
  return { apiVersion: 'v1', kind: 'Service', metadata: { name: 'web', namespace: 'shop', ...metadata }, spec };
}

function planned(object: KubeObject, nodePorts: 'Reset' | 'Preserve' = 'Reset'): Record<string, unknown> {
  return stepOf(planOf([object], { mapping: { nodePorts } }), 'Service store/web').manifest.spec as Record<string, unknown>;
}

const nodePortsOf = (spec: Record<string, unknown>) => (spec['ports'] as { nodePort?: number }[]).map(({ nodePort }) => nodePort);

test('automatic node ports are given back', () => {
  assert.deepEqual(nodePortsOf(planned(service({ type: 'NodePort', ports }))), [undefined, undefined]);
});

test('a node port that kubectl apply sent is kept', () => {
  const applied = JSON.stringify({
    spec: {
      ports: [
        { name: 'http', port: 80 },
        { name: 'admin', port: 81, nodePort: 31001 },
      ],
    },
  });
  const object = service({ type: 'NodePort', ports }, { annotations: { 'kubectl.kubernetes.io/last-applied-configuration': applied } });
  assert.deepEqual(nodePortsOf(planned(object)), [undefined, 31001]);
});

test('a node port that a client sent by itself is kept, whatever kubectl apply knows', () => {
  const managedFields = [
    { manager: 'kubectl-patch', fieldsV1: { 'f:spec': { 'f:ports': { 'k:{"port":80,"protocol":"TCP"}': { 'f:nodePort': {} } } } } },
  ];
  const annotations = {
    'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify({ spec: { ports: [{ port: 80 }, { port: 81 }] } }),
  };
  assert.deepEqual(nodePortsOf(planned(service({ type: 'NodePort', ports }, { managedFields, annotations }))), [31000, undefined]);
});

test('Preserve keeps automatic ones as well', () => {
  assert.deepEqual(nodePortsOf(planned(service({ type: 'NodePort', ports }), 'Preserve')), [31000, 31001]);
});

test('addresses are given back, headless stays headless, an external name is untouched', () => {
  const given = planned(
    service({ clusterIP: '10.0.0.1', clusterIPs: ['10.0.0.1'], ipFamilies: ['IPv4'], ipFamilyPolicy: 'SingleStack', ports: [] }),
  );
  assert.deepEqual(given, { ports: [] });
  assert.equal(planned(service({ clusterIP: 'None', clusterIPs: ['None'] }))['clusterIP'], 'None');
  assert.deepEqual(planned(service({ type: 'ExternalName', externalName: 'db.example.com' })), {
    type: 'ExternalName',
    externalName: 'db.example.com',
  });
});

test('an automatic health check port is given back', () => {
  assert.equal(
    planned(service({ type: 'LoadBalancer', externalTrafficPolicy: 'Local', healthCheckNodePort: 32000, ports }))['healthCheckNodePort'],
    undefined,
  );
});
