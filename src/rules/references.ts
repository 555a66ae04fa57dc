/** What an object names, by the rules of its kind. Pure: whether it exists is not asked here. */
import { fieldAt, find, isRecord, listOf, podTemplateOf, recordOf, textOf } from '../api/fields.ts';
import type { ReferenceRule, SelectorRule, Strength, EdgeType } from '../api/kind-rules.ts';
import type { KubeObject, ObjectRef } from '../api/object.ts';
import { parseKind, type Rules } from './rules.ts';

export interface Reference {
  target: ObjectRef;
  edge: EdgeType;
  strength: Strength;
  /** JSON pointer of the name in the object. */
  pointer: string;
  /** The rule's path, as it stands in its file. */
  path: string;
  backwards: boolean;
}

export interface PodTemplate {
  labels: Readonly<Record<string, string>>;
  /** A record with the `spec` of a pod. */
  template: Record<string, unknown>;
  pointer: string;
}

/** Every pod template of an object: of the built-in kinds, and where the rules of its kind say that there is one. */
export function podTemplatesOf(object: KubeObject, rules: Rules): PodTemplate[] {
  const { group } = typeOf(object);
  const known = rules.of(object.kind, group);
  const found: PodTemplate[] = [];
  const add = (template: Record<string, unknown>, pointer: string) =>
    found.push({ template, pointer, labels: textsOf(fieldAt(template, 'metadata', 'labels')) });
  const builtIn = ['', 'apps', 'batch'].includes(group) ? podTemplateOf(object) : undefined;
  if (builtIn !== undefined) add(builtIn.template, builtIn.pointer);
  for (const path of known.podTemplates) for (const hit of find(object, path)) if (isRecord(hit.value)) add(hit.value, hit.pointer);
  // A record with the fields of a pod's spec; what is named below it is named at `spec.…` of a pod.
  for (const path of known.podSpecs) {
    for (const hit of find(object, path)) if (isRecord(hit.value)) add({ spec: hit.value }, hit.pointer.replace(/\/[^/]*$/, ''));
  }
  return found;
}

/** Everything that the object names, in the order of the rules. */
export function referencesOf(object: KubeObject, rules: Rules): Reference[] {
  const { group } = typeOf(object);
  const found = rules.of(object.kind, group).references.flatMap((rule) => follow(object, object, rule, rules, ''));
  for (const { template, pointer } of podTemplatesOf(object, rules)) {
    for (const rule of rules.pods) found.push(...follow(object, template, rule, rules, pointer));
  }
  return found;
}

function follow(object: KubeObject, root: unknown, rule: ReferenceRule, rules: Rules, prefix: string): Reference[] {
  return find(root, rule.path, prefix).flatMap((hit) => {
    const record = isRecord(hit.value) ? hit.value : undefined;
    const field = (path: string | undefined) =>
      path === undefined || record === undefined ? undefined : textOf(find(record, path)[0]?.value);
    const nameField = rule.name ?? 'name';
    const text = record === undefined ? textOf(hit.value) : field(nameField);
    if (text === undefined || text === '') return [];
    const meant = kindMeant(rule, field(rule.kind), field(rule.group));
    if (meant === undefined) return [];
    const slash = rule.qualified === true ? text.indexOf('/') : -1;
    const named = slash < 0 ? (field(rule.namespace) ?? '') : text.slice(0, slash);
    const namespace = named === '' ? object.metadata.namespace : named;
    const name = text.slice(slash + 1);
    const isCluster = rules.of(meant.kind, meant.group).scope === 'Cluster';
    const dispensable = rule.optional !== undefined && record !== undefined && find(record, rule.optional)[0]?.value === true;
    return [
      {
        target: isCluster || namespace === undefined ? { ...meant, name } : { ...meant, namespace, name },
        edge: rule.edge,
        strength: dispensable ? ('optional' as const) : rule.strength,
        pointer: record === undefined ? hit.pointer : `${hit.pointer}/${nameField.replaceAll('.', '/')}`,
        path: rule.path,
        backwards: rule.backwards === true,
      },
    ];
  });
}

/** Which of the kinds is meant; undefined when the object names one that the rule is not about. */
function kindMeant(rule: ReferenceRule, kind: string | undefined, group: string | undefined): { kind: string; group: string } | undefined {
  const candidates = rule.to.filter((each) => each !== '*').map((each) => parseKind(each));
  if (kind === undefined || kind === '') return candidates[0];
  // `apps/v1` and `v1` are versions of a group; a bare text is the group itself.
  const wanted =
    group === undefined ? undefined : group.includes('/') ? group.slice(0, group.indexOf('/')) : /^v\d/.test(group) ? '' : group;
  const known = candidates.find((each) => each.kind === kind && (wanted === undefined || each.group === wanted));
  return known ?? (rule.to.includes('*') ? { kind, group: wanted ?? '' } : undefined);
}

export interface Selection {
  rule: SelectorRule;
  pointer: string;
  selects: (labels: Readonly<Record<string, string>>) => boolean;
  /** An empty selector: it means everything in its namespace. */
  all: boolean;
}

/** The label selectors of an object, ready to be asked. */
export function selectionsOf(object: KubeObject, rules: Rules): Selection[] {
  const { group } = typeOf(object);
  return rules.of(object.kind, group).selectors.flatMap((rule) =>
    find(object, rule.path).flatMap((hit) => {
      if (!isRecord(hit.value)) return [];
      const selector = rule.form === 'Labels' ? { matchLabels: hit.value } : hit.value;
      const all = Object.keys(hit.value).length === 0;
      // A service without a selector selects nothing; a label selector without terms selects everything.
      if (all && rule.form === 'Labels') return [];
      return [{ rule, pointer: hit.pointer, all, selects: (labels: Readonly<Record<string, string>>) => matches(selector, labels) }];
    }),
  );
}

/** A label selector, as Kubernetes reads it. */
export function matches(selector: unknown, labels: Readonly<Record<string, string>>): boolean {
  const equal = Object.entries(recordOf(recordOf(selector)['matchLabels'])).every(([key, value]) => labels[key] === value);
  return (
    equal &&
    listOf(recordOf(selector)['matchExpressions']).every((expression) => {
      const { key, operator, values } = recordOf(expression);
      const value = labels[textOf(key) ?? ''];
      if (operator === 'Exists') return value !== undefined;
      if (operator === 'DoesNotExist') return value === undefined;
      const listed = value !== undefined && listOf(values).includes(value);
      return operator === 'In' ? listed : !listed;
    })
  );
}

function textsOf(value: unknown): Record<string, string> {
  return Object.fromEntries(Object.entries(recordOf(value)).flatMap(([key, text]) => (typeof text === 'string' ? [[key, text]] : [])));
}

function typeOf(object: KubeObject): { group: string } {
  const slash = object.apiVersion.indexOf('/');
  return { group: slash < 0 ? '' : object.apiVersion.slice(0, slash) };
}
