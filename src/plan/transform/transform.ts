/** A list of transforms on one object: which mean it, what each operation hit and changed, and why one could not be done. Pure. */
import { canonicalJson, isRecord, textOf } from '../../api/fields.ts';
import type { KubeObject } from '../../api/object.ts';
import type { Operation, Transform } from '../../api/transform.ts';
import { isBuiltInGroup } from '../../api/served.ts';
import { operate } from './operations.ts';
import { Impossible, textOfTokens } from './pointer.ts';
import { mergePatch, strategicPatch } from './patches.ts';
import { fits, type Identity } from './subject.ts';

export interface OperationResult {
  /** `replace /spec/replicas`, `merge 1`. */
  operation: string;
  outcome: 'Changed' | 'Unchanged' | 'Held' | 'NotHeld' | 'Skipped' | 'Failed';
  /** Places that it met. */
  hits: number;
  changes: { path: string; from?: unknown; to?: unknown }[];
  /** Why it failed. */
  reason?: string;
}

export interface TransformResult {
  /** Its place in the list. */
  index: number;
  transform: string;
  operations: OperationResult[];
}

export interface Transformed {
  object: KubeObject;
  /** Of the transforms that mean this object, in order. */
  results: TransformResult[];
  /** Set when an operation could not be done; the object is then as it was before that transform, and later ones were not tried. */
  problem?: { transform: string; operation: string; reason: string };
}

/** More than any cluster stores in one object; a list of copies could otherwise grow without end. */
const LARGEST = 4 * 1024 * 1024;

/**
 * Applies the transforms that mean an object, in order. The object given is not changed.
 * @param identity as the source calls it
 * @example const { object, results, problem } = transformObject(manifest, identity, transforms);
 */
export function transformObject(given: KubeObject, identity: Identity, transforms: readonly Transform[]): Transformed {
  const results: TransformResult[] = [];
  let object = given;
  for (const [index, transform] of transforms.entries()) {
    const operations: OperationResult[] = [];
    try {
      if (!fits(transform.subject, identity, given)) continue;
    } catch (error) {
      return { object, results, problem: { transform: transform.name, operation: 'subject', reason: reasonOf(error) } };
    }
    results.push({ index, transform: transform.name, operations });
    const next = structuredClone(object);
    const problem =
      transform.json === undefined ? runPatches(next, identity, transform, operations) : runOperations(next, transform, operations);
    if (problem === 'undone') continue;
    const refused = problem ?? refusal(object, next);
    if (refused !== undefined) {
      const last = operations.findLast(({ outcome }) => outcome !== 'Skipped');
      return { object, results, problem: { transform: transform.name, operation: last?.operation ?? '', reason: refused } };
    }
    object = next;
  }
  return { object, results };
}

/** @returns why one could not be done; `undone` when a test did not hold and everything is to be as before */
function runOperations(object: KubeObject, { json = [], onTestFailed }: Transform, results: OperationResult[]): string | undefined {
  let skip = false;
  let undone = false;
  for (const operation of json) {
    const result: OperationResult = { operation: nameOf(operation), outcome: 'Skipped', hits: 0, changes: [] };
    results.push(result);
    if (skip) continue;
    try {
      const { hits, written, holds } = operate(object, operation);
      result.hits = hits;
      result.changes = written
        .filter(({ before, after }) => canonicalJson(before) !== canonicalJson(after))
        .map(({ tokens, before, after }) => changeOf(textOfTokens(tokens), before, after));
      result.outcome = operation.op === 'test' ? (holds ? 'Held' : 'NotHeld') : result.changes.length > 0 ? 'Changed' : 'Unchanged';
      if (!holds) {
        skip = true;
        undone = onTestFailed === 'UndoAll';
      }
      if (written.length > 0) refuseGrowth(object);
    } catch (error) {
      result.outcome = 'Failed';
      result.reason = reasonOf(error);
      return result.reason;
    }
  }
  if (!undone) return undefined;
  for (const result of results) if (result.outcome === 'Changed') Object.assign(result, { outcome: 'Unchanged', changes: [] });
  return 'undone';
}

function runPatches(object: KubeObject, identity: Identity, transform: Transform, results: OperationResult[]): string | undefined {
  const strategic = transform.strategic !== undefined;
  for (const [index, patch] of (transform.merge ?? transform.strategic ?? []).entries()) {
    const result: OperationResult = {
      operation: `${strategic ? 'strategic' : 'merge'} ${index + 1}`,
      outcome: 'Unchanged',
      hits: 1,
      changes: [],
    };
    results.push(result);
    try {
      if (strategic && !isBuiltInGroup(identity.group)) {
        throw new Impossible(`${identity.resource}.${identity.group} is not a kind of the API server; use merge`);
      }
      if (!isRecord(patch)) throw new Impossible('the patch is not a map');
      const before = structuredClone(object);
      const after = strategic ? strategicPatch(object, patch) : mergePatch(object, patch);
      if (!isRecord(after)) throw new Impossible('it would remove the object');
      for (const key of Object.keys(object)) delete object[key];
      Object.assign(object, after);
      refuseGrowth(object);
      result.changes = differences(before, object);
      if (result.changes.length > 0) result.outcome = 'Changed';
    } catch (error) {
      result.outcome = 'Failed';
      result.reason = reasonOf(error);
      return result.reason;
    }
  }
  return undefined;
}

/** What an object is and where it lives is decided by selection and mapping; a transform can't put it elsewhere. */
function refusal(before: KubeObject, after: KubeObject): string | undefined {
  if (!isRecord(after.metadata)) return 'metadata is no map any more';
  for (const field of ['labels', 'annotations'] as const) {
    const value: unknown = after.metadata[field];
    if (value !== undefined && !isRecord(value)) return `/metadata/${field} is no map any more`;
  }
  if (after.apiVersion !== before.apiVersion || after.kind !== before.kind) return 'it would change apiVersion or kind';
  if (after.metadata.namespace !== before.metadata.namespace) return 'it would change /metadata/namespace; map the namespace instead';
  if ((textOf(after.metadata.name) ?? '') === '') return 'it would leave the object without a name';
  return undefined;
}

function refuseGrowth(object: KubeObject): void {
  if (JSON.stringify(object).length > LARGEST) throw new Impossible('the object grows beyond what a cluster can store');
}

function nameOf(operation: Operation): string {
  return 'from' in operation ? `${operation.op} ${operation.from} → ${operation.path}` : `${operation.op} ${operation.path}`;
}

function changeOf(path: string, from: unknown, to: unknown): { path: string; from?: unknown; to?: unknown } {
  return { path, ...(from !== undefined && { from: structuredClone(from) }), ...(to !== undefined && { to: structuredClone(to) }) };
}

/** The smallest places in which two documents differ; lists are compared as a whole when their lengths differ. */
function differences(before: unknown, after: unknown, tokens: readonly string[] = []): { path: string; from?: unknown; to?: unknown }[] {
  if (canonicalJson(before) === canonicalJson(after)) return [];
  const lists = Array.isArray(before) && Array.isArray(after) && before.length === after.length;
  if (!lists && !(isRecord(before) && isRecord(after))) return [changeOf(textOfTokens(tokens), before, after)];
  const [left, right] = [before as Record<string, unknown>, after as Record<string, unknown>]; // lists are read by index
  const keys = [...new Set([...Object.keys(left), ...Object.keys(right)])];
  return keys.flatMap((key) => differences(left[key], right[key], [...tokens, key]));
}

function reasonOf(error: unknown): string {
  if (error instanceof Impossible) return error.message;
  throw error;
}
