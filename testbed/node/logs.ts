import { readFileSync } from 'node:fs';

/** klog's fatal lines, Go's panics, and the lines of programs that say that they give up. */
const fatal = /^(F\d{4} |panic: |fatal error: |Error: )|"level":"(fatal|panic)"/;

/**
 * The end of a log, for the sentence of a failure. What a program died of often stands above a page of stacks or of shutdown lines,
 * so its fatal lines come first, then the last `lines`.
 */
export function tail(path: string, lines = 5): string {
  let all: string[];
  try {
    all = readFileSync(path, 'utf8').trimEnd().split('\n');
  } catch {
    return '(no log)';
  }
  const last = all.slice(-lines);
  const causes = all.slice(0, -lines).filter((line) => fatal.test(line));
  return [...causes.slice(-3), ...last].join('\n');
}
