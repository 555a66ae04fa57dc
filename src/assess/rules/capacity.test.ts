import assert from 'node:assert/strict';
import { test } from 'node:test';
import { captured } from '../../plan/fixtures/shop.ts';
import { assessCase, deployment, found, node, object, thing, type Case, type Row } from '../fixtures/sides.ts';

const asks = (cpu: string, replicas = 2) =>
  deployment({ containers: [{ name: 'main', image: 'x:v1', resources: { requests: { cpu } } }] }, { replicas });
const used = (cpuMillis: number) => ['one', 'two'].map((each) => ({ node: each, cpuMillis, memoryBytes: 0, pods: 5 }));
const nodes = (...list: ReturnType<typeof node>[]): NonNullable<Case['target']> => ({ facts: { objects: list } });
const scaler = (maxReplicas: number) =>
  object(
    'HorizontalPodAutoscaler',
    'web',
    { spec: { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' }, maxReplicas } },
    'autoscaling/v2',
  );
const metrics = {
  group: 'metrics.k8s.io',
  version: 'v1beta1',
  resource: 'pods',
  kind: 'PodMetrics',
  namespaced: true,
  verbs: ['list'],
  versions: ['v1beta1'],
};
const affinity = (operator: string, values: string[]) => ({
  affinity: {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'zone', operator, values }] }] },
    },
  },
});
const spread = (whenUnsatisfiable: string) => ({
  topologySpreadConstraints: [{ topologyKey: 'topology.kubernetes.io/zone', whenUnsatisfiable }],
});
const priority = (value: number) => thing('PriorityClass', 'high', { value }, 'scheduling.k8s.io/v1');
const budget = (spec: Record<string, unknown>) =>
  object('PodDisruptionBudget', 'web', { spec: { selector: { matchLabels: { app: 'web' } }, ...spec } }, 'policy/v1');

const rows: Row[] = [
  [
    'block NoRoom',
    { objects: [asks('5')], target: { facts: { usage: used(4000) } } },
    { objects: [asks('4')], target: { facts: { usage: used(4000) } } },
  ],
  ['block PodTooLarge', { objects: [asks('9', 1)] }, { objects: [asks('8', 1)] }],
  ['unknown RoomUnknown', { objects: [asks('1')], target: nodes(thing('Node', 'broken')) }, { objects: [asks('1')] }],
  ['warn MetricsApiMissing', { objects: [scaler(2)] }, { objects: [scaler(2)], target: { surface: { resources: [metrics] } } }],
  ['warn AutoscalerBeyondRoom', { objects: [asks('1'), scaler(17)] }, { objects: [asks('1'), scaler(16)] }],
  [
    'warn SchedulerName',
    { objects: [deployment({ schedulerName: 'volcano' })] },
    { objects: [deployment({ schedulerName: 'default-scheduler' })] },
  ],
  ['block NodeNameFixed', { objects: [deployment({ nodeName: 'old-1' })] }, { objects: [deployment({})] }],
  [
    'block NoNodeMatches',
    { objects: [deployment({ nodeSelector: { disk: 'ssd' } })] },
    { objects: [deployment({ nodeSelector: { disk: 'ssd' } })], target: nodes(node('a', { labels: { disk: 'ssd' } })) },
  ],
  ['block TopologyKeyMissing', { objects: [deployment(spread('DoNotSchedule'))] }, { objects: [deployment(spread('ScheduleAnyway'))] }],
  [
    'warn PriorityClassDiffers',
    { objects: [captured(priority(10), { role: 'related' })], target: { facts: { objects: [priority(20)] } } },
    { objects: [captured(priority(10), { role: 'related' })], target: { facts: { objects: [priority(10)] } } },
  ],
  [
    'warn DisruptionBudgetBlocks',
    { objects: [deployment({}), budget({ minAvailable: '100%' })] },
    { objects: [deployment({}), budget({ minAvailable: 1 })] },
  ],
  [
    'unknown ArchitectureUnproven',
    { objects: [deployment({})], target: nodes(node('a', { arch: 'arm64' })) },
    { objects: [deployment({})] },
  ],
  [
    'warn ArchitectureMixed',
    { objects: [deployment({})], target: nodes(node('a', { arch: 'arm64' }), node('b')) },
    { objects: [deployment({ nodeSelector: { 'kubernetes.io/arch': 'amd64' } })], target: nodes(node('a', { arch: 'arm64' }), node('b')) },
  ],
];

for (const [expected, has, hasNot] of rows) {
  test(expected, () => {
    const [, id = ''] = expected.split(' ');
    assert.equal(found(assessCase(has), id), expected);
    assert.equal(found(assessCase(hasNot), id), '');
  });
}

test('taints and affinities are read as the scheduler reads them', () => {
  const tainted = nodes(node('a', { labels: { zone: 'x' }, taints: [{ key: 'gpu', value: 'yes', effect: 'NoSchedule' }] }));
  const free = nodes(node('a', { labels: { zone: 'x' } }));
  const refused = (spec: Record<string, unknown>, target: Case['target']) =>
    found(assessCase({ objects: [deployment(spec)], ...(target && { target }) }), 'NoNodeMatches') !== '';
  assert.ok(refused({}, tainted));
  assert.ok(refused({ tolerations: [{ key: 'gpu', value: 'no' }] }, tainted));
  assert.ok(!refused({ tolerations: [{ key: 'gpu', operator: 'Exists' }] }, tainted));
  assert.ok(!refused({ tolerations: [{ key: 'gpu', value: 'yes', effect: 'NoSchedule' }] }, tainted));
  assert.ok(refused({ tolerations: [{ operator: 'Exists', effect: 'NoExecute' }] }, tainted));
  assert.ok(!refused(affinity('In', ['x', 'y']), free));
  assert.ok(refused(affinity('NotIn', ['x']), free));
  assert.ok(refused(affinity('DoesNotExist', []), free));
});
