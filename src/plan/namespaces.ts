/**
 * Renaming namespaces: every place that names one follows. Fields are data (rules/data); what every kind may hold (label selectors on the namespace's own
 * name) is found by its shape. Only namespaces of the move are renamed: references to others stay and are reported elsewhere.
 */
import { everyField, fieldAt, find, isRecord, textOf, type Hit } from '../api/fields.ts';
import { namespacePathsOf, type Rules } from '../rules/index.ts';
import { removeField, setField, type Draft } from './draft.ts';
import { lastApplied, LAST_APPLIED } from './service.ts';

/** Source namespace → target namespace, for all namespaces that move. */
export type Renames = ReadonlyMap<string, string>;

const RULE = 'NamespaceRename';
/** The label that the API server puts on every namespace: selectors use it to name one. */
export const NAMESPACE_NAME_LABEL = 'kubernetes.io/metadata.name';

/** Annotations that hold the name of a namespace. Helm refuses to upgrade an object whose annotation names another one. */
const NAME_ANNOTATIONS = ['meta.helm.sh/release-namespace'];

/** Annotations that hold `namespace/name`. */
const REF_ANNOTATIONS = [
  'nginx.ingress.kubernetes.io/auth-tls-secret',
  'nginx.ingress.kubernetes.io/auth-secret',
  'nginx.ingress.kubernetes.io/proxy-ssl-secret',
  'nginx.ingress.kubernetes.io/fastcgi-params-configmap',
  'cert-manager.io/inject-ca-from',
  'cert-manager.io/inject-ca-from-secret',
];

/** Moves an object into its target namespace and lets its references follow. */
export function renameNamespaces(draft: Draft, renames: Renames, rules: Rules): void {
  const { manifest, captured } = draft;
  const { resource } = captured;
  if (manifest.kind === 'Namespace' && resource.group === '') renameHits(draft, find(manifest, 'metadata.name'), renames);
  renameHits(draft, find(manifest, 'metadata.namespace'), renames);
  for (const path of namespacePathsOf(rules.of(resource.kind, resource.group))) renameHits(draft, find(manifest, path), renames);
  if (resource.group === 'rbac.authorization.k8s.io') renameRights(draft, renames);
  renameSelectors(draft, renames);
  for (const name of NAME_ANNOTATIONS) renameHits(draft, find(manifest, `metadata.annotations["${name}"]`), renames);
  for (const name of REF_ANNOTATIONS) renameReferences(draft, find(manifest, `metadata.annotations["${name}"]`), renames);
  renameLastApplied(draft, renames);
}

function renameHits(draft: Draft, hits: readonly Hit[], renames: Renames): void {
  for (const hit of hits) {
    const to = renames.get(textOf(hit.value) ?? '');
    if (to !== undefined) setField(draft, RULE, hit, to);
  }
}

function renameReferences(draft: Draft, hits: readonly Hit[], renames: Renames): void {
  for (const hit of hits) {
    const [namespace, ...rest] = (textOf(hit.value) ?? '').split('/');
    const to = renames.get(namespace ?? '');
    if (to !== undefined && rest.length > 0) setField(draft, RULE, hit, [to, ...rest].join('/'));
  }
}

/** Subjects (accounts, the groups and users that stand for them) and rules that name a namespace as an object. */
function renameRights(draft: Draft, renames: Renames): void {
  for (const subject of find(draft.manifest, 'subjects[*]')) {
    const kind = fieldAt(subject.value, 'kind');
    if (kind === 'ServiceAccount') renameHits(draft, find(subject.value, 'namespace', subject.pointer), renames);
    for (const hit of find(subject.value, 'name', subject.pointer)) {
      const parts = (textOf(hit.value) ?? '').split(':');
      const isGroup = kind === 'Group' && parts.length === 3 && parts[1] === 'serviceaccounts';
      const isUser = kind === 'User' && parts.length === 4 && parts[1] === 'serviceaccount';
      const to = renames.get(parts[2] ?? '');
      if (parts[0] === 'system' && (isGroup || isUser) && to !== undefined) {
        setField(draft, RULE, hit, [...parts.slice(0, 2), to, ...parts.slice(3)].join(':'));
      }
    }
  }
  for (const rule of find(draft.manifest, 'rules[*]')) {
    const resources = fieldAt(rule.value, 'resources');
    if (Array.isArray(resources) && resources.includes('namespaces')) {
      renameHits(draft, find(rule.value, 'resourceNames[*]', rule.pointer), renames);
    }
  }
}

/** Label selectors on the namespace's own name, wherever they stand; and the `namespaces` list of pod affinity terms. */
function renameSelectors(draft: Draft, renames: Renames): void {
  for (const field of everyField(draft.manifest)) {
    if (!isRecord(field.value)) continue;
    if (field.key === 'matchLabels') {
      renameHits(draft, find(field.value, `["${NAMESPACE_NAME_LABEL}"]`, field.pointer), renames);
    }
    if (field.value.key === NAMESPACE_NAME_LABEL) renameHits(draft, find(field.value, 'values[*]', field.pointer), renames);
    if (typeof field.value.topologyKey === 'string') renameHits(draft, find(field.value, 'namespaces[*]', field.pointer), renames);
  }
}

/** `kubectl apply` compares with what it wrote last: left as it is, the next apply would answer that the namespace does not match. */
function renameLastApplied(draft: Draft, renames: Renames): void {
  const applied = lastApplied(draft.manifest);
  const to = renames.get(textOf(fieldAt(applied, 'metadata', 'namespace')) ?? '');
  if (applied === undefined || to === undefined || !isRecord(applied.metadata)) return;
  applied.metadata.namespace = to;
  for (const hit of find(draft.manifest, `metadata.annotations["${LAST_APPLIED}"]`)) {
    setField(draft, RULE, hit, `${JSON.stringify(applied)}\n`);
  }
}

/** Subjects of a binding that are neither part of the move nor cluster-wide names: they belong to others and do not travel. */
export function dropForeignSubjects(draft: Draft, renames: Renames): void {
  if (draft.manifest.kind !== 'ClusterRoleBinding' || draft.captured.role !== 'related') return;
  for (const hit of find(draft.manifest, 'subjects[*]').toReversed()) {
    const namespace = textOf(fieldAt(hit.value, 'namespace'));
    if (fieldAt(hit.value, 'kind') === 'ServiceAccount' && namespace !== undefined && !renames.has(namespace)) {
      removeField(draft, 'SubjectOfOthers', hit);
    }
  }
}
