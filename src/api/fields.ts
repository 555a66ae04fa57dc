/**
 * Walking raw objects: reading, finding and changing fields of JSON whose shape we do not own. Rules in `capture` and `plan` name fields
 * by a path such as `spec.ingress[*].from[*].namespaceSelector`, so that a new kind costs a line of data and no code.
 */
import type { KubeObject } from './object.ts';

type Container = Record<string, unknown> | unknown[];

/** One place that a path leads to. `set` and `remove` change the object it was found in. */
export interface Hit {
  /** RFC 6901 JSON pointer. */
  pointer: string;
  value: unknown;
  set(value: unknown): void;
  remove(): void;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value as a record; an empty one when it is something else. Changes to the empty one are lost. */
export function recordOf(value: unknown): Record<string, unknown> {
  return isRecord(value) ? value : {};
}

export function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** Reads a nested field: `fieldAt(pod, 'spec', 'containers', 0, 'image')`. Undefined when any part is absent. */
export function fieldAt(value: unknown, ...keys: (string | number)[]): unknown {
  let here = value;
  for (const key of keys) {
    if (typeof key === 'number') here = Array.isArray(here) ? here[key] : undefined;
    else here = isRecord(here) && Object.hasOwn(here, key) ? here[key] : undefined;
  }
  return here;
}

/** Paths stand in tables: there are some hundreds of them, and each is used once per object. */
const parsed = new Map<string, readonly string[]>();

/** Splits a path: `a.b[*].c` and `metadata.annotations["x.y/z"]`; `*` stands for every key or index. */
export function parsePath(path: string): readonly string[] {
  const known = parsed.get(path);
  if (known !== undefined) return known;
  const tokens: string[] = [];
  for (const match of path.matchAll(/\["([^"]+)"\]|\[(\*|\d+)\]|([^.[\]]+)/g)) {
    tokens.push(match[1] ?? match[2] ?? match[3] ?? '');
  }
  parsed.set(path, tokens);
  return tokens;
}

/** JSON pointer of tokens (RFC 6901 escapes). */
export function pointerOf(tokens: readonly (string | number)[]): string {
  return tokens.map((token) => `/${String(token).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

function hit(parent: Container, key: string | number, pointer: string): Hit {
  const record: Record<string | number, unknown> = parent as Record<string | number, unknown>;
  return {
    pointer,
    value: record[key],
    set: (value) => {
      record[key] = value;
    },
    remove: () => {
      if (Array.isArray(parent)) parent.splice(Number(key), 1);
      else delete record[key];
    },
  };
}

function entriesOf(container: Container): [string, unknown][] {
  return Array.isArray(container) ? container.map((value, index): [string, unknown] => [String(index), value]) : Object.entries(container);
}

/** Every place that the path leads to and that exists, in document order. */
export function find(root: unknown, path: string, prefix = ''): Hit[] {
  const tokens = parsePath(path);
  const hits: Hit[] = [];
  const walk = (value: unknown, depth: number, pointer: string) => {
    const token = tokens[depth];
    if (token === undefined || typeof value !== 'object' || value === null) return;
    const container: Container = Array.isArray(value) ? value : recordOf(value);
    const keys = token === '*' ? entriesOf(container).map(([key]) => key) : [token];
    for (const key of keys) {
      if (!Object.hasOwn(container, key)) continue;
      const next = pointer + pointerOf([key]);
      const found = hit(container, key, next);
      if (depth === tokens.length - 1) hits.push(found);
      else walk(found.value, depth + 1, next);
    }
  };
  walk(root, 0, prefix);
  return hits;
}

/** Every field below `root`, depth first, containers before their content. `key` is the last token of the pointer. */
export function* everyField(root: unknown, pointer = ''): Generator<Hit & { key: string }> {
  if (typeof root !== 'object' || root === null) return;
  const container: Container = Array.isArray(root) ? root : recordOf(root);
  for (const [key, value] of entriesOf(container)) {
    const next = pointer + pointerOf([key]);
    yield { ...hit(container, key, next), key };
    yield* everyField(value, next);
  }
}

/** Where the kinds that run pods keep the pod's template: its metadata and spec are below this path. '' is the object itself. */
const POD_TEMPLATES: Record<string, string> = {
  Pod: '',
  PodTemplate: 'template',
  Deployment: 'spec.template',
  StatefulSet: 'spec.template',
  DaemonSet: 'spec.template',
  ReplicaSet: 'spec.template',
  ReplicationController: 'spec.template',
  Job: 'spec.template',
  CronJob: 'spec.jobTemplate.spec.template',
};

/** The pod template of a workload: its value and its JSON pointer. Undefined for kinds that run no pods. */
export function podTemplateOf(object: KubeObject): { template: Record<string, unknown>; pointer: string } | undefined {
  const path = POD_TEMPLATES[object.kind];
  if (path === undefined) return undefined;
  const tokens = parsePath(path);
  const template = fieldAt(object, ...tokens);
  return isRecord(template) ? { template, pointer: pointerOf(tokens) } : undefined;
}

/** JSON with sorted keys and without blanks: equal content, equal text. Undefined fields do not count. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item)).join(',')}]`;
  if (isRecord(value)) {
    const fields = Object.keys(value)
      .toSorted()
      .filter((key) => value[key] !== undefined);
    return `{${fields.map((key) => `${JSON.stringify(key)}:${canonicalJson(value[key])}`).join(',')}}`;
  }
  return JSON.stringify(value) ?? 'null';
}

/** Orders texts by code unit: the same on every machine, unlike a locale's order. */
export function byText(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
