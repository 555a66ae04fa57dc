/**
 * The mover program: `idle` is the first process of its container and waits, `run` does one job that arrives on standard input. Worker threads run
 * this same file. Bundled to dist/mover.mjs.
 */
import { setFlagsFromString } from 'node:v8';
import { serveTasks, streamSetup } from './pool.ts';

// Each stream has a few reads and writes on their way, and all streams share Node's threads for them. Read when the first of them is needed.
process.env['UV_THREADPOOL_SIZE'] ??= '16';

const setup = streamSetup();
// Each way in loads its own part only: a stream starts in half the time and memory without the rest.
if (setup !== undefined) serveTasks((await import('./stream.ts')).startStream(setup));
else if (process.argv[2] === 'idle') await idle();
else if (process.argv[2] === 'run') await run();
else {
  process.stderr.write('Usage: mover idle | mover run (a job as JSON line on standard input)\n');
  process.exitCode = 2;
}

/** Does one job. Memory first: a copy makes much garbage that dies young, and V8 and malloc would rather let it lie than collect it. */
async function run(): Promise<void> {
  setFlagsFromString('--heap-growing-percent=30');
  (await import('./sys.ts')).keepArenasFew();
  await (await import('./serve.ts')).runOnStandardStreams(new URL(import.meta.url));
}

/** Waits for SIGTERM. As process 1 it inherits the orphans of every exec and must collect them. */
async function idle(): Promise<void> {
  const { reapOne } = await import('./sys.ts');
  const hold = setInterval(() => {}, 1 << 30);
  process.on('SIGCHLD', () => {
    while (reapOne());
  });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => process.exit(0));
  hold.ref();
}
