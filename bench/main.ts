/**
 * All figures of this project, one after the other: `make bench`, or `make bench ARGS="demo data"` for some of them. Each bench is a program
 * of its own that prints its table; the demo's figures are also written to bench/results/.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { light } from '../testbed/index.ts';

const benches: Readonly<Record<string, { what: string; run: (signal: AbortSignal) => Promise<number> }>> = {
  demo: {
    what: 'the demo application: total time, time without service, bytes in the store, time per step',
    run: async (signal) => await program(['demo.ts'], {}, signal),
  },
  data: {
    what: 'the data engine beside cp: one big file and many small ones, first round and a change of 1 %',
    run: async (signal) => await program(['data.ts'], {}, signal),
  },
  objects: {
    what: 'objects: capture, plan and apply beside a bare create loop, on the same API server',
    run: async (signal) => {
      const bed = await light(1, { signal, onProgress: (line) => process.stderr.write(`  ${line}\n`) });
      try {
        const kubeconfigs = bed.clusters.map((cluster) => cluster.kubeconfig).join(':');
        return await program(['objects.ts'], { TRANSHIP_TEST_KUBECONFIGS: kubeconfigs }, signal);
      } finally {
        await bed.close();
      }
    },
  },
};

async function program([file = '', ...args]: readonly string[], env: Record<string, string>, signal: AbortSignal): Promise<number> {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', join(import.meta.dirname, file), ...args], {
    stdio: 'inherit',
    env: { ...process.env, ...env },
  });
  // The child gets the terminal's Ctrl-C itself; a SIGTERM to us alone is handed on.
  const end = () => child.kill('SIGTERM');
  signal.addEventListener('abort', end, { once: true });
  const [code] = (await once(child, 'close')) as [number | null];
  signal.removeEventListener('abort', end);
  return code ?? 1;
}

async function main(): Promise<number> {
  const { positionals, values } = parseArgs({ allowPositionals: true, options: { help: { type: 'boolean', short: 'h' } } });
  const unknown = positionals.find((name) => benches[name] === undefined);
  if (values.help === true || unknown !== undefined) {
    if (unknown !== undefined) process.stderr.write(`There is no bench "${unknown}".\n`);
    for (const [name, bench] of Object.entries(benches)) process.stdout.write(`  ${name.padEnd(8)} ${bench.what}\n`);
    return unknown === undefined ? 0 : 2;
  }
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => stop.abort());
  let worst = 0;
  for (const [name, bench] of Object.entries(benches)) {
    if (stop.signal.aborted || (positionals.length > 0 && !positionals.includes(name))) continue;
    process.stdout.write(`── ${name}: ${bench.what}\n`);
    const code = await bench.run(stop.signal);
    if (code !== 0) process.stderr.write(`bench ${name} ended with exit code ${code}\n`);
    worst = Math.max(worst, code);
  }
  return stop.signal.aborted ? 130 : worst;
}

process.exitCode = await main();
