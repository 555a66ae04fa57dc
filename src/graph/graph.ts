/** The typed graph of an application: every object with the reason why it is there, every reference with its place and its strength. Pure. */
import type { Captured } from '../api/captured.ts';
import { byText, fieldAt, find, isRecord, listOf, textOf } from '../api/fields.ts';
import type { Strength } from '../api/kind-rules.ts';
import { refOf, refText, type KubeObject, type ObjectRef } from '../api/object.ts';
import { matches, podTemplatesOf, referencesOf, selectionsOf, type GraphEdgeType, type Rules } from '../rules/index.ts';
import { managerOf } from './managers.ts';

/**
 * - `Moves`: it is in the selection. `Needed`: outside of it, and needed by it.
 * - `StaysBehind`: in the selected namespaces, and a rule says that it does not move.
 * - `Storage`: the volume or class behind a claim; its content moves, it does not.
 * - `Outside`: named, but in another namespace or of the cluster, and not read: it has to be on the target.
 * - `Missing`: named, and not there on the source: the arrow dangles.
 */
export type NodeState = 'Moves' | 'Needed' | 'StaysBehind' | 'Storage' | 'Outside' | 'Missing';

export interface GraphNode {
  /** refText of the object: `Deployment.apps shop/web`. */
  id: string;
  ref: ObjectRef;
  state: NodeState;
  /** Why it is there, or why it stays. */
  why: string;
  /** Others on the source use it too: it must exist on the target and is not overwritten there. */
  shared?: true;
  /** Who else writes to it: a Helm release, Argo CD, Flux, an operator. */
  manager?: string;
}

export interface GraphEdge {
  from: string;
  to: string;
  type: GraphEdgeType;
  strength: Strength;
  /** JSON pointers of the places in `from` that name `to`; for `owns` in `to`, because the owned object names its owner. */
  places: string[];
  /** `to` does not exist on the source. */
  dangling?: true;
}

export interface Graph {
  cluster: { id: string; name: string };
  namespaces: string[];
  /** By id. */
  nodes: GraphNode[];
  /** By from, type, to. */
  edges: GraphEdge[];
}

/** All state of one drawing. */
interface Drawing {
  rules: Rules;
  namespaces: ReadonlySet<string>;
  nodes: Map<string, GraphNode>;
  edges: Map<string, GraphEdge>;
  objects: Map<string, KubeObject>;
}

/**
 * Draws the graph of a captured application. Pure and stable: the order of the captured objects does not matter. Holds names and paths, never
 * values.
 * @example process.stdout.write(graphAsDot(graphOf(captured, BUILT_IN)));
 */
export function graphOf(captured: Captured, rules: Rules): Graph {
  const drawing: Drawing = { rules, namespaces: new Set(captured.namespaces), nodes: new Map(), edges: new Map(), objects: new Map() };
  addNodes(drawing, captured);
  const pods = captured.objects.flatMap(({ object }) => podTemplatesOf(object, rules).map(({ labels }) => ({ object, labels })));
  for (const { object } of captured.objects) {
    const from = refText(refOf(object));
    for (const { target, edge, strength, pointer } of referencesOf(object, rules)) {
      if (refText(target) !== from) link(drawing, from, target, edge, strength, pointer);
    }
    addOwners(drawing, object);
    addSelected(drawing, object, from, pods);
    addOwnKind(drawing, object, from);
  }
  addClaimsOfSets(drawing, captured);
  for (const { ref, owner } of captured.leftBehind) if (owner !== undefined) link(drawing, refText(owner), ref, 'owns', 'required');
  const edges = [...drawing.edges.values()];
  for (const edge of edges) edge.places.sort(byText);
  return {
    cluster: { id: captured.cluster.id, name: captured.cluster.name },
    namespaces: captured.namespaces.toSorted(byText),
    nodes: [...drawing.nodes.values()].toSorted((a, b) => byText(a.id, b.id)),
    edges: edges.toSorted((a, b) => byText(a.from, b.from) || byText(a.type, b.type) || byText(a.to, b.to)),
  };
}

function addNodes({ nodes, objects }: Drawing, captured: Captured): void {
  for (const { ref, rule, reason } of captured.leftBehind) {
    nodes.set(refText(ref), { id: refText(ref), ref, state: 'StaysBehind', why: `${rule}: ${reason}` });
  }
  for (const { object, role, because, shared } of captured.objects) {
    const ref = refOf(object);
    const id = refText(ref);
    const manager = managerOf(object);
    const where = ref.namespace === undefined ? 'it is a selected namespace' : `it is in the selected namespace ${ref.namespace}`;
    objects.set(id, object);
    nodes.set(id, {
      id,
      ref,
      state: role === 'selected' ? 'Moves' : 'Needed',
      why: role === 'selected' ? where : (because ?? 'the selection needs it'),
      ...(shared && { shared }),
      ...(manager !== undefined && { manager: manager.text }),
    });
  }
  for (const { persistentVolume, storageClass } of captured.volumes) {
    const volume = { group: '', kind: 'PersistentVolume', name: persistentVolume };
    nodes.set(refText(volume), { id: refText(volume), ref: volume, state: 'Storage', why: 'its content is copied into a new volume' });
    if (storageClass === undefined) continue;
    const ref = { group: 'storage.k8s.io', kind: 'StorageClass', name: storageClass };
    nodes.set(refText(ref), { id: refText(ref), ref, state: 'Storage', why: 'a class of the target stands for it' });
  }
}

/** Draws an arrow; what it leads to is noted when nobody has read it. */
function link(drawing: Drawing, from: string, target: ObjectRef, type: GraphEdgeType, strength: Strength, place?: string): void {
  const to = refText(target);
  let node = drawing.nodes.get(to);
  if (node === undefined) {
    node = unread(target, drawing.namespaces);
    drawing.nodes.set(to, node);
  }
  const key = `${from}\n${type}\n${to}`;
  const edge = drawing.edges.get(key) ?? { from, to, type, strength, places: [] };
  // Named twice, once as dispensable: it is needed.
  if (strength === 'required') edge.strength = strength;
  if (place !== undefined) edge.places.push(place);
  if (node.state === 'Missing') edge.dangling = true;
  drawing.edges.set(key, edge);
}

/** Something that was named and not captured. In a namespace that was read whole it does not exist. */
function unread(ref: ObjectRef, namespaces: ReadonlySet<string>): GraphNode {
  const id = refText(ref);
  // Every namespace gets it by itself, and capture may have met a namespace without one.
  const given = ref.kind === 'ServiceAccount' && ref.group === '' && ref.name === 'default';
  if (ref.namespace !== undefined && namespaces.has(ref.namespace) && !given) {
    return { id, ref, state: 'Missing', why: `there is none in ${ref.namespace}` };
  }
  const why =
    ref.namespace === undefined
      ? 'it belongs to the cluster, and has to be on the target'
      : `it is in ${ref.namespace}, which is not part of the move`;
  return { id, ref, state: 'Outside', why: given ? 'every namespace gets it from its cluster' : why };
}

function addOwners(drawing: Drawing, object: KubeObject): void {
  const { namespace } = object.metadata;
  for (const [index, owner] of listOf(object.metadata.ownerReferences).entries()) {
    const [apiVersion, kind, name] = ['apiVersion', 'kind', 'name'].map((field) => textOf(fieldAt(owner, field)) ?? '');
    const ref = refOf({ apiVersion: apiVersion ?? '', kind: kind ?? '', metadata: { name: name ?? '' } });
    const candidates = namespace === undefined ? [ref] : [{ ...ref, namespace }, ref];
    const known = candidates.find((each) => drawing.nodes.has(refText(each))) ?? candidates[0] ?? ref;
    link(
      drawing,
      refText(known),
      refOf(object),
      'owns',
      fieldAt(owner, 'controller') === true ? 'required' : 'optional',
      `/metadata/ownerReferences/${index}`,
    );
    if (!drawing.nodes.has(refText(known))) drawing.nodes.set(refText(known), unread(known, drawing.namespaces));
  }
}

/** Label selectors: an arrow to each object whose pods they choose, or to the namespace when they choose all. */
function addSelected(
  drawing: Drawing,
  object: KubeObject,
  from: string,
  pods: readonly { object: KubeObject; labels: Readonly<Record<string, string>> }[],
): void {
  const { namespace } = object.metadata;
  for (const { rule, pointer, selects, all } of selectionsOf(object, drawing.rules)) {
    if (all) {
      if (namespace !== undefined) link(drawing, from, { group: '', kind: 'Namespace', name: namespace }, rule.edge, 'runtime', pointer);
      continue;
    }
    const candidates = rule.to.includes('Pod') ? pods : [];
    const others = [...drawing.objects.values()].filter((each) => rule.to.includes(kindText(refOf(each))));
    for (const each of [...candidates, ...others.map((other) => ({ object: other, labels: other.metadata.labels ?? {} }))]) {
      if (each.object.metadata.namespace !== namespace || each.object === object || !selects(each.labels)) continue;
      link(drawing, from, refOf(each.object), rule.edge, 'runtime', pointer);
    }
  }
}

function kindText({ kind, group }: ObjectRef): string {
  return group === '' ? kind : `${kind}.${group}`;
}

/** A custom resource and its definition; an aggregated role and the roles that it is made of. */
function addOwnKind(drawing: Drawing, object: KubeObject, from: string): void {
  const { kind, group } = refOf(object);
  if (kind === 'CustomResourceDefinition') {
    const [ofKind, ofGroup] = [fieldAt(object, 'spec', 'names', 'kind'), fieldAt(object, 'spec', 'group')];
    for (const [id, each] of drawing.objects) {
      const ref = refOf(each);
      if (ref.kind === ofKind && ref.group === ofGroup) link(drawing, id, refOf(object), 'defined-by', 'required');
    }
  }
  if (kind !== 'ClusterRole' || group !== 'rbac.authorization.k8s.io') return;
  for (const { value, pointer } of find(object, 'aggregationRule.clusterRoleSelectors[*]')) {
    for (const other of drawing.objects.values()) {
      if (other !== object && other.kind === 'ClusterRole' && isRecord(value) && matches(value, other.metadata.labels ?? {})) {
        link(drawing, from, refOf(other), 'aggregates', 'runtime', pointer);
      }
    }
  }
}

/** The claims of a stateful set are called TEMPLATE-SET-NUMBER; nothing in them names the set. */
function addClaimsOfSets(drawing: Drawing, captured: Captured): void {
  for (const { object } of captured.objects) {
    if (object.kind !== 'StatefulSet' || refOf(object).group !== 'apps') continue;
    for (const { value, pointer } of find(object, 'spec.volumeClaimTemplates[*].metadata.name')) {
      const prefix = `${String(value)}-${object.metadata.name}-`;
      for (const claim of drawing.objects.values()) {
        const { name, namespace } = claim.metadata;
        if (claim.kind !== 'PersistentVolumeClaim' || namespace !== object.metadata.namespace) continue;
        if (!name.startsWith(prefix) || !/^\d+$/.test(name.slice(prefix.length))) continue;
        link(drawing, refText(refOf(object)), refOf(claim), 'mounts', 'required', pointer);
      }
    }
  }
}
