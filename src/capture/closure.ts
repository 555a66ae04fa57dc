/** From the selected objects to the cluster-scoped ones that they need: definitions, rights, classes, webhooks. */
import type { CapturedObject } from '../api/captured.ts';
import { find, isRecord, listOf, textOf } from '../api/fields.ts';
import type { Finding } from '../api/finding.ts';
import { refOf, refText, type KubeObject, type ResourceType } from '../api/object.ts';
import { resources } from '../kube/index.ts';
import { isBuiltInGroup } from '../api/served.ts';
import { BUILT_IN, matches, referencesOf, type Rules } from '../rules/index.ts';
import { bindsNamespace } from './rights.ts';
import { inParallel } from './listing.ts';
import { listAll, readOne, type Reader, type Reading } from './reading.ts';

interface Closure {
  related: CapturedObject[];
  findings: Finding[];
}

/** All state of one walk. */
interface Walk {
  reader: Reader;
  types: readonly ResourceType[];
  rules: Rules;
  found: Map<string, CapturedObject>;
  findings: Finding[];
}

/**
 * @param types everything the source serves
 * @param rules what is known about kinds: what they name, and what becomes of it
 * @throws when the server fails for longer than the reader's patience; what it refuses is a finding
 */
export async function closeOver(
  reader: Reader,
  selected: readonly CapturedObject[],
  namespaces: readonly string[],
  types: readonly ResourceType[],
  rules: Rules = BUILT_IN,
): Promise<Closure> {
  const walk: Walk = { reader, types, rules, found: new Map(), findings: [] };
  const [bindings, roles] = await Promise.all([
    readAll(walk, 'rbac.authorization.k8s.io', 'ClusterRoleBinding'),
    readAll(walk, 'rbac.authorization.k8s.io', 'ClusterRole'),
    addDefinitions(walk, selected),
    addServiceUsers(walk, new Set(namespaces)),
  ]);
  const foreign: KubeObject[] = [];
  for (const binding of bindings.objects) {
    const { inside, outside } = bindsNamespace(binding, new Set(namespaces));
    if (inside && bindings.type !== undefined) add(walk, binding, bindings.type, 'its subjects are accounts of the selection', outside);
    else foreign.push(binding);
  }
  await addReferences(walk, [...selected, ...walk.found.values()], roles, foreign);
  return { related: [...walk.found.values()], findings: walk.findings };
}

function add(walk: Walk, object: KubeObject, type: ResourceType, because: string, shared: boolean): void {
  const key = refText(refOf(object));
  if (!walk.found.has(key)) walk.found.set(key, { object, resource: type, role: 'related', because, shared });
}

function typeOf(walk: Walk, group: string, kind: string): ResourceType | undefined {
  return walk.types.find((each) => each.group === group && each.kind === kind);
}

/** All objects of a cluster-scoped kind; a finding when we may not. */
async function readAll(walk: Walk, group: string, kind: string): Promise<{ type: ResourceType | undefined; objects: KubeObject[] }> {
  const type = typeOf(walk, group, kind);
  if (type === undefined) return { type, objects: [] };
  const objects = tolerate(walk, `${type.resource} of the cluster`, await listAll(walk.reader, type));
  return { type, objects: objects ?? [] };
}

/** What was read; a finding and undefined when it was refused. */
function tolerate<Value>(walk: Walk, what: string, reading: Reading<Value>): Value | undefined {
  if ('value' in reading) return reading.value;
  const { reason, sentence } = reading.refusal;
  const forbidden = reason === 'Forbidden';
  walk.findings.push({
    id: forbidden ? 'KindForbidden' : 'KindNotReadable',
    severity: 'unknown',
    message: forbidden
      ? `Our credential may not read ${what}; what the application needs of them is not known.`
      : `${what} could not be read: ${sentence}`,
    fix: `Grant get and list on ${what}.`,
    proof: 'asked',
  });
  return undefined;
}

/** The definition of every custom resource that is selected. Kinds of an aggregated API have none: their server must be on the target. */
async function addDefinitions(walk: Walk, selected: readonly CapturedObject[]): Promise<void> {
  const custom = new Map(
    selected
      .filter(({ resource }) => !isBuiltInGroup(resource.group))
      .map(({ resource }) => [`${resource.resource}.${resource.group}`, resource]),
  );
  const definition = typeOf(walk, 'apiextensions.k8s.io', 'CustomResourceDefinition');
  if (definition === undefined) return;
  await inParallel([...custom], walk.reader.signal, async ([name, resource], signal) => {
    const reading = await readOne({ ...walk.reader, signal }, resources.customResourceDefinitions, name);
    const object = tolerate(walk, `definition ${name}`, reading);
    if (object !== undefined) add(walk, object, definition, `defines ${resource.kind}`, true);
  });
}

/** Cluster-scoped objects that answer to a service of the selection (webhooks, aggregated APIs) belong to the application that runs there. */
async function addServiceUsers(walk: Walk, namespaces: ReadonlySet<string>): Promise<void> {
  const users = walk.rules.kinds().filter(([kind, group]) => walk.rules.of(kind, group).references.some((rule) => rule.backwards === true));
  await inParallel(users, walk.reader.signal, async ([kind, group], signal) => {
    const { type, objects } = await readAll({ ...walk, reader: { ...walk.reader, signal } }, group, kind);
    for (const object of objects) {
      const called = referencesOf(object, walk.rules)
        .filter(({ backwards }) => backwards)
        .map(({ target }) => target.namespace ?? '');
      if (type === undefined || !called.some((namespace) => namespaces.has(namespace))) continue;
      add(
        walk,
        object,
        type,
        'it calls a service of the selection',
        called.some((namespace) => !namespaces.has(namespace)),
      );
    }
  });
}

/** Follows what objects name to the cluster-scoped objects behind it, and from aggregated roles to the roles that they are made of. */
async function addReferences(
  walk: Walk,
  from: readonly CapturedObject[],
  roles: { type: ResourceType | undefined; objects: KubeObject[] },
  foreignBindings: readonly KubeObject[],
): Promise<void> {
  const rolesByName = new Map(roles.objects.map((role) => [role.metadata.name, role]));
  const usedByOthers = new Set(foreignBindings.map((binding) => textOf(find(binding, 'roleRef.name')[0]?.value) ?? ''));
  const asked = new Set<string>();
  // What is found names further objects; every name is asked for once, so this ends.
  for (let next = from; next.length > 0;) {
    const before = new Set(walk.found.keys());
    const others: { type: ResourceType; name: string; because: string }[] = [];
    for (const { object } of next) {
      for (const { target, path } of referencesOf(object, walk.rules)) {
        const { group, kind, name } = target;
        const known = walk.rules.of(kind, group);
        if (known.scope !== 'Cluster' || known.whenNeeded === 'Ignore' || asked.has(refText(target))) continue;
        asked.add(refText(target));
        const because = `${path} of ${refText(refOf(object))}`;
        const role = kind === 'ClusterRole' ? rolesByName.get(name) : undefined;
        const type = typeOf(walk, group, kind);
        if (role !== undefined && roles.type !== undefined) addRole(walk, role, roles.type, because, roles.objects, usedByOthers);
        else if (type !== undefined) others.push({ type, name, because });
      }
    }
    await inParallel(others, walk.reader.signal, async ({ type, name, because }, signal) => {
      const object = tolerate(walk, `${type.kind} ${name}`, await readOne({ ...walk.reader, signal }, type, name));
      const mustExist = walk.rules.of(type.kind, type.group).whenNeeded === 'MustExist';
      if (object !== undefined) add(walk, object, type, because, mustExist || name.startsWith('system-'));
    });
    next = [...walk.found].filter(([key]) => !before.has(key)).map(([, found]) => found);
  }
}

function addRole(
  walk: Walk,
  role: KubeObject,
  type: ResourceType,
  because: string,
  all: readonly KubeObject[],
  usedByOthers: ReadonlySet<string>,
): void {
  if (walk.found.has(refText(refOf(role)))) return;
  const isSystem = role.metadata.labels?.['kubernetes.io/bootstrapping'] === 'rbac-defaults';
  add(walk, role, type, because, isSystem || usedByOthers.has(role.metadata.name));
  // A role that every cluster brings along is made up of whatever its own cluster has.
  if (isSystem || !isRecord(role.aggregationRule)) return;
  for (const selector of listOf(role.aggregationRule.clusterRoleSelectors)) {
    for (const member of all) {
      if (member !== role && matches(selector, member.metadata.labels ?? {}))
        addRole(walk, member, type, `aggregated into ClusterRole ${role.metadata.name}`, all, usedByOthers);
    }
  }
}
