/**
 * The catalogue of findings about single objects (ids are stable, so that reports can be compared). A check reads a planned object and says
 * what a person should know; equal findings about several objects of one workload are told once each, per object.
 */
import type { Finding } from '../api/finding.ts';
import { fieldAt, find, podTemplateOf, textOf } from '../api/fields.ts';
import type { KubeObject, ObjectRef } from '../api/object.ts';
import type { Surface } from '../api/plan.ts';
import { checkAccount, checkFinalizers, checkManager, checkService, checkWorkload } from './checks-workload.ts';
import { brokenNames, serviceTexts, type DnsNames } from './dns-names.ts';
import { isBuiltInGroup } from '../api/served.ts';

/** @param object the planned manifest */
export type Check = (object: KubeObject, context: CheckContext) => Omit<Finding, 'subject' | 'proof'>[];

export interface CheckContext {
  group: string;
  source: Surface;
  target: Surface;
  /** Source namespaces that move. */
  moving: ReadonlySet<string>;
  names: DnsNames;
  dnsNamesRewritten: boolean;
  /** Does the plan, or the target, have this object? Cluster-scoped ones without a namespace. */
  has: (kind: string, name: string, namespace?: string) => boolean;
}

const checkClasses: Check = (object, { target, has }) => {
  const found: Omit<Finding, 'subject' | 'proof'>[] = [];
  if (object.kind === 'Ingress') {
    const name = textOf(find(object, 'spec.ingressClassName')[0]?.value);
    if (name !== undefined && !target.ingressClasses.includes(name)) {
      found.push({
        id: 'IngressClassMissing',
        severity: 'warn',
        message: `Ingress class ${name} does not exist on ${target.cluster.name}; the ingress will get no traffic.`,
        fix: 'Install a controller for it, or change the class.',
      });
    }
  }
  const pods = podTemplateOf(object);
  for (const [field, kind] of [
    ['priorityClassName', 'PriorityClass'],
    ['runtimeClassName', 'RuntimeClass'],
  ] as const) {
    const name = textOf(find(pods?.template, `spec.${field}`)[0]?.value);
    if (name === undefined || name === '' || name.startsWith('system-') || has(kind, name)) continue;
    found.push({
      id: `${kind}Missing`,
      severity: 'block',
      message: `${kind} ${name} does not exist on ${target.cluster.name}; its pods would be refused.`,
      fix: `Create it on ${target.cluster.name}.`,
    });
  }
  return found;
};

/** What a pod can't start without: field path in the pod's spec → kind. `optional: true` beside the name makes it dispensable. */
const POD_NEEDS: readonly { path: string; name: string; kind: string }[] = [
  { path: 'volumes[*].secret', name: 'secretName', kind: 'Secret' },
  { path: 'volumes[*].configMap', name: 'name', kind: 'ConfigMap' },
  { path: 'volumes[*].projected.sources[*].secret', name: 'name', kind: 'Secret' },
  { path: 'volumes[*].projected.sources[*].configMap', name: 'name', kind: 'ConfigMap' },
  { path: 'volumes[*].persistentVolumeClaim', name: 'claimName', kind: 'PersistentVolumeClaim' },
  ...['containers', 'initContainers'].flatMap((list) => [
    { path: `${list}[*].envFrom[*].secretRef`, name: 'name', kind: 'Secret' },
    { path: `${list}[*].envFrom[*].configMapRef`, name: 'name', kind: 'ConfigMap' },
    { path: `${list}[*].env[*].valueFrom.secretKeyRef`, name: 'name', kind: 'Secret' },
    { path: `${list}[*].env[*].valueFrom.configMapKeyRef`, name: 'name', kind: 'ConfigMap' },
  ]),
];

const checkNeeds: Check = (object, { has }) => {
  const spec = podTemplateOf(object)?.template.spec;
  if (spec === undefined) return [];
  const missing = new Set<string>();
  const need = (kind: string, name: string | undefined) => {
    if (name !== undefined && name !== '' && !has(kind, name, object.metadata.namespace)) missing.add(`${kind} ${name}`);
  };
  for (const { path, name, kind } of POD_NEEDS) {
    for (const { value } of find(spec, path)) if (fieldAt(value, 'optional') !== true) need(kind, textOf(fieldAt(value, name)));
  }
  need('ServiceAccount', textOf(fieldAt(spec, 'serviceAccountName')));
  if (missing.size === 0) return [];
  return [
    {
      id: 'ReferenceMissing',
      severity: 'warn',
      message: `Its pods need ${[...missing].toSorted().join(', ')}, which does not move and is not on the target.`,
      fix: 'Create it in the target namespace, or its pods will not start.',
    },
  ];
};

/** Helm keeps the namespace inside of its record, too. */
const checkHelm: Check = (object, { names }) => {
  const renamed = [...names.renames].some(([from, to]) => from !== to && to === object.metadata.namespace);
  if (object['type'] !== 'helm.sh/release.v1' || !renamed) return [];
  return [
    {
      id: 'HelmReleaseRenamed',
      severity: 'warn',
      message: 'The record of the Helm release names the old namespace inside.',
      fix: 'Run helm upgrade with the new namespace once after the move, and compare with helm get manifest.',
    },
  ];
};

const checkNames: Check = (object, { group, source, moving, names, dnsNamesRewritten }) => {
  const found: Omit<Finding, 'subject' | 'proof'>[] = [];
  if (object.kind === 'Secret' || !isBuiltInGroup(group)) {
    const broken = brokenNames(object, names);
    if (broken.length > 0) {
      found.push({
        id: 'ServiceNameNotRewritten',
        severity: 'warn',
        message: `A service name of the old namespace stands in ${broken.join(', ')}; it is not rewritten there.`,
        fix: 'Change it on the target, or keep the name of the namespace.',
      });
    }
  } else if (!dnsNamesRewritten && brokenTexts(object, names)) {
    found.push({
      id: 'ServiceNameNotRewritten',
      severity: 'warn',
      message: 'It names services by their old namespace, and rewriting is switched off.',
    });
  }
  const others = new Set<string>();
  for (const hit of serviceTexts(object)) {
    for (const match of (textOf(hit.value) ?? '').matchAll(/(?<=[a-z0-9]\.)([a-z0-9][a-z0-9-]*)\.svc(?![a-zA-Z0-9-])/g)) {
      const namespace = match[1] ?? '';
      if (source.namespaces.includes(namespace) && !moving.has(namespace) && !namesTarget(names, namespace)) others.add(namespace);
    }
  }
  if (others.size > 0) {
    found.push({
      id: 'CallsOtherNamespace',
      severity: 'warn',
      message: `It calls services of the namespace ${[...others].toSorted().join(', ')}, which is not part of the move.`,
      fix: 'Move it too, or give the target a service of that name that leads there.',
    });
  }
  return found;
};

function brokenTexts(object: KubeObject, names: DnsNames): boolean {
  return serviceTexts(object).some((hit) => names.full !== undefined && (textOf(hit.value) ?? '').search(names.full) >= 0);
}

/** The manifest is already rewritten: a name that a rename has put there is not another namespace. */
function namesTarget(names: DnsNames, namespace: string): boolean {
  return [...names.renames.values()].includes(namespace);
}

const CHECKS: readonly Check[] = [
  checkWorkload,
  checkAccount,
  checkService,
  checkManager,
  checkFinalizers,
  checkClasses,
  checkNeeds,
  checkHelm,
  checkNames,
];

/** All findings of the catalogue about one planned object. */
export function checkObject(manifest: KubeObject, subject: ObjectRef, context: CheckContext): Finding[] {
  return CHECKS.flatMap((check) => check(manifest, context)).map((finding) => ({ ...finding, subject, proof: 'read' as const }));
}
