/** JSON pointers with wildcards: finding places, and writing to them. Changes the document that it is given. */
import { isRecord } from '../../api/fields.ts';

/** Why an operation can't be done; becomes the message of a finding. */
export class Impossible extends Error {}

/** One place that a pattern has met: its tokens, and what each wildcard stood for (several tokens for `**`). */
export interface Place {
  tokens: readonly string[];
  captures: readonly (readonly string[])[];
  value: unknown;
}

/** Splits a pointer; the slash at its beginning may be missing, as in some examples of other tools. */
export function tokensOf(pointer: string): string[] {
  const text = pointer.startsWith('/') ? pointer.slice(1) : pointer;
  return text.split('/').map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
}

export function textOfTokens(tokens: readonly string[]): string {
  return tokens.map((token) => `/${token.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

export function hasWildcard(tokens: readonly string[]): boolean {
  return tokens.some((token) => token === '*' || token === '**');
}

/**
 * Every place that the pattern leads to and that exists, in document order; `**` takes as few levels as it can. Each place is visited once per
 * token of the pattern, so the work is bounded by the size of the document times the length of the pattern.
 */
export function placesOf(root: unknown, pattern: readonly string[]): Place[] {
  const found = new Map<string, Place>();
  const seen = new Set<string>();
  const walk = (
    value: unknown,
    depth: number,
    tokens: readonly string[],
    captures: readonly (readonly string[])[],
    open: boolean,
  ): void => {
    const here = textOfTokens(tokens);
    const key = `${depth} ${open} ${here}`;
    if (seen.has(key)) return;
    seen.add(key);
    const token = pattern[depth];
    if (token === undefined) {
      if (!found.has(here)) found.set(here, { tokens, captures, value });
      return;
    }
    for (const [name, child] of entriesOf(value)) {
      const next = [...tokens, name];
      if (token === '**') {
        const last = captures.at(-1) ?? [];
        const grown = open ? [...captures.slice(0, -1), [...last, name]] : [...captures, [name]];
        walk(child, depth + 1, next, grown, false);
        walk(child, depth, next, grown, true);
      } else if (token === '*') walk(child, depth + 1, next, [...captures, [name]], false);
      else if (token === name) walk(child, depth + 1, next, captures, false);
    }
  };
  walk(root, 0, [], [], false);
  return [...found.values()];
}

function entriesOf(value: unknown): [string, unknown][] {
  if (Array.isArray(value)) return value.map((item, index): [string, unknown] => [String(index), item]);
  return isRecord(value) ? Object.entries(value) : [];
}

/** The value at a place without wildcards; undefined when there is none. */
export function valueAt(root: unknown, tokens: readonly string[]): unknown {
  let here = root;
  for (const token of tokens) {
    if (Array.isArray(here)) here = /^(?:0|[1-9]\d*)$/.test(token) ? here[Number(token)] : undefined;
    else here = isRecord(here) && Object.hasOwn(here, token) ? here[token] : undefined;
  }
  return here;
}

export interface Written {
  tokens: readonly string[];
  before: unknown;
  after: unknown;
}

/**
 * RFC 6902 add: in a map the key is set, in a list the value is put in before the index, or at the end for `-`.
 * @throws Impossible when there is no map or list to write to, or no such index
 */
export function addAt(root: unknown, tokens: readonly string[], value: unknown): Written {
  const [parent, last] = parentOf(root, tokens);
  if (Array.isArray(parent)) {
    const index = last === '-' ? parent.length : /^(?:0|[1-9]\d*)$/.test(last) ? Number(last) : -1;
    if (index < 0 || index > parent.length) throw new Impossible(`the list has ${parent.length} items, and no place "${last}"`);
    parent.splice(index, 0, value);
    return { tokens: [...tokens.slice(0, -1), String(index)], before: undefined, after: value };
  }
  const before = Object.hasOwn(parent, last) ? parent[last] : undefined;
  setOwn(parent, last, value);
  return { tokens, before, after: value };
}

/** Puts a value in the place of one that exists. */
export function replaceAt(root: unknown, tokens: readonly string[], value: unknown): Written {
  const [parent, last] = parentOf(root, tokens);
  const before = valueAt(parent, [last]);
  if (Array.isArray(parent)) parent[Number(last)] = value;
  else setOwn(parent, last, value);
  return { tokens, before, after: value };
}

export function removeAt(root: unknown, tokens: readonly string[]): Written {
  const [parent, last] = parentOf(root, tokens);
  const before = valueAt(parent, [last]);
  if (before === undefined) throw new Impossible('it does not exist');
  if (Array.isArray(parent)) parent.splice(Number(last), 1);
  else delete parent[last];
  return { tokens, before, after: undefined };
}

function parentOf(root: unknown, tokens: readonly string[]): [Record<string, unknown> | unknown[], string] {
  const parent = valueAt(root, tokens.slice(0, -1));
  const last = tokens.at(-1) ?? '';
  if (Array.isArray(parent) || isRecord(parent)) return [parent, last];
  const where = textOfTokens(tokens.slice(0, -1));
  throw new Impossible(parent === undefined ? `${where} does not exist; add it first` : `${where} is neither a map nor a list`);
}

/** Assigning to `__proto__` would change what the object is, instead of giving it a field of that name. */
function setOwn(record: Record<string, unknown>, key: string, value: unknown): void {
  Object.defineProperty(record, key, { value, writable: true, enumerable: true, configurable: true });
}
