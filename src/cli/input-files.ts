/** The files that flags name, read and checked: nothing else is done before they are known to be right. */
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { kindRulesSchema, type KindRules } from '../api/kind-rules.ts';
import type { Transform } from '../api/transform.ts';
import { TranshipError } from '../errors.ts';
import type { InputFiles } from './objects.ts';

/** @throws InvalidInput naming the file and what is wrong with it */
export async function readInputFiles(options: { transforms?: readonly string[]; rules?: readonly string[] }): Promise<InputFiles> {
  return {
    ...(options.transforms !== undefined && { transforms: await readTransforms(options.transforms) }),
    ...(options.rules !== undefined && { kindRules: options.rules.map((path) => readKindRules(path)) }),
  };
}

/** A file is written by people; one that is larger is something else. */
const LARGEST_RULES = 1024 * 1024;

function readKindRules(path: string): KindRules {
  const text = readText(path);
  const invalid = (what: string) =>
    new TranshipError('InvalidInput', `${path} can't be used: ${what}.`, { hint: 'docs/kind-rules.md describes the form.' });
  if (text.length > LARGEST_RULES) throw invalid('it is larger than 1 MiB');
  let value: unknown;
  try {
    value = parse(text, { maxAliasCount: 100 });
  } catch (cause) {
    throw invalid(cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : 'it is no YAML');
  }
  const result = kindRulesSchema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw invalid(`${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'is not valid'}`);
}

/** All transforms of some files, in the order of the files. */
export async function readTransforms(paths: readonly string[]): Promise<Transform[]> {
  // Loaded only when there are files: most calls have none.
  const { parseTransforms } = await import('../compat/index.ts');
  return paths.flatMap((path) => parseTransforms(readText(path), path));
}

/** `-` is standard input. @throws InvalidInput when it can't be read */
export function readText(path: string): string {
  try {
    return readFileSync(path === '-' ? 0 : path, 'utf8');
  } catch (cause) {
    const why = (cause as NodeJS.ErrnoException).code === 'ENOENT' ? 'does not exist' : `can't be read: ${(cause as Error).message}`;
    throw new TranshipError('InvalidInput', `The file ${path} ${why}.`, { cause });
  }
}
