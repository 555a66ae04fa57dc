/**
 * What no tracked file may hold: names of package registries and paths of one machine (a clone elsewhere would break), notes of
 * unfinished work, and tests that switch the others off.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

interface Rule {
  pattern: RegExp;
  why: string;
  /** Files that the rule is not for. */
  except?: RegExp;
}

const quote = (text: string) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** The rules for one checkout. The patterns are written so that this file passes its own check. */
export function rules(root: string, home: string): Rule[] {
  const places = [root, ...(home.length > 2 ? [home] : [])].map(quote);
  return [
    {
      pattern: /registry\.npmjs\.org|(?:proxy|sum)\.golang\.org|pypi\.org|pythonhosted\.org|deb\.debian\.org/,
      why: 'names a package registry; clients know theirs from their own configuration',
    },
    {
      pattern: new RegExp(`(?<![\\w.$})*-])(?:${[...places, '/[w]ork', '/[r]oot'].join('|')})(?=/[\\w.])`),
      why: 'holds a path of one machine',
    },
    { pattern: /\b(?:TO[D]O|FIX[M]E)\b/, why: 'leaves a note of unfinished work; finish it or open an issue' },
    { pattern: /\b(?:test|it|describe|suite)\.only\(|\bonly:\s*true/, why: 'switches the other tests off', except: /^(?!.*\.test\.ts$)/ },
  ];
}

/** One sentence per line that breaks a rule. */
export function breaches(file: string, text: string, list: readonly Rule[]): string[] {
  const mine = list.filter((rule) => rule.except === undefined || !rule.except.test(file));
  if (!mine.some((rule) => rule.pattern.test(text))) return [];
  return text
    .split('\n')
    .flatMap((line, index) => mine.filter((rule) => rule.pattern.test(line)).map((rule) => `${file}:${index + 1} ${rule.why}`));
}

if (import.meta.main) {
  const root = join(import.meta.dirname, '..');
  const list = rules(root, homedir());
  const tracked = execFileSync('git', ['ls-files', '-z'], { cwd: root, encoding: 'utf8', maxBuffer: 64 << 20 }).split('\0');
  const files = tracked.filter((file) => file !== '' && isText(join(root, file)));
  const found = files.flatMap((file) => breaches(file, readFileSync(join(root, file), 'utf8'), list));
  for (const line of found) console.error(line);
  console.log(`${files.length} files, ${found.length} breaches`);
  process.exitCode = found.length > 0 ? 1 : 0;
}

function isText(path: string): boolean {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat !== undefined && stat.isFile() && stat.size < 2_000_000 && !/\.(png|gif|jpg|ico|woff2?|gz|tar)$/.test(path);
}
