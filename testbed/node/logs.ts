import { readFileSync } from 'node:fs';

/** The end of a log, for the sentence of a failure. */
export function tail(path: string, lines = 5): string {
  try {
    return readFileSync(path, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
  } catch {
    return '(no log)';
  }
}
