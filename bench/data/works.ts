/**
 * What is measured. In every work the tools come one after the other, alone, in an order that rotates with the repetition; each starts with an
 * empty store and an empty target, and what it restored is compared with the source, by content, the first time.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, renameSync, statSync } from 'node:fs';
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { TranshipError } from '../../src/errors.ts';
import { bytesOf, changedBlocks, content, type ContentName, contentPath, type Sizes, writeBlocks } from './content.ts';
import type { Gateway } from './gateway.ts';
import { type Figures, measure } from './measure.ts';
import { differenceOf } from './same.ts';
import { command, type Place, type Said, type Session, type Step, type Store, type Tool } from './tool.ts';

export const workNames = ['big', 's3', 'small', 'inplace', 'million'] as const;
export type WorkName = (typeof workNames)[number];

export type StepName = 'first round' | 'restore' | 'restore, read back' | 'send the change' | 'apply the change';

export interface Row {
  /** `quarter`: the change in place on a file of a quarter of the size. */
  work: WorkName | 'quarter';
  step: StepName;
  tool: string;
  repetition: number;
  figures: Figures;
  /** Bytes that the step added to the store. */
  stored?: number;
  said?: Said;
}

export interface Ground {
  sizes: Sizes;
  /** Where the data is kept. */
  cache: string;
  /** Everything that goes when the run ends. */
  temp: string;
  repetitions: number;
  tools: ReadonlyMap<string, Tool>;
  gateway: () => Promise<Gateway>;
  signal: AbortSignal;
  onProgress: (line: string) => void;
  onRow: (row: Row) => void;
}

export interface Work {
  what: string;
  /** Its data, and how often it is there once more while the work runs (store, target). */
  needs: readonly { content: ContentName; copies: number }[];
  tools: readonly string[];
  run: (ground: Ground) => Promise<void>;
}

const movers = ['ours-2', 'ours-4', 'restic', 'kopia'];
const variants = ['restic-off', 'kopia-zstd'];

export const works: Readonly<Record<WorkName, Work>> = {
  big: {
    what: 'one big file to a directory and back',
    needs: [{ content: 'big', copies: 2 }],
    tools: [...movers, 'cp', ...variants],
    run: async (ground) => await roundTrips(ground, 'big', 'big'),
  },
  s3: {
    what: 'the same over S3',
    needs: [{ content: 'big', copies: 2 }],
    tools: [...movers, ...variants],
    run: async (ground) => await roundTrips(ground, 's3', 'big', { gateway: await ground.gateway() }),
  },
  small: {
    what: 'many small files to a directory and back',
    needs: [{ content: 'small', copies: 2 }],
    tools: [...movers, 'tar', ...variants],
    run: async (ground) => await roundTrips(ground, 'small', 'small'),
  },
  inplace: {
    what: '1 % of a large file changed: the round of it, and its way into a target that holds the file',
    needs: [
      { content: 'large', copies: 2 },
      { content: 'big', copies: 0 }, // its turn comes when the large one's is over
    ],
    tools: [...movers, 'rsync'],
    run: changesInPlace,
  },
  million: {
    what: 'a million empty files: memory',
    needs: [{ content: 'million', copies: 2 }],
    tools: ['ours-4', 'restic', 'kopia'],
    // kopia's restore of them takes many minutes and no bar rests on it.
    run: async (ground) => await roundTrips({ ...ground, repetitions: 1 }, 'million', 'million', { noRestore: ['kopia'] }),
  },
};

/** Bytes and inodes that a work takes beyond what is kept already. */
export function needOf(name: WorkName, sizes: Sizes, kept: (content: ContentName) => boolean): { bytes: number; inodes: number } {
  const sum = { bytes: 0, inodes: 1000 };
  for (const need of works[name].needs) {
    const times = need.copies + (kept(need.content) ? 0 : 1);
    sum.bytes += times * bytesOf(need.content, sizes) * 1.05;
    if (need.content === 'small' || need.content === 'million') sum.inodes += times * sizes[need.content];
  }
  return sum;
}

function toolsOf(ground: Ground, name: WorkName): Tool[] {
  return works[name].tools.flatMap((id) => ground.tools.get(id) ?? []);
}

/** First round and restore of one tree, by each tool. */
async function roundTrips(
  ground: Ground,
  name: WorkName,
  contentName: ContentName,
  options: { gateway?: Gateway; noRestore?: readonly string[] } = {},
): Promise<void> {
  const source = await content(contentName, ground.sizes, ground.cache, ground);
  const tools = toolsOf(ground, name);
  const usual = tools.filter((tool) => tool.variant !== true);
  for (let repetition = 0; repetition < ground.repetitions; repetition++) {
    const turn = repetition % Math.max(1, usual.length);
    const order = [...usual.slice(turn), ...usual.slice(0, turn), ...(repetition === 0 ? tools.filter((tool) => tool.variant) : [])];
    for (const tool of order)
      await withPlace(ground, tool, source, options.gateway, async (place, size) => {
        const session = await open(ground, tool, place);
        const take = async (step: StepName, what: Step | undefined): Promise<void> =>
          await row(ground, { work: name, step, tool, repetition, place, size, gateway: options.gateway }, what);
        await warm(source, ground.signal);
        await take('first round', session.backup?.(0));
        if (options.noRestore?.includes(tool.id) === true) return;
        await take('restore', session.restore?.());
        if (repetition > 0) return;
        await compare(ground, tool, source, place.target);
        if (session.restoreVerified === undefined) return;
        await empty(place.target);
        await take('restore, read back', session.restoreVerified());
      });
  }
}

/**
 * The change in place. Per tool, because three targets and stores of the large file do not fit at once: a target that holds round 0 (a plain
 * copy, the same for all), then per round the change, the round to the store, its way into the target.
 */
async function changesInPlace(ground: Ground): Promise<void> {
  const { sizes } = ground;
  for (const tool of toolsOf(ground, 'inplace')) {
    // Four streams are there for the peak of memory: one round shows it.
    const rounds = tool.id === 'ours-4' ? 1 : ground.repetitions;
    await changed('inplace', tool, 'large', rounds);
    if (tool.id === 'ours-2') await changed('quarter', tool, 'big', rounds);
  }

  async function changed(work: Row['work'], tool: Tool, contentName: 'large' | 'big', rounds: number): Promise<void> {
    const kept = await content(contentName, sizes, ground.cache, ground);
    // Out of the cache while it is not what the seed says: a killed run costs the data, never the truth of the next run.
    const source = join(ground.temp, contentName);
    renameSync(kept, source);
    const file = join(source, 'file');
    const { mtimeMs } = statSync(file);
    const blocksOf = (round: number): number[] => changedBlocks(sizes[contentName], round, sizes.large);
    await withPlace(ground, tool, source, undefined, async (place, size) => {
      const session = await open(ground, tool, place);
      const take = async (step: StepName, repetition: number, what: Step | undefined): Promise<void> =>
        await row(ground, { work, step, tool, repetition, place, size, gateway: undefined }, what);
      ground.onProgress(`${work} ${tool.id}: a copy of the file as the target`);
      await command('cp', ['-a', `${source}/.`, place.target])({ signal: ground.signal, started: () => {} });
      if (session.backup !== undefined) {
        await warm(source, ground.signal);
        await take('first round', 0, session.backup(0));
      }
      for (let round = 1; round <= rounds; round++) {
        writeBlocks(file, blocksOf(round), round);
        await warm(source, ground.signal);
        if (session.backup !== undefined) await take('send the change', round - 1, session.backup(round));
        await take('apply the change', round - 1, session.apply?.(round));
        if (round === 1) await compare(ground, tool, source, place.target);
      }
    });
    for (let round = 1; round <= rounds; round++) writeBlocks(file, blocksOf(round), 0, mtimeMs / 1000);
    renameSync(source, contentPath(contentName, sizes, ground.cache));
  }
}

interface Taken {
  work: Row['work'];
  step: StepName;
  tool: Tool;
  repetition: number;
  place: Place;
  size: () => Promise<number>;
  gateway: Gateway | undefined;
}

async function row(ground: Ground, { work, step, tool, repetition, place, size, gateway }: Taken, what: Step | undefined): Promise<void> {
  if (what === undefined) return;
  ground.onProgress(`${work} ${tool.id}: ${step}, repetition ${repetition + 1}`);
  const before = await size();
  const flush = step === 'first round' || step === 'send the change' ? place.scratch : place.target;
  const { figures, result } = await measure(
    { flush, ...(gateway === undefined ? {} : { store: gateway.pid }) },
    async (started) => await what({ signal: ground.signal, started }),
  );
  const after = await size();
  ground.onRow({
    work,
    step,
    tool: tool.id,
    repetition,
    figures,
    ...(after > before ? { stored: after - before } : {}),
    ...(result === undefined ? {} : { said: result }),
  });
}

/** Gives a tool empty directories (on one file system) and takes them away again. */
async function withPlace(
  ground: Ground,
  tool: Tool,
  source: string,
  gateway: Gateway | undefined,
  run: (place: Place, size: () => Promise<number>) => Promise<void>,
): Promise<void> {
  const base = join(ground.temp, 'turn');
  const prefix = `${tool.id}-${Math.random().toString(36).slice(2, 10)}`;
  const place = { scratch: join(base, 'scratch'), target: join(base, 'target'), store: join(base, 'store') };
  for (const path of Object.values(place)) mkdirSync(path, { recursive: true });
  const remote = gateway?.at(prefix);
  const store: Store = remote?.store ?? { kind: 'directory', path: place.store };
  const directory = remote?.directory ?? place.store;
  try {
    await run({ ...place, source, store }, async () => await bytesBelow(directory));
  } finally {
    await rm(base, { recursive: true, force: true });
    if (remote !== undefined) await rm(remote.directory, { recursive: true, force: true });
  }
}

async function open(ground: Ground, tool: Tool, place: Place): Promise<Session> {
  return await tool.open(place, { signal: ground.signal, started: () => {} });
}

async function compare(ground: Ground, tool: Tool, source: string, target: string): Promise<void> {
  ground.onProgress(`comparing what ${tool.id} wrote`);
  const difference = await differenceOf(source, target, ground.signal);
  if (difference !== undefined) throw new TranshipError('Integrity', `${tool.label} did not restore what it was given: ${difference}.`);
}

/** Every byte is read once, so that every tool finds the source equally warm. */
async function warm(path: string, signal: AbortSignal): Promise<void> {
  const child = spawn('sh', ['-c', 'find "$1" -type f -print0 | xargs -0 -r -n 2000 cat > /dev/null', 'sh', path], {
    stdio: 'ignore',
    signal,
  });
  await once(child, 'close');
}

async function empty(directory: string): Promise<void> {
  for (const name of await readdir(directory)) await rm(join(directory, name), { recursive: true });
}

/** Sizes of all files, as a store would bill them. */
async function bytesBelow(directory: string): Promise<number> {
  const entries = await readdir(directory, { withFileTypes: true, recursive: true }).catch(() => []);
  let sum = 0;
  for (const entry of entries) if (entry.isFile()) sum += (await stat(join(entry.parentPath, entry.name))).size;
  return sum;
}
