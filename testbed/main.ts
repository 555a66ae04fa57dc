/**
 * The test bed's command: `node testbed/main.ts up|down|status|light`. Prints; decides nothing.
 *
 * Exit codes: 0 done, 1 failed, 2 wrong usage, 3 this machine cannot do it, 4 (status) nothing runs, 5 (status) not healthy, 130 stopped.
 */
import { Command, Option } from 'commander';
import { codeOf, sentenceOf } from '../src/errors.ts';
import { printBed, printLight, stopwatch } from './cluster/print.ts';
import { down, light, status, up } from './index.ts';

const program = new Command('testbed')
  .description('Two real Kubernetes clusters (contexts source and target) and an S3 server on this machine.')
  .helpOption('-h, --help', 'show this help')
  .addHelpText(
    'after',
    `
Variables: TRANSHIP_TESTBED_NAME  a second test bed of the same checkout
Exit codes: 0 done, 1 failed, 2 wrong usage, 3 this machine cannot do it, 4 nothing runs, 5 not healthy, 130 stopped`,
  )
  .exitOverride();

// A reader that leaves early (`up | head -3`) must not end a start in the middle.
process.stdout.on('error', () => undefined);

const stop = new AbortController();
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(name, () => {
    if (stop.signal.aborted) process.exit(130); // the second one: the ledger remembers what the next call must clean
    console.error(`\n${name}: stopping and cleaning up; once more to leave at once`);
    stop.abort();
  });
}
const signal = stop.signal;

type UpFlags = { sourceVersion?: string; targetVersion?: string; provider: 'native' | 'kind'; image: string[]; once?: true };

program
  .command('up')
  .description('start both clusters and the S3 server, or find that they run')
  .option('--source-version <version>', 'Kubernetes minor of the source, such as 1.34 (default: the newest that is built)')
  .option('--target-version <version>', 'the same for the target')
  .addOption(new Option('--provider <name>', 'how clusters are made').choices(['native', 'kind']).default('native'))
  .option('--image <name>', 'image for both nodes: a name of testbed/images or the path of an OCI tar; repeatable', collect, [])
  .option('--once', 'end everything again when all is ready: a check of this machine')
  .action(async (flags: UpFlags) => {
    const say = stopwatch();
    const { image, once, ...options } = flags;
    const bed = await up({ ...options, images: image, signal, onProgress: say });
    say('ready');
    if (once !== true) return printBed(bed);
    await down({ signal, onProgress: say });
    say('ended');
  });

program
  .command('down')
  .description('end them; leaves nothing behind; fine when nothing runs')
  .action(async () => {
    const say = stopwatch();
    await down({ signal, onProgress: say });
    say('nothing is left');
  });

program
  .command('status')
  .description('say what runs and whether it is healthy')
  .option('--json', 'print it as JSON')
  .action(async (flags: { json?: true }) => {
    const found = await status(AbortSignal.any([signal, AbortSignal.timeout(30_000)]));
    if (flags.json === true) console.log(JSON.stringify(found, undefined, 2));
    else {
      console.log(found.state);
      for (const reason of found.reasons) console.log(reason);
      if (found.bed !== undefined) printBed(found.bed);
    }
    if (found.state !== 'ready') process.exitCode = found.state === 'absent' ? 4 : 5;
  });

program
  .command('light')
  .description('start clusters that are only an API (no nodes, no root needed); they run until down')
  .option('--count <n>', 'how many', '2')
  .option('--source-version <version>', 'Kubernetes minor of the first, such as 1.34')
  .option('--once', 'end them again when all are ready')
  .action(async (flags: { count: string; sourceVersion?: string; once?: true }) => {
    const say = stopwatch();
    const versions = flags.sourceVersion === undefined ? [] : [flags.sourceVersion];
    const bed = await light(Number(flags.count), { signal, onProgress: say, versions, keep: flags.once !== true });
    say('ready');
    if (flags.once !== true) return printLight(bed);
    await bed.close();
    say('ended');
  });

function collect(value: string, before: string[]): string[] {
  return [...before, value];
}

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = report(error);
}
// Connections that were kept open must not hold us; processes of the bed are their own masters.
process.exit();

function report(error: unknown): number {
  if (error instanceof Error && 'exitCode' in error) return error.exitCode === 0 ? 0 : 2; // commander has printed it
  console.error(`testbed: ${sentenceOf(error)}`);
  if (error instanceof Error && error.cause instanceof Error) console.error(`  because: ${error.cause.message}`);
  const codes: Partial<Record<ReturnType<typeof codeOf>, number>> = { InvalidInput: 2, Unsupported: 3, Canceled: 130 };
  return codes[codeOf(error)] ?? 1;
}
