/** Regular expressions of users: RE2, whose time is bounded by the length of the text, so that no pattern can stop a plan. */
import { RE2JS } from 're2js';
import { Impossible } from './pointer.ts';

const compiled = new Map<string, RE2JS>();

/** @throws Impossible when it is not a regular expression of RE2 */
export function regexOf(pattern: string): RE2JS {
  const known = compiled.get(pattern);
  if (known !== undefined) return known;
  try {
    const regex = RE2JS.compile(pattern);
    compiled.set(pattern, regex);
    return regex;
  } catch (error) {
    throw new Impossible(`"${pattern}" is not a regular expression of RE2: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** What the groups of the first match hold, by number and by name; undefined without a match. */
export type Groups = ReadonlyMap<string, string>;

export function matchOf(pattern: string, text: string): Groups | undefined {
  const regex = regexOf(pattern);
  const matcher = regex.matcher(text);
  if (!matcher.find()) return undefined;
  const groups = new Map<string, string>();
  for (let index = 0; index <= matcher.groupCount(); index += 1) groups.set(String(index), matcher.group(index) ?? '');
  for (const [name, index] of Object.entries(regex.namedGroups())) groups.set(name, groups.get(String(index)) ?? '');
  return groups;
}

/** Puts groups into a text as Go does: `$1`, `${1}`, `$name`; the longest name counts, an unknown one is empty, `$$` is a dollar sign. */
export function expand(template: string, groups: Groups): string {
  return template.replace(/\$(?:\$|(\w+)|\{(\w+)\})/g, (whole: string, bare: string | undefined, braced: string | undefined) => {
    if (whole === '$$') return '$';
    return groups.get(bare ?? braced ?? '') ?? '';
  });
}

/** A glob as a regular expression: `*` and `?` stop at the separator, `**` does not, `{a,b}` is a choice. */
export function globMatches(glob: string, text: string, separator = ''): boolean {
  const other = separator === '' ? '[^]' : `[^${separator}]`;
  const any = separator === '' ? '(?s:.)' : other;
  let pattern = '';
  for (const [part] of glob.matchAll(/\*\*|\*|\?|\{|\}|,|[^*?{},]+/g)) {
    if (part === '**') pattern += '(?s:.)*';
    else if (part === '*') pattern += `${any}*`;
    else if (part === '?') pattern += any;
    else if (part === '{') pattern += '(?:';
    else if (part === '}') pattern += ')';
    else if (part === ',') pattern += '|';
    else pattern += RE2JS.quote(part);
  }
  return matchOf(`^(?:${pattern})$`, text) !== undefined;
}
