/**
 * Objects beside Velero and a bare create loop, on one API server in one run: rates, requests, memory, and where they stand against the bars.
 * docs/benchmarks.md says what is measured. Ours is one process of its own; the loop is this one.
 *
 * Usage: make bench ARGS="objects [--scale 0.1] [--only one,mix] [--repetitions 3] [--velero] [-o json]"
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { sentenceOf, TranshipError } from '../src/errors.ts';
import { loadKubeconfig, openKube, type KubeClient } from '../src/kube/index.ts';
import { light } from '../testbed/index.ts';
import { conditionLines, conditionsAt } from './data/conditions.ts';
import { type Gateway, startGateway } from './data/gateway.ts';
import { measure } from './data/measure.ts';
import type { Work } from './data/peers.ts';
import { type ObjectRow, type ObjectTool, objectVerdicts, type ObjectWork } from './objects/bars.ts';
import { createAll, deleteAll, type Item, mixed, plain } from './objects/content.ts';
import type { Move, MoveFigures } from './objects/move.ts';
import { provideVelero } from './objects/programs.ts';
import { requestsAnswered } from './objects/requests.ts';
import { installVelero, startVelero, type VeleroNeed } from './objects/velero.ts';
import { commonFlags, commonOptions } from './options.ts';
import { barsTable } from './verdict.ts';

const workNames = ['one', 'mix', 'secrets', 'crowd'] as const;

interface Options {
  scale: number;
  only: readonly ObjectWork[];
  repetitions: number;
  velero: boolean;
  json: boolean;
}

interface Ground extends Work {
  kubeconfig: string;
  client: KubeClient;
  temp: string;
  options: Options;
  velero: VeleroNeed | undefined;
  rows: ObjectRow[];
}

function optionsOf(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      ...commonFlags(workNames),
      velero: { type: 'boolean', default: false },
    },
  });
  return { ...commonOptions(values, workNames), velero: values.velero };
}

/** Namespaces of one set of objects, and the objects, under names that begin with `base`. */
function setOf(work: ObjectWork, scale: number, base: string): { namespaces: string[]; items: Item[] } {
  const count = (full: number): number => Math.max(2, Math.round(full * scale));
  if (work === 'mix') {
    const namespaces = Array.from({ length: Math.max(1, Math.round(50 * scale)) }, (_, index) => `${base}-${index}`);
    return { namespaces, items: namespaces.flatMap(mixed) };
  }
  return { namespaces: [base], items: work === 'secrets' ? plain(base, count(31_000), 'secrets') : plain(base, count(10_000)) };
}

async function runWork(ground: Ground, work: ObjectWork): Promise<void> {
  const { client, options, signal } = ground;
  const source = setOf(work, options.scale, `${work}-source`);
  const objects = source.items.length + source.namespaces.length;
  const to = (base: string): Record<string, string> =>
    Object.fromEntries(source.namespaces.map((name) => [name, name.replace(`${work}-source`, base)]));
  const crowd = setOf('one', options.scale * 9, 'crowd');
  if (work === 'crowd') {
    ground.onProgress(`crowd: ${crowd.items.length} other objects`);
    await createAll(client, crowd.namespaces, crowd.items, signal);
  }
  await createAll(client, source.namespaces, source.items, signal);
  for (let repetition = 0; repetition < options.repetitions; repetition++) {
    const loop = setOf(work, options.scale, `${work}-loop`);
    const takeLoop = async (): Promise<void> => {
      ground.onProgress(`${work}: bare create loop, repetition ${repetition + 1}`);
      await timed(
        ground,
        { work, tool: 'loop', step: 'create', objects },
        async () => await createAll(client, loop.namespaces, loop.items, signal),
      );
    };
    const takeOurs = async (): Promise<void> => {
      ground.onProgress(`${work}: tranship, repetition ${repetition + 1}`);
      await moveByUs(ground, work, to(`${work}-moved`), objects);
    };
    // In turn: whoever comes second meets a larger etcd.
    for (const take of repetition % 2 === 0 ? [takeLoop, takeOurs] : [takeOurs, takeLoop]) await take();
    await deleteAll(client, [...loop.namespaces, ...Object.values(to(`${work}-moved`))], signal);
  }
  if (ground.velero !== undefined && work !== 'crowd') await moveByVelero(ground, ground.velero, work, source.namespaces, to, objects);
  await deleteAll(client, [...source.namespaces, ...(work === 'crowd' ? crowd.namespaces : [])], signal);
}

type Start = Pick<ObjectRow, 'work' | 'tool' | 'step' | 'objects'>;

async function timed(
  ground: Ground,
  start: Start,
  run: () => Promise<{ cpuSeconds: number; peakMebibytes: number } | void>,
): Promise<void> {
  const before = await requestsAnswered(ground.kubeconfig);
  const started = performance.now();
  const more = await run();
  const seconds = (performance.now() - started) / 1000;
  // The count itself is one of them.
  const requests = (await requestsAnswered(ground.kubeconfig)) - before - 1;
  ground.rows.push({ ...start, seconds, requests, ...(more ? { cpuSeconds: more.cpuSeconds, peakMebibytes: more.peakMebibytes } : {}) });
  ground.onProgress(`  ${(start.objects / seconds).toFixed(0)} objects/s`);
}

async function moveByUs(ground: Ground, work: ObjectWork, namespaces: Record<string, string>, objects: number): Promise<void> {
  const { kubeconfig, temp, signal } = ground;
  const move: Move = { kubeconfig, namespaces, migration: `bench-${Date.now().toString(36)}` };
  const { figures, result } = await measure({ flush: temp }, async (started) => {
    const child = spawn(process.execPath, [join(temp, 'move.mjs'), JSON.stringify(move)], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, NODE_OPTIONS: '' },
      signal,
    });
    started(child.pid);
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (piece: string) => (text += piece));
    const [code] = (await once(child, 'close')) as [number | null];
    if (code !== 0) throw new TranshipError('Internal', `The move of ${work} ended with ${code}.`);
    return JSON.parse(text) as MoveFigures;
  });
  const { cpuSeconds, peakMebibytes } = figures;
  const row = { work, tool: 'tranship', cpuSeconds, peakMebibytes } as const;
  ground.rows.push(
    { ...row, step: 'capture', objects: result.captured, seconds: result.captureSeconds },
    { ...row, step: 'plan', objects: result.applied, seconds: result.planSeconds },
    { ...row, step: 'apply', objects: result.applied, seconds: result.applySeconds, requests: result.applyRequests },
  );
  if (result.applied < objects) throw new TranshipError('Integrity', `${result.applied} of ${objects} objects were moved.`);
  ground.onProgress(`  apply ${(result.applied / result.applySeconds).toFixed(0)} objects/s, peak ${peakMebibytes.toFixed(0)} MiB`);
}

async function moveByVelero(
  ground: Ground,
  need: VeleroNeed,
  work: ObjectWork,
  namespaces: readonly string[],
  to: (base: string) => Record<string, string>,
  objects: number,
): Promise<void> {
  const run = Date.now().toString(36);
  const [backup, step] = [`${work}-${run}`, `${work}: velero`];
  // Restoring 31,000 Secrets takes it twenty minutes, and the bar of that work is the loop.
  const tools: readonly ObjectTool[] = work === 'secrets' ? ['velero'] : work === 'mix' ? ['velero-1000'] : ['velero', 'velero-1000'];
  for (const tool of tools) {
    const server = await startVelero(need, tool === 'velero' ? undefined : 1000);
    try {
      if (tool === tools[0]) {
        ground.onProgress(`${step} backup`);
        await timed(ground, { work, tool: 'velero', step: 'backup', objects }, async () => await server.backup(backup, namespaces));
      }
      if (work === 'secrets') continue;
      ground.onProgress(`${step} restore (${tool})`);
      const mapping = to(tool);
      await timed(ground, { work, tool, step: 'restore', objects }, async () => await server.restore(`${tool}-${run}`, backup, mapping));
      await deleteAll(ground.client, Object.values(mapping), ground.signal);
    } finally {
      await server.close();
    }
  }
}

/** The engine as the product bundles it: memory and time of the start are those of what ships. */
async function bundleMove(outfile: string): Promise<void> {
  await build({
    entryPoints: [join(import.meta.dirname, 'objects', 'move.ts')],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    external: ['koffi'],
    minifySyntax: true,
    minifyWhitespace: true,
    keepNames: true,
    logLevel: 'warning',
    banner: { js: "import { createRequire as bundleRequire } from 'node:module';\nconst require = bundleRequire(import.meta.url);" },
  });
}

function table(rows: readonly ObjectRow[]): string[] {
  return rows.map(({ work, tool, step, objects, seconds, cpuSeconds, peakMebibytes, requests }) =>
    [
      `  ${work.padEnd(8)} ${tool.padEnd(12)} ${step.padEnd(8)}`,
      `${objects} objects`.padStart(15),
      `${seconds.toFixed(2)} s`.padStart(11),
      `${(objects / seconds).toFixed(0)}/s`.padStart(9),
      cpuSeconds === undefined ? ''.padStart(12) : `CPU ${cpuSeconds.toFixed(1)} s`.padStart(12),
      peakMebibytes === undefined ? ''.padStart(14) : `peak ${peakMebibytes.toFixed(0)} MiB`.padStart(14),
      requests === undefined ? '' : `  ${(requests / objects).toFixed(2)} requests each`,
    ].join(' '),
  );
}

async function benchObjects(options: Options, work: Work): Promise<{ rows: ObjectRow[]; versions: Record<string, string> }> {
  const { signal, onProgress } = work;
  const program = options.velero ? await provideVelero(work) : undefined;
  const rows: ObjectRow[] = [];
  let gateway: Gateway | undefined;
  const bed = await light(1, { signal, onProgress });
  const temp = mkdtempSync(join(tmpdir(), 'tranship-objects-'));
  try {
    const [cluster] = bed.clusters;
    if (cluster === undefined) throw new TranshipError('Internal', 'The test bed gave no cluster.');
    const { kubeconfig } = cluster;
    const config = loadKubeconfig({ path: kubeconfig });
    const client = openKube(config.access(config.contexts()[0]?.name ?? ''));
    try {
      await bundleMove(join(temp, 'move.mjs'));
      let velero: VeleroNeed | undefined;
      if (program !== undefined) {
        mkdirSync(join(temp, 's3'));
        gateway = await startGateway(join(temp, 's3'), work);
        velero = { program, client, kubeconfig, gateway, directory: join(temp, 'velero'), signal };
        await installVelero(velero);
      }
      const ground: Ground = { ...work, kubeconfig, client, temp, options, velero, rows };
      for (const name of options.only) await runWork(ground, name);
      const versions = { kubernetes: cluster.version, ...(program === undefined ? {} : { velero: program.version }) };
      return { rows, versions };
    } finally {
      await client.close();
    }
  } finally {
    await gateway?.close();
    await bed.close();
    rmSync(temp, { recursive: true, force: true });
  }
}

if (import.meta.main) {
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => stop.abort());
  const started = performance.now();
  const onProgress = (line: string): void =>
    void process.stderr.write(`${((performance.now() - started) / 1000).toFixed(0).padStart(5)} s  ${line}\n`);
  try {
    const options = optionsOf(process.argv.slice(2));
    const at = new Date().toISOString();
    const { load } = conditionsAt(tmpdir(), {});
    const { rows, versions } = await benchObjects(options, { signal: stop.signal, onProgress });
    const conditions = { ...conditionsAt(tmpdir(), versions), load };
    const verdicts = objectVerdicts(rows);
    const results = { at, conditions, scale: options.scale, repetitions: options.repetitions, rows, verdicts };
    const directory = join(import.meta.dirname, 'results');
    mkdirSync(directory, { recursive: true });
    const file = join(directory, `objects-${at.slice(0, 19).replaceAll(':', '-')}.json`);
    writeFileSync(file, `${JSON.stringify(results, null, 1)}\n`);
    if (options.json) console.log(JSON.stringify(results, null, 1));
    else
      console.log(
        [
          ...conditionLines(conditions),
          `scale ${options.scale}; ${options.repetitions} repetitions${options.velero ? ', Velero once' : ''}`,
          '',
          ...table(rows),
          '',
          `bars${options.scale === 1 ? '' : ' (they are for scale 1)'}`,
          ...barsTable(verdicts),
          '',
          `written to ${file}`,
        ].join('\n'),
      );
  } catch (error) {
    if (!stop.signal.aborted) console.error(sentenceOf(error));
    process.exitCode = stop.signal.aborted ? 130 : 1;
  }
}
