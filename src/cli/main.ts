/** `tranship`: gives the command line its terminal, and ends with its exit code. */
import { runCli } from './run.ts';
import { processSurroundings } from './process.ts';

process.exitCode = await runCli(process.argv.slice(2), processSurroundings());
