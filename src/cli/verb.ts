/** What a verb of the CLI is. Each lives in a file of its own in verbs/, with its help text, its options and its work. */
import type { Command } from 'commander';
import type { Surroundings } from './surroundings.ts';

export interface Verb {
  /** Adds the verb to the program. The action gets its exit code to `finish`. */
  define(program: Command, surroundings: Surroundings, finish: (code: number) => void): void;
}

/** Options that every verb has. */
export interface GlobalOptions {
  hub?: string;
  verbose?: boolean;
}

/** A titled block below the options of a help page. */
export function section(title: string, ...lines: readonly string[]): string {
  return `\n${title}:\n${lines.map((line) => (line === '' ? '' : `  ${line}`)).join('\n')}`;
}
