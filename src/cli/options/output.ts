import { Option, type Command } from 'commander';
import { oneOf } from './values.ts';

export type OutputFormat = 'text' | 'json';

export type GraphFormat = 'text' | 'json' | 'dot';

/** `-o json|text`: results go to standard output, progress and questions to standard error, so that a pipe gets only the result. */
export function addOutputOption(command: Command): Command {
  return command.addOption(new Option('-o, --output <format>', 'text (default) or json').argParser(oneOf('text', 'json')).default('text'));
}
