/**
 * The six operations test, add, remove, copy, move and replace, with the meaning that Kasten K10 gives them (docs/transforms.md). One with
 * wildcards is the operation at every place that they meet. Where a path without wildcards leads nowhere, it can't be done; wildcards that meet
 * nothing change nothing. Each changes the document that it is given.
 */
import { canonicalJson } from '../../api/fields.ts';
import type { Operation } from '../../api/transform.ts';
import {
  addAt,
  hasWildcard,
  Impossible,
  placesOf,
  removeAt,
  replaceAt,
  textOfTokens,
  tokensOf,
  valueAt,
  type Place,
  type Written,
} from './pointer.ts';
import { expand, matchOf, type Groups } from './regex.ts';

export interface Effect {
  /** Places that the operation looked at, or wrote to. */
  hits: number;
  written: Written[];
  /** Only for a test: false when it does not hold. */
  holds: boolean;
}

/** @throws Impossible with the reason, as the second half of a sentence */
export function operate(root: unknown, operation: Operation): Effect {
  switch (operation.op) {
    case 'test':
      return test(root, operation);
    case 'add':
      return wrote(targetsOf(root, operation.path).map((tokens) => addAt(root, tokens, structuredClone(operation.value))));
    case 'remove':
      return wrote(
        existing(root, operation.path)
          .toReversed()
          .map(({ tokens }) => removeAt(root, tokens)),
      );
    case 'replace':
      return replace(root, operation);
    case 'copy':
    case 'move':
      return carry(root, operation);
    default:
      return operation satisfies never;
  }
}

function wrote(written: Written[]): Effect {
  return { hits: written.length, written, holds: true };
}

/** With wildcards every place has to hold; no place at all holds nothing. */
function test(root: unknown, { path, value, regex }: Operation & { op: 'test' }): Effect {
  const places = placesOf(root, tokensOf(path));
  const wanted = value === undefined ? undefined : canonicalJson(value);
  const holdsAt = ({ value: found }: Place) => {
    if (regex !== undefined) return typeof found === 'string' && matchOf(regex, found) !== undefined;
    return wanted === undefined || canonicalJson(found) === wanted;
  };
  return { hits: places.length, written: [], holds: places.length > 0 && places.every(holdsAt) };
}

/** The places of a path that has to lead somewhere. @throws Impossible when one without wildcards does not */
function existing(root: unknown, path: string): Place[] {
  const tokens = tokensOf(path);
  const places = placesOf(root, tokens);
  if (places.length === 0 && !hasWildcard(tokens)) throw new Impossible(`${textOfTokens(tokens)} does not exist`);
  return places;
}

function replace(root: unknown, { path, value, regex }: Operation & { op: 'replace' }): Effect {
  const places = existing(root, path);
  const exact = !hasWildcard(tokensOf(path));
  const written = places.flatMap((place) => {
    const groups = regex === undefined ? undefined : groupsIn(place, regex, exact);
    if (regex !== undefined && groups === undefined) return [];
    return [replaceAt(root, place.tokens, filled(value, groups))];
  });
  return { hits: places.length, written, holds: true };
}

/** What the regex finds in a place; undefined when it does not match. @throws Impossible for a place that was named exactly and is no text */
function groupsIn({ tokens, value }: Place, regex: string, exact: boolean): Groups | undefined {
  if (typeof value === 'string') return matchOf(regex, value);
  if (exact) throw new Impossible(`${textOfTokens(tokens)} is not a text, so no regex can match it`);
  return undefined;
}

function filled(value: unknown, groups: Groups | undefined): unknown {
  return typeof value === 'string' && groups !== undefined ? expand(value, groups) : structuredClone(value);
}

function carry(root: unknown, operation: Operation & { op: 'copy' | 'move' }): Effect {
  const { op, from, path, regex, value } = operation;
  const fromTokens = tokensOf(from);
  const many = hasWildcard(fromTokens);
  if (many && hasWildcard(tokensOf(path))) throw new Impossible('path may hold only $1, $2, … when from has wildcards');
  const sources = existing(root, from).flatMap((place) => {
    const groups = regex === undefined ? undefined : groupsIn(place, regex, !many);
    if (regex !== undefined && groups === undefined) return [];
    return [{ place, value: value === undefined ? structuredClone(place.value) : filled(value, groups) }];
  });
  const target = tokensOf(path);
  const goals = sources.map((source) => ({ ...source, target: many ? substituted(target, source.place.captures) : target }));
  if (op === 'move') for (const { place, target: to } of goals) refuseInto(place.tokens, to);
  const removed = op === 'move' ? sources.toReversed().map(({ place }) => removeAt(root, place.tokens)) : [];
  const told = new Map<string, string>();
  const added = goals.flatMap((goal) =>
    targetsOf(root, textOfTokens(goal.target)).map((tokens) => {
      refuseConflict(told, root, tokens, goal.value);
      return addAt(root, tokens, structuredClone(goal.value));
    }),
  );
  return { hits: sources.length, written: [...removed, ...added], holds: true };
}

/** `$2` becomes what the second wildcard stood for; a `**` may stand for several levels, and then fills the whole token. */
function substituted(target: readonly string[], captures: Place['captures']): string[] {
  return target.flatMap((token) => {
    const whole = /^\$(\d+)$/.exec(token);
    if (whole !== null) return captured(captures, Number(whole[1]));
    return [
      token.replace(/\$(\d+)/g, (text, index: string) => {
        const tokens = captured(captures, Number(index));
        if (tokens.length !== 1) throw new Impossible(`${text} stands for several levels and can't be part of "${token}"`);
        return tokens[0] ?? '';
      }),
    ];
  });
}

function captured(captures: Place['captures'], index: number): readonly string[] {
  const tokens = captures[index - 1];
  if (tokens === undefined) throw new Impossible(`$${index} is named, but from has ${captures.length} wildcards`);
  return tokens;
}

function refuseInto(from: readonly string[], to: readonly string[]): void {
  if (to.length > from.length && from.every((token, index) => token === to[index])) {
    throw new Impossible(`${textOfTokens(from)} can't be moved into itself`);
  }
}

/** Two sources for one field of a map: which of them wins would be by chance. */
function refuseConflict(told: Map<string, string>, root: unknown, tokens: readonly string[], value: unknown): void {
  if (Array.isArray(valueAt(root, tokens.slice(0, -1)))) return;
  const [key, text] = [textOfTokens(tokens), canonicalJson(value)];
  const before = told.get(key);
  if (before !== undefined && before !== text) throw new Impossible(`two different values would go to ${key}`);
  told.set(key, text);
}

/**
 * Where a value is put: the last token may be new. Wildcards stand for what is there; those before the last token leave out places that are
 * neither map nor list. Last ones first, so that what is put into a list does not shift those still to come.
 */
function targetsOf(root: unknown, path: string): (readonly string[])[] {
  const tokens = tokensOf(path);
  const [parent, last] = [tokens.slice(0, -1), tokens.at(-1) ?? ''];
  if (!hasWildcard(tokens)) return [tokens];
  if (last === '*' || last === '**')
    return placesOf(root, tokens)
      .map((place) => place.tokens)
      .toReversed();
  return placesOf(root, parent)
    .filter(({ value }) => typeof value === 'object' && value !== null)
    .map((place) => [...place.tokens, last])
    .toReversed();
}
