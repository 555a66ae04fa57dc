/** The graph in the DOT language, for Graphviz and everything that reads its files. */
import { byText } from '../api/fields.ts';
import type { Graph, GraphEdge, GraphNode, NodeState } from './graph.ts';

const COLOURS: Readonly<Record<NodeState, string>> = {
  Moves: '#d5e8d4',
  Needed: '#dae8fc',
  StaysBehind: '#eeeeee',
  Storage: '#fff2cc',
  Outside: '#ffe6cc',
  Missing: '#f8cecc',
};

/** One cluster of nodes per namespace; what is missing is red, arrows that only matter at run time are dotted. */
export function graphAsDot(graph: Graph): string {
  const lines = [
    `digraph ${quoted(`tranship ${graph.cluster.name}`)} {`,
    '  rankdir=LR;',
    '  node [shape=box, style=filled, fontname="Helvetica"];',
    '  edge [fontname="Helvetica", fontsize=10];',
  ];
  const byNamespace = Map.groupBy(graph.nodes, ({ ref }) => ref.namespace ?? '');
  for (const [namespace, nodes] of [...byNamespace].toSorted(([a], [b]) => byText(a, b))) {
    const inside = namespace !== '';
    if (inside) lines.push(`  subgraph ${quoted(`cluster_${namespace}`)} {`, `    label=${quoted(namespace)};`);
    lines.push(...nodes.map((node) => `${inside ? '    ' : '  '}${nodeLine(node)}`));
    if (inside) lines.push('  }');
  }
  lines.push(...graph.edges.map((edge) => `  ${edgeLine(edge)}`), '}');
  return `${lines.join('\n')}\n`;
}

function nodeLine({ id, ref, state, why }: GraphNode): string {
  const colours = `fillcolor=${quoted(COLOURS[state])}${state === 'Missing' ? ', color=red' : ''}`;
  return `${quoted(id)} [label=${quoted(`${ref.kind}\n${ref.name}`)}, tooltip=${quoted(`${state}: ${why}`)}, ${colours}];`;
}

function edgeLine({ from, to, type, strength, dangling }: GraphEdge): string {
  const style = strength === 'required' ? 'solid' : strength === 'optional' ? 'dashed' : 'dotted';
  return `${quoted(from)} -> ${quoted(to)} [label=${quoted(type)}, style=${style}${dangling === true ? ', color=red' : ''}];`;
}

/** A quoted text of DOT: only the quote and the backslash mean something in it. */
function quoted(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`;
}
