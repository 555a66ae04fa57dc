/** What an assessment knows of a cluster beyond a plan's surface: trimmed objects, sums and schemas. Never the content of a Secret. */
import type { KubeObject } from './object.ts';

/** What the pods of one node ask for, all together. Nodes without pods are absent. */
export interface NodeUsage {
  node: string;
  cpuMillis: number;
  memoryBytes: number;
  pods: number;
}

/** One property tree of OpenAPI, cut down to what decides whether a field is known. Absent parts allow anything. */
export interface FieldTree {
  /** Name of another tree in `trees`. */
  ref?: string;
  properties?: Record<string, FieldTree>;
  /** Of an array's items, or of a map's values. */
  items?: FieldTree;
  /** Unknown fields are kept: `x-kubernetes-preserve-unknown-fields`, or a map of anything. */
  open?: true;
}

export interface FieldTrees {
  /** `group/version/Kind` → name of its tree; the core group is ''. */
  kinds: Record<string, string>;
  trees: Record<string, FieldTree>;
  /** Group versions whose schema could not be read, with the server's words. */
  unread: { groupVersion: string; message: string }[];
}

export interface Right {
  verb: string;
  group: string;
  resource: string;
  allowed: boolean;
}

export interface ClusterFacts {
  /** Objects of the kinds in `capture/fact-kinds.ts`, cut down to the fields named there. */
  objects: KubeObject[];
  /** Undefined when pods of the whole cluster may not be listed. */
  usage: NodeUsage[] | undefined;
  schemas: FieldTrees;
  /** What our credential may do, of what a move needs. */
  rights: Right[];
  /** Domain of the cluster's DNS as its configuration names it; undefined when that can't be read. */
  dnsDomain: string | undefined;
  /** Services behind webhooks: does any pod answer there? */
  webhookBackends: { namespace: string; name: string; ready: boolean }[];
  /** Kinds that were refused to us: what they would say is not known, and not "nothing". */
  unread: { group: string; resource: string; namespace?: string; message: string }[];
}
