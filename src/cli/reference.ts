/** The reference page of the command line, made from the help texts: docs/cli.md. `make test` fails when it is stale. */
import type { Command } from 'commander';
import { exitCodeTable } from './exit-codes.ts';
import { createProgram } from './program.ts';
import type { Surroundings } from './surroundings.ts';

export function cliReference(): string {
  const program = createProgram(nowhere, () => {});
  const verbs = program.commands.filter((command) => command.name() !== 'exit-codes');
  return [
    '# The command line',
    '',
    '<!-- Made by tools/generate.ts from the help texts in src/cli. Do not edit. -->',
    '',
    ...block(program),
    ...verbs.flatMap((command) => chapter(command, 'tranship', '##')),
    '## Exit codes',
    '',
    '| code | meaning |',
    '|---|---|',
    ...exitCodeTable.map((row) => `| ${row.code} | ${row.meaning} |`),
    '',
  ].join('\n');
}

/** A verb, and the verbs of a group below it. */
function chapter(command: Command, before: string, mark: string): string[] {
  const name = `${before} ${command.name()}`;
  return [`${mark} ${name}`, '', ...block(command), ...command.commands.flatMap((inner) => chapter(inner, name, `${mark}#`))];
}

function block(command: Command): string[] {
  let text = '';
  command.configureOutput({ writeOut: (part) => (text += part), getOutHelpWidth: () => 120, getOutHasColors: () => false });
  command.outputHelp();
  return ['```text', text.trimEnd(), '```', ''];
}

/** Help texts need no surroundings; using them here would be a defect. */
const nowhere: Surroundings = {
  env: {},
  stdout: { write: () => true },
  stderr: { write: () => true },
  interactive: false,
  ask: () => Promise.reject(new Error('not here')),
  onSignal: () => () => {},
  openHub: () => Promise.reject(new Error('not here')),
  engine: () => Promise.reject(new Error('not here')),
};
