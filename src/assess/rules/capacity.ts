/** Room, placement and architecture: will the pods find nodes on the target? */
import { fieldAt, find, listOf, textOf } from '../../api/fields.ts';
import { requestsOf } from '../../capture/index.ts';
import { factsOf, isKnown, some, type Found, type Rule, type RuleContext } from '../rule.ts';
import { refusal, roomOf } from './nodes.ts';

export const capacityRules: readonly Rule[] = [
  {
    id: 'CAP-1',
    title: 'The target has room for the application',
    severity: 'block',
    proof: 'clusters',
    reads: 'requests of the pods, allocatable of the target nodes less what runs there',
    fix: 'Add nodes, or lower the requests.',
    reason: 'Pods without room stay pending after the source was stopped.',
    findings: ['NoRoom', 'PodTooLarge', 'RoomUnknown'],
    check: checkRoom,
  },
  {
    id: 'CAP-2',
    title: 'Autoscaling works and has room',
    severity: 'warn',
    proof: 'clusters',
    reads: 'HorizontalPodAutoscalers, discovery and room of the target',
    fix: 'Install a metrics server; add nodes up to the largest size.',
    reason: 'Without metrics an autoscaler does nothing, and the first peak meets the smallest size.',
    findings: ['MetricsApiMissing', 'AutoscalerBeyondRoom'],
    check: checkAutoscalers,
  },
  {
    id: 'SCH-1',
    title: 'Nodes of the target match what the pods ask for',
    severity: 'block',
    proof: 'clusters',
    reads: 'selectors, affinities, tolerations, spread constraints and classes of the pods; labels and taints of the target nodes',
    fix: 'Label or add nodes, create the class, or change the pods.',
    reason: 'A pod that fits no node stays pending; one whose class is missing is refused.',
    findings: [
      'NoNodeMatches',
      'NodeNameFixed',
      'TopologyKeyMissing',
      'PriorityClassDiffers',
      'NodePlacement',
      'SchedulerName',
      'PriorityClassMissing',
      'RuntimeClassMissing',
    ],
    check: checkPlacement,
  },
  {
    id: 'SCH-2',
    title: 'Disruption budgets can be met',
    severity: 'warn',
    proof: 'objects',
    reads: 'PodDisruptionBudgets and the replicas of what they guard',
    fix: 'Allow at least one pod to be away, or run more replicas.',
    reason: 'A budget that allows nothing blocks every drain of a node of the target.',
    findings: ['DisruptionBudgetBlocks'],
    check: checkBudgets,
  },
  {
    id: 'ARC-1',
    title: 'The images run on the processors of the target',
    severity: 'block',
    proof: 'clusters',
    reads: 'architectures of the nodes of both clusters',
    fix: 'Give the target nodes of the same architecture, or build the images for both.',
    reason: 'An image without a manifest for the architecture is not pulled, or fails at its first instruction.',
    findings: ['ArchitectureUnproven', 'ArchitectureMixed'],
    check: checkArchitecture,
  },
];

const GIB = 2 ** 30;
const amount = (cpuMillis: number, memoryBytes: number) => `${cpuMillis}m CPU and ${(memoryBytes / GIB).toFixed(1)} GiB memory`;

function checkRoom(context: RuleContext): Found[] {
  const { target, workloads } = context;
  const where = target.surface.cluster.name;
  const nodes = roomOf(target);
  if (workloads.length === 0) return [];
  if (nodes.length === 0 || target.facts.usage === undefined) {
    return [
      {
        id: 'RoomUnknown',
        severity: 'unknown',
        message:
          nodes.length === 0 && isKnown(target, 'nodes')
            ? `${where} has no node that is ready and takes pods now, so whether the application finds room is not known.`
            : `How much room ${where} has is not known.`,
        fix: 'Add nodes (or rely on its autoscaler), and grant list on nodes and pods.',
      },
    ];
  }
  const found: Found[] = [];
  let [cpu, memory, pods] = [0, 0, 0];
  for (const { spec, replicas, ref } of workloads) {
    const each = requestsOf(spec);
    cpu += each.cpuMillis * replicas;
    memory += each.memoryBytes * replicas;
    pods += replicas;
    const fitting = nodes.filter((node) => refusal(spec, node) === undefined);
    const fits = fitting.some((node) => node.cpuMillis >= each.cpuMillis && node.memoryBytes >= each.memoryBytes);
    // Without any fitting node SCH-1 speaks.
    if (!fits && fitting.length > 0 && replicas > 0) {
      found.push({
        id: 'PodTooLarge',
        severity: 'block',
        subject: ref,
        message: `One of its pods asks for ${amount(each.cpuMillis, each.memoryBytes)}, and no node of ${where} that it fits has that free.`,
        fix: 'Add a larger node, free one, or lower the requests.',
      });
    }
  }
  const free = nodes.reduce(
    (sum, node) => ({ cpu: sum.cpu + node.cpuMillis, memory: sum.memory + node.memoryBytes, pods: sum.pods + node.pods }),
    {
      cpu: 0,
      memory: 0,
      pods: 0,
    },
  );
  if (cpu > free.cpu || memory > free.memory || pods > free.pods) {
    found.push({
      id: 'NoRoom',
      severity: 'block',
      message: `The application asks for ${amount(cpu, memory)} in ${pods} pods; ${where} has ${amount(Math.max(0, free.cpu), Math.max(0, free.memory))} and room for ${Math.max(0, free.pods)} pods free.`,
      fix: 'Add nodes, or lower the requests.',
    });
  }
  return found;
}

function checkAutoscalers({ moving, target, workloads }: RuleContext): Found[] {
  const scalers = moving.filter(({ object }) => object.kind === 'HorizontalPodAutoscaler');
  if (scalers.length === 0) return [];
  const found: Found[] = [];
  const where = target.surface.cluster.name;
  if (!target.surface.resources.some((type) => type.group === 'metrics.k8s.io')) {
    found.push({
      id: 'MetricsApiMissing',
      severity: 'warn',
      message: `${where} serves no metrics (metrics.k8s.io), so ${some(scalers.map(({ origin }) => origin.name))} would not scale by processor or memory.`,
      fix: 'Install a metrics server on the target.',
    });
  }
  const nodes = target.facts.usage === undefined ? [] : roomOf(target);
  const free = nodes.reduce((sum, node) => sum + node.cpuMillis, 0);
  for (const { object, origin } of scalers) {
    const { kind, name } = Object(fieldAt(object, 'spec', 'scaleTargetRef')) as { kind?: unknown; name?: unknown }; // JSON border
    const scaled = workloads.find(
      (each) => each.ref.kind === kind && each.ref.name === name && each.namespace === object.metadata.namespace,
    );
    const most = Number(fieldAt(object, 'spec', 'maxReplicas') ?? 0);
    if (scaled === undefined || nodes.length === 0) continue;
    const need = requestsOf(scaled.spec).cpuMillis * most;
    if (need <= free) continue;
    found.push({
      id: 'AutoscalerBeyondRoom',
      severity: 'warn',
      subject: origin,
      message: `At its largest size (${most}) it asks for ${need}m CPU; ${where} has ${Math.max(0, free)}m free now.`,
      fix: 'See that the target can grow, or lower maxReplicas.',
    });
  }
  return found;
}

function checkPlacement(context: RuleContext): Found[] {
  const { target, workloads, captured } = context;
  const nodes = roomOf(target);
  const where = target.surface.cluster.name;
  const found: Found[] = [];
  for (const { spec, ref } of workloads) {
    const fixed = textOf(fieldAt(spec, 'nodeName'));
    if (fixed !== undefined && fixed !== '') {
      found.push({
        id: 'NodeNameFixed',
        severity: 'block',
        subject: ref,
        message: `Its pods are fixed to the node ${fixed}; on ${where} they wait for a node of that name.`,
        fix: 'Replace nodeName by a node selector.',
      });
    } else if (nodes.length > 0 && ref.kind !== 'DaemonSet') {
      const reasons = nodes.map((node) => refusal(spec, node));
      if (reasons.every((reason) => reason !== undefined)) {
        found.push({
          id: 'NoNodeMatches',
          severity: 'block',
          subject: ref,
          message: `None of the ${nodes.length} nodes of ${where} takes its pods (${some(reasons.flatMap((reason) => reason ?? []))}).`,
          fix: 'Label a node of the target as the pods ask for, tolerate its taints, or change the pods.',
        });
      }
    }
    const keys = listOf(fieldAt(spec, 'topologySpreadConstraints'))
      .filter((each) => fieldAt(each, 'whenUnsatisfiable') === 'DoNotSchedule')
      .map((each) => textOf(fieldAt(each, 'topologyKey')) ?? '');
    const missing = keys.filter((key) => nodes.length > 0 && !nodes.some(({ labels }) => labels[key] !== undefined));
    if (missing.length > 0) {
      found.push({
        id: 'TopologyKeyMissing',
        severity: 'block',
        subject: ref,
        message: `Its pods must spread over ${some(missing)}, a label that no node of ${where} has.`,
        fix: 'Label the nodes, or let the constraint be ScheduleAnyway.',
      });
    }
  }
  const classes = new Map(factsOf(target, 'PriorityClass').map((each) => [each.metadata.name, each]));
  for (const { object } of captured.objects) {
    const other = object.kind === 'PriorityClass' ? classes.get(object.metadata.name) : undefined;
    if (other === undefined || other['value'] === object['value']) continue;
    found.push({
      id: 'PriorityClassDiffers',
      severity: 'warn',
      subject: { group: 'scheduling.k8s.io', kind: 'PriorityClass', name: object.metadata.name },
      message: `It has the value ${String(other['value'])} on ${where} and ${String(object['value'])} on the source.`,
      fix: 'Pods may displace, or be displaced by, others than on the source: choose a class of the target.',
    });
  }
  return found;
}

function checkBudgets({ moving, workloads }: RuleContext): Found[] {
  return moving.flatMap(({ object, origin }): Found[] => {
    if (object.kind !== 'PodDisruptionBudget') return [];
    const labels = Object.entries(Object(fieldAt(object, 'spec', 'selector', 'matchLabels')) as Record<string, unknown>); // JSON border
    const guarded = workloads.filter(
      ({ template, namespace }) =>
        namespace === object.metadata.namespace &&
        labels.length > 0 &&
        labels.every(([key, value]) => fieldAt(template, 'metadata', 'labels', key) === value),
    );
    const replicas = guarded.reduce((sum, each) => sum + each.replicas, 0);
    const count = (value: unknown) =>
      typeof value === 'string' && value.endsWith('%') ? Math.ceil((Number(value.slice(0, -1)) * replicas) / 100) : Number(value);
    const least = fieldAt(object, 'spec', 'minAvailable');
    const away = fieldAt(object, 'spec', 'maxUnavailable');
    const blocks = least !== undefined ? count(least) >= replicas : away !== undefined && count(away) === 0;
    if (replicas === 0 || !blocks) return [];
    return [
      {
        id: 'DisruptionBudgetBlocks',
        severity: 'warn',
        subject: origin,
        message: `It lets none of its ${replicas} pods be away, so no node that runs one can be drained.`,
        fix: 'Allow at least one to be away, or run more replicas.',
      },
    ];
  });
}

function checkArchitecture({ source, target, workloads }: RuleContext): Found[] {
  const architectures = (side: RuleContext['source']) => [
    ...new Set(factsOf(side, 'Node').flatMap((node) => textOf(fieldAt(node, 'status', 'nodeInfo', 'architecture')) ?? [])),
  ];
  const [from, to] = [architectures(source), architectures(target)];
  if (from.length === 0 || to.length === 0 || workloads.length === 0) return [];
  const images = some(workloads.flatMap(({ spec }) => find(spec, 'containers[*].image').map((hit) => String(hit.value))));
  const strange = to.filter((each) => !from.includes(each));
  if (strange.length === 0) return [];
  const where = target.surface.cluster.name;
  const none = strange.length === to.length;
  const bound = workloads.every(({ spec }) => fieldAt(spec, 'nodeSelector', 'kubernetes.io/arch') !== undefined);
  if (!none && bound) return [];
  return [
    {
      id: none ? 'ArchitectureUnproven' : 'ArchitectureMixed',
      severity: none ? 'unknown' : 'warn',
      message: none
        ? `${where} has only nodes of ${to.join(', ')}, the source of ${from.join(', ')}: whether the images are built for it is not known (${images}).`
        : `${where} also has nodes of ${strange.join(', ')}, which the source has not: pods of images that are not built for it may land there (${images}).`,
      fix: none ? 'Look at the manifests of the images: they name the architectures.' : 'Give the pods a node selector kubernetes.io/arch.',
    },
  ];
}
