/**
 * All figures of this project, one after the other: `make bench`, or `make bench ARGS="demo data"` for some of them, or one with its own
 * options: `make bench ARGS="data --scale 0.1"`. Each bench is a program of its own that prints its table and writes the figures to
 * bench/results/.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

const benches: Readonly<Record<string, { what: string; run: (signal: AbortSignal, args: readonly string[]) => Promise<number> }>> = {
  demo: {
    what: 'the demo application: total time, time without service, bytes in the store, time per step',
    run: async (signal, args) => await program(['demo.ts', ...args], signal),
  },
  data: {
    what: 'the data engine beside restic, kopia, cp, tar and rsync: big, small, over S3, 1 % changed in place, memory',
    run: async (signal, args) => await program(['data.ts', ...args], signal),
  },
  objects: {
    what: 'objects: capture, plan and apply beside Velero and a bare create loop, on the same API server',
    run: async (signal, args) => await program(['objects.ts', ...args], signal),
  },
};

async function program([file = '', ...args]: readonly string[], signal: AbortSignal): Promise<number> {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', join(import.meta.dirname, file), ...args], {
    stdio: 'inherit',
  });
  // The child gets the terminal's Ctrl-C itself; a SIGTERM to us alone is handed on.
  const end = () => child.kill('SIGTERM');
  signal.addEventListener('abort', end, { once: true });
  const [code] = (await once(child, 'close')) as [number | null];
  signal.removeEventListener('abort', end);
  return code ?? 1;
}

async function main(): Promise<number> {
  const given = process.argv.slice(2);
  const first = given.findIndex((argument) => argument.startsWith('-'));
  const positionals = first === -1 ? given : given.slice(0, first);
  // Options belong to the one bench that is named.
  const options = first === -1 ? [] : given.slice(first);
  const unknown = positionals.find((name) => benches[name] === undefined);
  if (unknown !== undefined || (options.length > 0 && positionals.length !== 1)) {
    if (unknown !== undefined) process.stderr.write(`There is no bench "${unknown}".\n`);
    else if (!/^(-h|--help)$/.test(options[0] ?? '')) process.stderr.write('Options are for one bench: name it before them.\n');
    for (const [name, bench] of Object.entries(benches)) process.stdout.write(`  ${name.padEnd(8)} ${bench.what}\n`);
    return unknown === undefined && /^(-h|--help)$/.test(options[0] ?? '') ? 0 : 2;
  }
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => stop.abort());
  let worst = 0;
  for (const [name, bench] of Object.entries(benches)) {
    if (stop.signal.aborted || (positionals.length > 0 && !positionals.includes(name))) continue;
    process.stdout.write(`── ${name}: ${bench.what}\n`);
    const code = await bench.run(stop.signal, options);
    if (code !== 0) process.stderr.write(`bench ${name} ended with exit code ${code}\n`);
    worst = Math.max(worst, code);
  }
  return stop.signal.aborted ? 130 : worst;
}

process.exitCode = await main();
