/**
 * graph: the objects of an application and what they have to do with each other, for people and for programs. PURE.
 *
 * Story: `graph.ts` draws it from a capture and the rules of the kinds; `text.ts` and `dot.ts` print it; JSON is the graph itself.
 */
export { graphAsDot } from './dot.ts';
export { graphOf, type Graph, type GraphEdge, type GraphNode, type NodeState } from './graph.ts';
export { managerOf, type Manager } from './managers.ts';
export { graphAsText } from './text.ts';
