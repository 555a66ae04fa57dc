/** The graph as text that can be read when there are hundreds of objects: by namespace, each with its arrows below it. */
import { byText } from '../api/fields.ts';
import type { ObjectRef } from '../api/object.ts';
import type { Graph, GraphEdge, GraphNode, NodeState } from './graph.ts';

const SHOWN_PLACES = 1;
/** So many arrows of one type to one kind are listed by name; more are counted. */
const SHOWN_TARGETS = 6;

const NOTES: Readonly<Record<NodeState, string>> = {
  Moves: '',
  Needed: 'needed',
  StaysBehind: 'stays behind',
  Storage: 'storage',
  Outside: 'outside of the move',
  Missing: 'MISSING',
};

/** Objects that stay behind are listed as targets of arrows only, and counted by reason at the end. */
export function graphAsText(graph: Graph): string {
  const nodes = new Map(graph.nodes.map((node) => [node.id, node]));
  const arrows = Map.groupBy(graph.edges, ({ from }) => from);
  const count = (state: NodeState) => graph.nodes.filter((node) => node.state === state).length;
  const dangling = graph.edges.filter((edge) => edge.dangling === true);
  const lines = [
    `Graph of ${graph.namespaces.join(', ')} on ${graph.cluster.name}: ${count('Moves')} objects move, ${count('Needed')} more are needed, ` +
      `${count('Outside')} outside, ${count('StaysBehind')} stay behind; ${graph.edges.length} references, ${dangling.length} dangling.`,
  ];
  const listed = graph.nodes.filter(({ id, state }) => state === 'Moves' || state === 'Needed' || (state === 'Storage' && arrows.has(id)));
  for (const [namespace, inside] of [...Map.groupBy(listed, ({ ref }) => ref.namespace ?? '')].toSorted(([a], [b]) => byText(a, b))) {
    lines.push('', namespace === '' ? 'Cluster-scoped' : `Namespace ${namespace}`);
    for (const node of inside) {
      lines.push(`  ${nameOf(node.ref)}${remarks(node)}`);
      lines.push(...arrowLines(arrows.get(node.id) ?? [], nodes, namespace));
    }
  }
  lines.push(...danglingLines(dangling), ...outsideLines(graph), ...leftBehindLines(graph));
  return `${lines.join('\n')}\n`;
}

function nameOf({ kind, name }: ObjectRef): string {
  return `${kind} ${name}`;
}

function remarks({ state, why, shared, manager }: GraphNode): string {
  const words = [
    ...(state === 'Needed' ? [why] : []),
    ...(shared === true ? ['shared: must be on the target'] : []),
    ...(manager === undefined ? [] : [`managed by ${manager}`]),
  ];
  return words.length === 0 ? '' : `  (${words.join('; ')})`;
}

function arrowLines(edges: readonly GraphEdge[], nodes: ReadonlyMap<string, GraphNode>, namespace: string): string[] {
  const lines: string[] = [];
  const groups = Map.groupBy(edges, ({ type, to }) => `${type} ${nodes.get(to)?.ref.kind ?? ''} ${nodes.get(to)?.state ?? ''}`);
  for (const group of groups.values()) {
    const [first] = group;
    const node = nodes.get(first?.to ?? '');
    if (first === undefined || node === undefined) continue;
    if (group.length > SHOWN_TARGETS) {
      const note = NOTES[node.state];
      lines.push(`    ${first.type.padEnd(13)} ${group.length} × ${node.ref.kind}${note === '' ? '' : `  [${note}]`}`);
    } else lines.push(...group.map((edge) => arrowLine(edge, nodes, namespace)));
  }
  return lines;
}

function arrowLine({ type, to, strength, places }: GraphEdge, nodes: ReadonlyMap<string, GraphNode>, namespace: string): string {
  const node = nodes.get(to);
  const ref = node?.ref;
  const elsewhere = ref?.namespace !== undefined && ref.namespace !== namespace ? ` in ${ref.namespace}` : '';
  const notes = [
    ...(strength === 'optional' ? ['optional'] : []),
    ...(node === undefined || NOTES[node.state] === '' ? [] : [NOTES[node.state]]),
  ];
  const where =
    places.slice(0, SHOWN_PLACES).join(', ') + (places.length > SHOWN_PLACES ? ` and ${places.length - SHOWN_PLACES} more` : '');
  const name = ref === undefined ? to : nameOf(ref);
  return `    ${type.padEnd(13)} ${name}${elsewhere}${notes.length === 0 ? '' : `  [${notes.join(', ')}]`}${where === '' ? '' : `  ${where}`}`;
}

function danglingLines(edges: readonly GraphEdge[]): string[] {
  if (edges.length === 0) return [];
  return [
    '',
    `Dangling (${edges.length}): named, and not there on the source`,
    ...edges.map(
      ({ from, type, to, strength, places }) =>
        `  ${from} ${type} ${to}${strength === 'required' ? '' : `  [${strength}]`}  ${places[0] ?? ''}`,
    ),
  ];
}

function outsideLines({ nodes, edges }: Graph): string[] {
  const outside = nodes.filter(({ state }) => state === 'Outside');
  if (outside.length === 0) return [];
  const users = (id: string) => new Set(edges.filter(({ to }) => to === id).map(({ from }) => from)).size;
  return [
    '',
    `Outside of the move (${outside.length}): have to be on the target`,
    ...outside.map(({ id }) => `  ${id}  named by ${users(id)}`),
  ];
}

function leftBehindLines({ nodes }: Graph): string[] {
  const left = nodes.filter(({ state }) => state === 'StaysBehind');
  if (left.length === 0) return [];
  const groups = [...Map.groupBy(left, ({ why }) => why)].toSorted(([a], [b]) => byText(a, b));
  return [
    '',
    `Stay behind (${left.length})`,
    ...groups.map(([why, group]) => {
      const kinds = [...Map.groupBy(group, ({ ref }) => ref.kind)].map(([kind, all]) => `${all.length} × ${kind}`).toSorted(byText);
      return `  ${why}: ${kinds.join(', ')}`;
    }),
  ];
}
