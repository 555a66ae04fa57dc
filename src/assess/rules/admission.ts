/** Who may refuse or change what is sent: Pod Security, quotas, limits, webhooks, policies. */
import { fieldAt, find, listOf, recordOf, textOf } from '../../api/fields.ts';
import type { KubeObject } from '../../api/object.ts';
import { bytesOf, milliOf } from '../../api/quantity.ts';
import { requestsOf } from '../../capture/index.ts';
import { factsOf, isKnown, some, type Found, type Rule, type RuleContext, type Workload } from '../rule.ts';
import { breaches, isLevel } from './pod-security.ts';

export const admissionRules: readonly Rule[] = [
  {
    id: 'ADM-1',
    title: 'Nothing on the target refuses or changes the objects',
    severity: 'block',
    proof: 'dryRun',
    reads: 'a server-side dry run of every object on the target; without it, the policies that are there',
    fix: 'Change the object as the message says (a transform can do it), or make an exception in the policy.',
    reason: 'Admission decides after everything else was right; during a move that is after the stop.',
    findings: ['PoliciesNotTried'],
    check: checkPolicies,
  },
  {
    id: 'ADM-2',
    title: 'Webhooks of the target answer',
    severity: 'block',
    proof: 'clusters',
    reads: 'webhook configurations of the target, and the endpoints behind them',
    fix: 'Bring the pods behind the webhook up, or let it fail open until they are.',
    reason: 'A webhook that fails closed and does not answer refuses every object that it matches.',
    findings: ['WebhookDown', 'WebhookSideEffects', 'WebhookBackendUnknown'],
    check: checkWebhooks,
  },
  {
    id: 'PSA-1',
    title: 'Pod Security of the target namespaces allows the pods',
    severity: 'block',
    proof: 'clusters',
    reads: 'labels of the target namespaces (or of those that move), pod templates',
    fix: 'Label the namespace with a level that allows them, or change the pods.',
    reason: 'The workload is created, its pods are refused: the application does not come up.',
    findings: ['PodSecurityRefuses', 'PodSecurityWarns', 'PrivilegedPod'],
    check: checkPodSecurity,
  },
  {
    id: 'QTA-1',
    title: 'Quotas and limits of the target namespaces have room',
    severity: 'block',
    proof: 'clusters',
    reads: 'ResourceQuota and LimitRange of the target namespaces, requests of the pods',
    fix: 'Raise the quota or limit, or lower the requests.',
    reason: 'Pods beyond a quota are not created, and the workload only says so in its events.',
    findings: ['QuotaExceeded', 'QuotaNeedsRequests', 'LimitRangeRefuses', 'LimitRangeDefaults', 'QuotaUnknown'],
    check: checkQuotas,
  },
];

function checkPolicies({ target, answers }: RuleContext): Found[] {
  if (answers.dryRun) return [];
  const enforcing = [
    ...factsOf(target, 'ValidatingAdmissionPolicyBinding').filter((each) =>
      listOf(fieldAt(each, 'spec', 'validationActions')).includes('Deny'),
    ),
    ...factsOf(target, 'ClusterPolicy'),
    ...target.facts.objects.filter((each) => each.apiVersion.startsWith('constraints.gatekeeper.sh/')),
    ...target.facts.objects.filter((each) => each.kind.endsWith('WebhookConfiguration')),
  ];
  if (enforcing.length === 0) return [];
  return [
    {
      id: 'PoliciesNotTried',
      severity: 'unknown',
      message: `${target.surface.cluster.name} has policies and webhooks that may refuse or change objects, and no object was tried: ${some(enforcing.map((each) => `${each.kind} ${each.metadata.name}`))}.`,
      fix: 'Try the manifests on the target: kubectl apply --dry-run=server, with rights to create them.',
    },
  ];
}

/** Does a webhook get the creation of this kind? Namespace selectors are not looked at: labels may change until the move. */
function matches(webhook: unknown, { resource }: RuleContext['moving'][number]): boolean {
  return listOf(fieldAt(webhook, 'rules')).some((rule) => {
    const has = (field: string, value: string) => {
      const list = listOf(fieldAt(rule, field)).map(String);
      return list.includes('*') || list.includes(value) || (field === 'resources' && list.includes('*/*'));
    };
    return has('operations', 'CREATE') && has('apiGroups', resource.group) && has('resources', resource.resource);
  });
}

function checkWebhooks(context: RuleContext): Found[] {
  const { target, moving } = context;
  const ours = new Set(moving.map(({ object }) => `${object.kind} ${object.metadata.name}`));
  return target.facts.objects
    .filter((each) => each.kind.endsWith('WebhookConfiguration') && !ours.has(`${each.kind} ${each.metadata.name}`))
    .flatMap((configuration) =>
      listOf(fieldAt(configuration, 'webhooks')).flatMap((webhook) =>
        moving.some((each) => matches(webhook, each)) ? judgeWebhook(configuration, webhook, context) : [],
      ),
    );
}

function judgeWebhook(configuration: KubeObject, webhook: unknown, { target }: RuleContext): Found[] {
  const found: Found[] = [];
  const subject = { group: 'admissionregistration.k8s.io', kind: configuration.kind, name: configuration.metadata.name };
  const name = textOf(fieldAt(webhook, 'name')) ?? '';
  const where = target.surface.cluster.name;
  const sideEffects = textOf(fieldAt(webhook, 'sideEffects')) ?? 'Unknown';
  if (sideEffects !== 'None' && sideEffects !== 'NoneOnDryRun') {
    found.push({
      id: 'WebhookSideEffects',
      severity: 'warn',
      subject,
      message: `The webhook ${name} on ${where} has side effects (${sideEffects}): objects that it matches can't be tried in a dry run.`,
      fix: 'Ask its owner what it does; what it refuses is known only at the move.',
    });
  }
  const service = fieldAt(webhook, 'clientConfig', 'service');
  const [namespace, backing] = [textOf(fieldAt(service, 'namespace')) ?? '', textOf(fieldAt(service, 'name'))];
  if (backing === undefined || fieldAt(webhook, 'failurePolicy') === 'Ignore') return found;
  const backend = target.facts.webhookBackends.find((each) => each.name === backing && each.namespace === namespace);
  const behind = `${namespace}/${backing}`;
  if (backend === undefined) {
    found.push({
      id: 'WebhookBackendUnknown',
      severity: 'unknown',
      subject,
      message: `Whether anything answers behind the webhook ${name} (service ${behind} on ${where}) is not known.`,
      fix: 'Grant list on endpointslices.discovery.k8s.io.',
    });
  } else if (!backend.ready) {
    found.push({
      id: 'WebhookDown',
      severity: 'block',
      subject,
      message: `Nothing answers behind the webhook ${name} (service ${behind} on ${where}), and it refuses what it can't check.`,
      fix: 'Bring its pods up, or remove the webhook.',
    });
  }
  return found;
}

/** Labels that the target namespace will have: its own when it is there, else those that move. */
function labelsOf({ target, moving }: RuleContext, namespace: string): Record<string, string> {
  const there = factsOf(target, 'Namespace').find((each) => each.metadata.name === namespace);
  const moved = moving.find(({ object }) => object.kind === 'Namespace' && object.metadata.name === namespace)?.object;
  return (there ?? moved)?.metadata.labels ?? {};
}

function checkPodSecurity(context: RuleContext): Found[] {
  return context.workloads.flatMap((workload): Found[] => {
    const labels = labelsOf(context, workload.namespace);
    for (const mode of ['enforce', 'warn'] as const) {
      const level = labels[`pod-security.kubernetes.io/${mode}`];
      const broken = isLevel(level) ? breaches(workload.spec, level) : [];
      if (broken.length === 0) continue;
      return [
        {
          id: mode === 'enforce' ? 'PodSecurityRefuses' : 'PodSecurityWarns',
          severity: mode === 'enforce' ? 'block' : 'info',
          subject: workload.ref,
          message: `The namespace ${workload.namespace} ${mode === 'enforce' ? 'allows' : 'asks for'} the Pod Security level ${level ?? ''}; its pods break it: ${some(broken, 8)}.`,
          fix: 'Change the level of the namespace, or the pods.',
        },
      ];
    }
    return [];
  });
}

/** What quotas count of a namespace's workloads. */
function demandOf(workloads: readonly Workload[], context: RuleContext, namespace: string): Record<string, number> {
  const demand: Record<string, number> = {};
  const add = (key: string, amount: number) => (demand[key] = (demand[key] ?? 0) + amount);
  for (const { spec, replicas } of workloads) {
    const { cpuMillis, memoryBytes } = requestsOf(spec);
    for (const key of ['cpu', 'requests.cpu']) add(key, cpuMillis * replicas);
    for (const key of ['memory', 'requests.memory']) add(key, memoryBytes * replicas);
    const limit = (name: string, read: (value: unknown) => number) =>
      find(spec, `containers[*].resources.limits.${name}`).reduce((sum, hit) => sum + read(hit.value), 0) * replicas;
    add('limits.cpu', limit('cpu', milliOf));
    add('limits.memory', limit('memory', bytesOf));
    add('pods', replicas);
    add('count/pods', replicas);
  }
  for (const { object, resource } of context.moving) {
    if (object.metadata.namespace !== namespace) continue;
    add(resource.group === '' ? `count/${resource.resource}` : `count/${resource.resource}.${resource.group}`, 1);
    if (resource.group === '' && resource.resource !== 'pods') add(resource.resource, 1);
    if (object.kind === 'Service' && fieldAt(object, 'spec', 'type') === 'LoadBalancer') add('services.loadbalancers', 1);
    if (object.kind === 'Service' && ['NodePort', 'LoadBalancer'].includes(String(fieldAt(object, 'spec', 'type'))))
      add('services.nodeports', 1);
  }
  for (const { targetNamespace, source, targetStorageClass } of context.plan.volumes) {
    if (targetNamespace !== namespace) continue;
    for (const prefix of ['', `${targetStorageClass ?? ''}.storageclass.storage.k8s.io/`]) {
      add(`${prefix}requests.storage`, source.capacityBytes);
      add(`${prefix}persistentvolumeclaims`, 1);
    }
  }
  return demand;
}

const isMilli = (key: string) => key === 'cpu' || key.endsWith('.cpu');

function checkQuotas(context: RuleContext): Found[] {
  const { target, plan } = context;
  const found: Found[] = [];
  for (const { target: namespace } of plan.namespaces) {
    const mine = context.workloads.filter((each) => each.namespace === namespace);
    const limits = factsOf(target, 'LimitRange').filter((each) => each.metadata.namespace === namespace);
    for (const quota of factsOf(target, 'ResourceQuota').filter((each) => each.metadata.namespace === namespace)) {
      found.push(...judgeQuota(quota, mine, context, limits));
    }
    for (const range of limits) found.push(...judgeRange(range, mine));
  }
  if (!isKnown(target, 'resourcequotas') || !isKnown(target, 'limitranges')) {
    found.push({
      id: 'QuotaUnknown',
      severity: 'unknown',
      message: `Quotas and limits of the target namespaces on ${target.surface.cluster.name} can't be read.`,
      fix: 'Grant list on resourcequotas and limitranges.',
    });
  }
  return found;
}

function judgeQuota(quota: KubeObject, workloads: readonly Workload[], context: RuleContext, limits: readonly KubeObject[]): Found[] {
  const { name, namespace = '' } = quota.metadata;
  const subject = { group: '', kind: 'ResourceQuota', namespace, name };
  // A quota of some scopes counts only some pods, and which ones is decided at admission.
  const scoped = fieldAt(quota, 'spec', 'scopes') !== undefined || fieldAt(quota, 'spec', 'scopeSelector') !== undefined;
  const demand = demandOf(workloads, context, namespace);
  const used = recordOf(fieldAt(quota, 'status', 'used'));
  const over: string[] = [];
  const bare: string[] = [];
  for (const [key, hard] of Object.entries(recordOf(fieldAt(quota, 'spec', 'hard')))) {
    const read = isMilli(key) ? milliOf : bytesOf;
    const free = read(hard) - read(used[key]);
    const need = demand[key] ?? 0;
    if (need > free) over.push(`${key} ${isMilli(key) ? `${need}m` : need} of ${isMilli(key) ? `${free}m` : free} free`);
    const resource = /^(?:requests\.|limits\.)?(cpu|memory)$/.exec(key)?.[1];
    const part = key.startsWith('limits.') ? 'limits' : 'requests';
    const defaulted = limits.some(
      (range) => find(range, `spec.limits[*].${part === 'limits' ? 'default' : 'defaultRequest'}.${resource ?? ''}`).length > 0,
    );
    if (resource === undefined || defaulted) continue;
    const silent = workloads.filter(({ spec }) =>
      listOf(fieldAt(spec, 'containers')).some(
        (each) => fieldAt(each, 'resources', part, resource) === undefined && fieldAt(each, 'resources', 'limits', resource) === undefined,
      ),
    );
    if (silent.length > 0)
      bare.push(
        `${part}.${resource} (${some(
          silent.map(({ ref }) => ref.name),
          3,
        )})`,
      );
  }
  const found: Found[] = [];
  if (over.length > 0) {
    found.push({
      id: 'QuotaExceeded',
      severity: scoped ? 'warn' : 'block',
      subject,
      message: `The quota has no room for the application: ${over.join(', ')}.`,
      fix: 'Raise the quota, or lower what the application asks for.',
    });
  }
  if (bare.length > 0 && !scoped) {
    found.push({
      id: 'QuotaNeedsRequests',
      severity: 'block',
      subject,
      message: `The quota refuses pods that do not say what they need, and some do not: ${bare.join(', ')}.`,
      fix: 'Set requests and limits, or give the namespace a LimitRange with defaults.',
    });
  }
  return found;
}

function judgeRange(range: KubeObject, workloads: readonly Workload[]): Found[] {
  const found: Found[] = [];
  const items = listOf(fieldAt(range, 'spec', 'limits')).filter((each) => fieldAt(each, 'type') === 'Container');
  for (const { spec, ref } of workloads) {
    const containers = [...listOf(fieldAt(spec, 'containers')), ...listOf(fieldAt(spec, 'initContainers'))];
    const refused: string[] = [];
    let defaulted = false;
    for (const item of items) {
      for (const resource of ['cpu', 'memory']) {
        const read = resource === 'cpu' ? milliOf : bytesOf;
        const [min, max] = [fieldAt(item, 'min', resource), fieldAt(item, 'max', resource)];
        for (const container of containers) {
          const limit = fieldAt(container, 'resources', 'limits', resource);
          const request = fieldAt(container, 'resources', 'requests', resource) ?? limit;
          if (max !== undefined && read(limit ?? request) > read(max)) refused.push(`${resource} above ${JSON.stringify(max)}`);
          if (min !== undefined && request !== undefined && read(request) < read(min))
            refused.push(`${resource} below ${JSON.stringify(min)}`);
          if (limit === undefined && fieldAt(item, 'default', resource) !== undefined) defaulted = true;
        }
      }
    }
    const named = `LimitRange ${range.metadata.name} of the namespace ${range.metadata.namespace ?? ''}`;
    if (refused.length > 0) {
      found.push({
        id: 'LimitRangeRefuses',
        severity: 'block',
        subject: ref,
        message: `${named} refuses its pods: ${some(refused)}.`,
        fix: 'Change the limits of the pods, or the LimitRange.',
      });
    } else if (defaulted) {
      found.push({
        id: 'LimitRangeDefaults',
        severity: 'info',
        subject: ref,
        message: `${named} gives limits to its containers that have none; on the source they may use more.`,
        fix: 'Set limits in the pods.',
      });
    }
  }
  return found;
}
