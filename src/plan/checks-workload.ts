/** Checks on what runs: pod templates and the objects that start them. Each reads one object and says what a person should know. */
import { fieldAt, find, listOf, podTemplateOf, recordOf, textOf } from '../api/fields.ts';
import type { Finding } from '../api/finding.ts';
import { managerOf } from '../graph/index.ts';
import type { Check } from './catalogue.ts';

type Made = Omit<Finding, 'subject' | 'proof'>;

const CONTAINER_LISTS = ['containers', 'initContainers', 'ephemeralContainers'];
/** Labels that every node of every cluster has, with values that mean the same. */
const PORTABLE_NODE_LABELS: ReadonlySet<string> = new Set(['kubernetes.io/os', 'kubernetes.io/arch']);

/** Controllers whose effects are outside of the cluster: two of them fight (external-dns deletes the other one's records). */
const OUTSIDE_WRITERS = /(?:^|\/)(external-dns|cert-manager-controller|cluster-autoscaler|karpenter|velero)(?=[:@]|$)/;

function nodeKeys(spec: Record<string, unknown>): string[] {
  const keys = Object.keys(recordOf(spec.nodeSelector));
  for (const hit of find(
    spec,
    'affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[*].matchExpressions[*].key',
  )) {
    keys.push(textOf(hit.value) ?? '');
  }
  return [...new Set(keys)].filter((key) => !PORTABLE_NODE_LABELS.has(key)).toSorted();
}

function podFindings(template: Record<string, unknown>): Made[] {
  const spec = recordOf(template.spec);
  const found: Made[] = [];
  const paths = find(spec, 'volumes[*].hostPath.path').map((hit) => String(hit.value));
  if (paths.length > 0) {
    found.push({
      id: 'HostPathVolume',
      severity: 'warn',
      message: `Pods use directories of their node (${paths.join(', ')}); their content does not move.`,
      fix: 'Copy it by hand, or put it on a claim.',
    });
  }
  const keys = nodeKeys(spec);
  if (keys.length > 0) {
    found.push({
      id: 'NodePlacement',
      severity: 'warn',
      message: `Pods want nodes with the label ${keys.join(', ')}.`,
      fix: 'Make sure that nodes of the target have it.',
    });
  }
  if (spec.hostNetwork === true || CONTAINER_LISTS.some((list) => find(spec, `${list}[*].ports[*].hostPort`).length > 0)) {
    found.push({ id: 'HostNetwork', severity: 'info', message: 'Pods take ports of their node; these must be free on the target.' });
  }
  if (CONTAINER_LISTS.some((list) => find(spec, `${list}[*].securityContext.privileged`).some((hit) => hit.value === true))) {
    found.push({
      id: 'PrivilegedPod',
      severity: 'info',
      message: 'A container is privileged; the target namespace must allow it.',
    });
  }
  const scheduler = textOf(spec.schedulerName);
  if (scheduler !== undefined && scheduler !== 'default-scheduler') {
    found.push({
      id: 'SchedulerName',
      severity: 'warn',
      message: `Pods wait for the scheduler ${scheduler}, which must run on the target.`,
    });
  }
  const images = CONTAINER_LISTS.flatMap((list) => find(spec, `${list}[*].image`).map((hit) => String(hit.value)));
  const writer = images.map((image) => OUTSIDE_WRITERS.exec(image)?.[1]).find((name) => name !== undefined);
  if (writer !== undefined) {
    found.push({
      id: 'WritesOutside',
      severity: 'warn',
      message: `It runs ${writer}, which changes things outside of the cluster; two of them may undo each other's work.`,
      fix: 'Stop the one on the source before the move, or move it by its own procedure.',
    });
  }
  if (images.some((image) => /\.svc(?::|\/|\.cluster\.local)/.test(image))) {
    found.push({ id: 'ImageInCluster', severity: 'warn', message: 'An image comes from a registry inside the source cluster.' });
  }
  return found;
}

export const checkWorkload: Check = (object) => {
  const pods = podTemplateOf(object);
  const found = pods === undefined ? [] : podFindings(pods.template);
  if (object.kind === 'Job' && object.apiVersion.startsWith('batch/')) {
    found.push({
      id: 'RunningJob',
      severity: 'warn',
      message: 'The job has not finished; on the target it starts from its beginning.',
      fix: 'Wait for it to finish, or exclude it with the label tranship.io/exclude=true.',
    });
  }
  return found;
};

/** Settings by which a cloud gives rights to an account: they name the old cluster's identity provider. */
const IDENTITY_ANNOTATIONS = ['eks.amazonaws.com/role-arn', 'azure.workload.identity/client-id', 'iam.gke.io/gcp-service-account'];

export const checkAccount: Check = (object) => {
  if (object.kind !== 'ServiceAccount') return [];
  return IDENTITY_ANNOTATIONS.filter((name) => object.metadata.annotations?.[name] !== undefined).map((name) => ({
    id: 'CloudIdentity',
    severity: 'warn',
    message: `The account gets rights from the cloud by ${name}, and the cloud trusts the source cluster only.`,
    fix: 'Let the cloud trust the target cluster for this account, too.',
  }));
};

export const checkService: Check = (object) => {
  if (object.kind !== 'Service' || object.apiVersion !== 'v1') return [];
  const spec = recordOf(object.spec);
  const found: Made[] = [];
  if (spec.type === 'LoadBalancer') {
    found.push({ id: 'LoadBalancer', severity: 'info', message: 'The load balancer of the target gives it another address.' });
  }
  const fixed = [...listOf(spec.externalIPs), ...(typeof spec.loadBalancerIP === 'string' ? [spec.loadBalancerIP] : [])];
  if (fixed.length > 0) {
    found.push({
      id: 'FixedAddress',
      severity: 'warn',
      message: `The service asks for the addresses ${fixed.join(', ')}, which lead to the source cluster.`,
      fix: 'Change or remove them once the target is in use.',
    });
  }
  return found;
};

/** Who else would write to the object: a tool that applies from elsewhere undoes what a move does. */
export const checkManager: Check = (object) => {
  const manager = managerOf(object);
  // The records of a Helm release move along, so the next upgrade works on the target; nothing is to be done.
  if (manager?.fix === undefined) return [];
  const name = manager.tool === 'OLM' ? 'the Operator Lifecycle Manager' : manager.tool;
  return [{ id: 'ManagedElsewhere', severity: 'warn', message: `The object is managed by ${name}.`, fix: manager.fix }];
};

export const checkFinalizers: Check = (object) => {
  const foreign = listOf(fieldAt(object, 'metadata', 'finalizers')).map(String);
  if (foreign.length === 0) return [];
  return [
    {
      id: 'ForeignFinalizer',
      severity: 'info',
      message: `The object has the finalizer ${foreign.join(', ')}; without its controller it can't be deleted on the target.`,
    },
  ];
};
