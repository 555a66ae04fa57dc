/** The files that flags name, read and checked: nothing else is done before they are known to be right. */
import { readFileSync } from 'node:fs';
import type { Transform } from '../api/transform.ts';
import { TranshipError } from '../errors.ts';
import type { InputFiles } from './objects.ts';

/** @throws InvalidInput naming the file and what is wrong with it */
export async function readInputFiles(options: { transforms?: readonly string[] }): Promise<InputFiles> {
  return options.transforms === undefined ? {} : { transforms: await readTransforms(options.transforms) };
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
