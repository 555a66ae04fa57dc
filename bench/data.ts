/**
 * The data engine beside restic, kopia, cp, tar and rsync: one run, the same data, one tool at a time, and where each figure stands against its
 * bar. docs/benchmarks.md says what is measured and how to read it.
 *
 * Usage: make bench ARGS="data [--scale 0.1] [--only big,small] [--repetitions 3] [--resume] [--dir PATH] [-o json]"
 */
import { existsSync, globSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { sentenceOf, TranshipError } from '../src/errors.ts';
import { cacheDir } from '../testbed/pieces/index.ts';
import { verdicts } from './data/bars.ts';
import { conditionLines, conditionsAt, type Conditions } from './data/conditions.ts';
import { contentPath, type Sizes, sizesAt } from './data/content.ts';
import { type Gateway, startGateway } from './data/gateway.ts';
import { roomAt } from './data/measure.ts';
import { cp, kopia, restic, rsync, tar } from './data/others.ts';
import { ours } from './data/ours.ts';
import { kopiaRecipe, ownProgram, provideBuilt, provideRsync, resticRecipe, type Work } from './data/peers.ts';
import { figuresTable, quietLine, sizesLine } from './data/table.ts';
import type { Tool } from './data/tool.ts';
import { needOf, type Row, type WorkName, workNames, works } from './data/works.ts';
import { commonFlags, commonOptions } from './options.ts';
import { barsTable } from './verdict.ts';

interface Results {
  at: string;
  conditions: Conditions;
  scale: number;
  repetitions: number;
  sizes: Sizes;
  /** Works that came to their end. */
  done: WorkName[];
  rows: Row[];
}

interface Options {
  scale: number;
  only: readonly WorkName[];
  repetitions: number;
  /** Holds the data (kept) and everything temporary. */
  directory: string;
  resume: boolean;
  json: boolean;
}

const resultsDirectory = join(import.meta.dirname, 'results');

export function optionsOf(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      ...commonFlags(workNames),
      dir: { type: 'string', default: join(dirname(cacheDir()), 'bench') },
      resume: { type: 'boolean', default: false },
    },
  });
  return { ...commonOptions(values, workNames), directory: resolve(values.dir), resume: values.resume };
}

/** Runs the works and returns what is in the file of results then. */
export async function benchData(options: Options, work: Work): Promise<{ results: Results; file: string; labels: Map<string, string> }> {
  const sizes = sizesAt(options.scale);
  const cache = join(options.directory, 'data');
  const temp = join(options.directory, `run-${process.pid}`);
  mkdirSync(cache, { recursive: true });
  clearLeftovers(options.directory);
  const { tools, versions } = await provideTools(options.only, work);
  const labels = new Map([...tools].map(([id, tool]) => [id, tool.label]));
  const conditions = conditionsAt(options.directory, versions);
  const { results, file } = openResults(options, sizes, conditions);

  let gateway: Promise<Gateway> | undefined;
  mkdirSync(temp);
  try {
    for (const name of options.only) {
      if (results.done.includes(name)) {
        work.onProgress(`${name}: done already, in ${file}`);
        continue;
      }
      checkRoom(name, sizes, cache, options);
      work.onProgress(`${name}: ${works[name].what}`);
      const rows: Row[] = [];
      await works[name].run({
        sizes,
        cache,
        temp,
        repetitions: options.repetitions,
        tools,
        gateway: async () => {
          mkdirSync(join(temp, 's3'), { recursive: true });
          gateway ??= startGateway(join(temp, 's3'), work);
          conditions.tools['versitygw'] = (await gateway).version;
          return await gateway;
        },
        signal: work.signal,
        onProgress: work.onProgress,
        onRow: (row) => {
          rows.push(row);
          work.onProgress(
            `  ${row.figures.seconds.toFixed(2)} s, ${row.figures.cpuSeconds.toFixed(2)} CPU s, others ${row.figures.otherCores.toFixed(2)} cores`,
          );
        },
      });
      results.rows.push(...rows);
      results.done.push(name);
      save(file, results);
    }
  } finally {
    await (await gateway?.catch(() => undefined))?.close();
    rmSync(temp, { recursive: true, force: true });
  }
  return { results, file, labels };
}

async function provideTools(
  only: readonly WorkName[],
  work: Work,
): Promise<{ tools: Map<string, Tool>; versions: Record<string, string> }> {
  const wanted = new Set(only.flatMap((name) => works[name].tools));
  const tools: Tool[] = [ours(2), ours(4)];
  const versions: Record<string, string> = {};
  // One after the other: each build already uses every core.
  const resticProgram = await provideBuilt(resticRecipe, work);
  const kopiaProgram = await provideBuilt(kopiaRecipe, work);
  tools.push(restic(resticProgram), restic(resticProgram, 'off'), kopia(kopiaProgram), kopia(kopiaProgram, 'zstd-fastest'));
  Object.assign(versions, { restic: resticProgram.version, kopia: kopiaProgram.version });
  for (const [id, make] of Object.entries({ cp, tar }))
    if (wanted.has(id)) {
      const program = ownProgram(id === 'cp' ? 'cp' : 'tar');
      tools.push(make(program));
      versions[id] = program.version;
    }
  if (wanted.has('rsync')) {
    const program = await provideRsync(work);
    tools.push(rsync(program));
    versions['rsync'] = program.version;
  }
  return { tools: new Map(tools.map((tool) => [tool.id, tool])), versions };
}

/** A new file, or with --resume the newest one of the same commit, sizes and repetitions. */
function openResults(options: Options, sizes: Sizes, conditions: Conditions): { results: Results; file: string } {
  mkdirSync(resultsDirectory, { recursive: true });
  const { scale, repetitions } = options;
  if (options.resume)
    for (const name of globSync('data-*.json', { cwd: resultsDirectory }).toSorted().toReversed()) {
      const file = join(resultsDirectory, name);
      const earlier = JSON.parse(readFileSync(file, 'utf8')) as Results;
      const same = earlier.conditions.commit === conditions.commit && earlier.scale === scale && earlier.repetitions === repetitions;
      if (same) return { results: earlier, file };
    }
  const at = new Date().toISOString();
  const results: Results = { at, conditions, scale, repetitions, sizes, done: [], rows: [] };
  return { results, file: join(resultsDirectory, `data-${at.slice(0, 19).replaceAll(':', '-')}.json`) };
}

function save(file: string, results: Results): void {
  writeFileSync(`${file}.part`, `${JSON.stringify({ ...results, verdicts: verdicts(results.rows, results.sizes) }, null, 1)}\n`);
  renameSync(`${file}.part`, file);
}

function checkRoom(name: WorkName, sizes: Sizes, cache: string, { directory }: Options): void {
  const need = needOf(name, sizes, (content) => existsSync(contentPath(content, sizes, cache)));
  const room = roomAt(directory);
  const gibibytes = (bytes: number): string => (bytes / (1 << 30)).toFixed(1);
  if (need.bytes + (1 << 30) > room.bytes || need.inodes > room.inodes)
    throw new TranshipError(
      'Unsupported',
      `The work ${name} needs ${gibibytes(need.bytes)} GiB and ${need.inodes} inodes; free in ${directory} are ${gibibytes(room.bytes)} GiB and ${room.inodes}.`,
      { hint: 'Take another directory with --dir, a smaller --scale, or leave the work out with --only.' },
    );
}

/** What a killed run left; a run that is still there keeps its own. */
function clearLeftovers(directory: string): void {
  for (const name of readdirSync(directory)) {
    const pid = /^run-(\d+)$/.exec(name)?.[1];
    if (pid !== undefined && !existsSync(`/proc/${pid}`)) rmSync(join(directory, name), { recursive: true });
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
    const { results, file, labels } = await benchData(options, { signal: stop.signal, onProgress });
    const bars = verdicts(results.rows, results.sizes);
    if (options.json) console.log(JSON.stringify({ ...results, verdicts: bars }, null, 1));
    else
      console.log(
        [
          ...conditionLines(results.conditions),
          `scale ${results.scale}: ${sizesLine(results.sizes)}; ${results.repetitions} repetitions`,
          ...figuresTable(results.rows, labels),
          '',
          `bars${results.scale === 1 ? '' : ' (they are for scale 1)'}`,
          ...barsTable(bars),
          quietLine(results.rows),
          '',
          `written to ${file}`,
        ].join('\n'),
      );
  } catch (error) {
    if (!stop.signal.aborted) console.error(sentenceOf(error));
    process.exitCode = stop.signal.aborted ? 130 : 1;
  }
}
