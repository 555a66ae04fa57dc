/** An error as the user sees it: the sentence, the cure, and with -v everything below it. */
import { TranshipError } from '../../errors.ts';

export function errorLines(error: unknown, verbose: boolean): string[] {
  const message = error instanceof Error ? error.message : String(error);
  const known = error instanceof TranshipError;
  const lines = [`error: ${message}`];
  if (known && error.hint !== undefined) lines.push(`hint: ${error.hint}`);
  if (!known && !verbose) lines.push('hint: This is a defect of tranship. Please report it with the output of -v.');
  if (verbose) lines.push(...chain(error));
  return lines;
}

/** Each cause with its code and, for what is not ours, its stack. */
function chain(error: unknown): string[] {
  const lines: string[] = [];
  let indent = '  ';
  for (
    let current: unknown = error;
    current !== undefined && lines.length < 60;
    current = current instanceof Error ? current.cause : undefined
  ) {
    if (current instanceof TranshipError) {
      if (current !== error) lines.push(`${indent}because: ${current.message} [${current.code}]`);
      else lines.push(`${indent}code: ${current.code}`);
    } else if (current instanceof Error) {
      lines.push(...(current.stack ?? current.message).split('\n').map((line) => indent + line.trim()));
    } else lines.push(`${indent}because: ${JSON.stringify(current)}`);
    indent += '  ';
  }
  return lines;
}
