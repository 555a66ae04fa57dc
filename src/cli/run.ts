/** One call of the CLI: arguments in, exit code out. Every error ends here as a sentence and a cure. */
import { CommanderError } from 'commander';
import { exitCodeOfError, exitCodes } from './exit-codes.ts';
import { createProgram } from './program.ts';
import { errorLines } from './render/error.ts';
import type { Surroundings } from './surroundings.ts';

/** @param args without `node` and the script */
export async function runCli(args: readonly string[], surroundings: Surroundings): Promise<number> {
  let code: number = exitCodes.ok;
  const program = createProgram(surroundings, (result) => {
    code = result;
  });
  try {
    if (args.length === 0) {
      program.outputHelp();
      return exitCodes.ok;
    }
    await program.parseAsync(args, { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError)
      return usageError(
        error,
        args,
        program.commands.map((command) => command.name()),
        surroundings,
      );
    const verbose = args.includes('-v') || args.includes('--verbose');
    for (const line of errorLines(error, verbose)) surroundings.stderr.write(`${line}\n`);
    return exitCodeOfError(error);
  }
}

/** commander has printed its sentence already; help that was asked for is no error. */
function usageError(error: CommanderError, args: readonly string[], verbs: readonly string[], surroundings: Surroundings): number {
  if (error.exitCode === 0) return exitCodes.ok;
  if (error.code !== 'commander.help') {
    const verb = args.find((arg) => verbs.includes(arg));
    surroundings.stderr.write(`hint: "tranship help${verb === undefined ? '' : ` ${verb}`}" shows what can be given.\n`);
  }
  return exitCodes.invalid;
}
