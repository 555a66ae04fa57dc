/** Rule files, put together for quick questions: what holds for the objects of one kind. Pure. */
import type { EdgeType, GeneratedRule, KindRule, KindRules, ReferenceRule } from '../api/kind-rules.ts';

/** What is known of one kind, from all files together. */
export interface KnownKind extends Omit<KindRule, 'kind' | 'group'> {
  /** True when a file names the kind itself, and not only its group. */
  named: boolean;
}

/**
 * All rules that are in force. Lists of several files add up; of single settings (how it is stopped, when it is created) the last file's wins,
 * so that a user's file corrects what is built in. A kind's own settings win over those of its whole group.
 * @example const rules = new Rules([...builtIn, mine]); rules.of('Certificate', 'cert-manager.io').references
 */
export class Rules {
  readonly pods: readonly ReferenceRule[];
  readonly generated: readonly GeneratedRule[];
  readonly files: readonly KindRules[];
  readonly #rows = new Map<string, KindRule[]>();
  readonly #known = new Map<string, KnownKind>();

  constructor(files: readonly KindRules[]) {
    this.files = files;
    this.pods = files.flatMap(({ spec }) => spec.pods);
    this.generated = files.flatMap(({ spec }) => spec.generated);
    for (const row of files.flatMap(({ spec }) => spec.kinds)) {
      const key = keyOf(row.kind, row.group);
      this.#rows.set(key, [...(this.#rows.get(key) ?? []), row]);
    }
  }

  of(kind: string, group: string): KnownKind {
    const key = keyOf(kind, group);
    const known = this.#known.get(key) ?? this.#merge(kind, group);
    this.#known.set(key, known);
    return known;
  }

  /** Every kind that a file names, as `[kind, group]`, in the order of the files. */
  kinds(): [string, string][] {
    return [...this.#rows.values()].flatMap(([row]) =>
      row === undefined || row.kind === '*' ? [] : [[row.kind, row.group] satisfies [string, string]],
    );
  }

  #merge(kind: string, group: string): KnownKind {
    const own = this.#rows.get(keyOf(kind, group)) ?? [];
    const rows = [...(this.#rows.get(keyOf('*', group)) ?? []), ...own];
    const last = <Field extends 'stop' | 'pause' | 'ready' | 'place'>(field: Field) =>
      rows.findLast((row) => row[field] !== undefined)?.[field];
    return {
      named: own.length > 0,
      scope: rows.findLast((row) => row.scope === 'Cluster')?.scope ?? 'Namespaced',
      references: rows.flatMap((row) => row.references),
      selectors: rows.flatMap((row) => row.selectors),
      podTemplates: rows.flatMap((row) => row.podTemplates),
      podSpecs: rows.flatMap((row) => row.podSpecs),
      namespaceFields: rows.flatMap((row) => row.namespaceFields),
      stop: last('stop'),
      pause: last('pause'),
      ready: last('ready'),
      place: last('place'),
      whenNeeded: rows.findLast((row) => row.whenNeeded !== 'MustExist')?.whenNeeded ?? 'MustExist',
    };
  }
}

/** Every path that the rules of a kind name, from the object itself; what a definition of the kind must have. */
export function pathsOf(known: KnownKind): string[] {
  const paths = known.references.flatMap(({ path, name, namespace, kind, group, optional }) => {
    const fields = [name, namespace, kind, group, optional].filter((field) => field !== undefined);
    // A record with further fields has a name, too.
    const all = fields.length > 0 && name === undefined ? ['name', ...fields] : fields;
    return [path, ...all.map((field) => `${path}.${field}`)];
  });
  const single = [known.stop?.path, known.pause?.path].filter((path) => path !== undefined);
  return [
    ...new Set([
      ...paths,
      ...known.selectors.map(({ path }) => path),
      ...known.podTemplates,
      ...known.podSpecs,
      ...known.namespaceFields,
      ...single,
    ]),
  ];
}

/** Where an object of the kind holds the name of a namespace: in its references, and in the further fields of its rules. */
export function namespacePathsOf(known: KnownKind): string[] {
  const ofReferences = known.references.flatMap(({ path, namespace }) => (namespace === undefined ? [] : [`${path}.${namespace}`]));
  return [...new Set([...ofReferences, ...known.namespaceFields])];
}

function keyOf(kind: string, group: string): string {
  return `${kind}.${group}`;
}

/** `Certificate.cert-manager.io` → its kind and group. */
export function parseKind(text: string): { kind: string; group: string } {
  const dot = text.indexOf('.');
  return dot < 0 ? { kind: text, group: '' } : { kind: text.slice(0, dot), group: text.slice(dot + 1) };
}

/** Arrows that the graph draws without a rule, from what every object may have. */
export type GraphEdgeType = EdgeType | 'owns' | 'defined-by' | 'aggregates' | 'holds';
