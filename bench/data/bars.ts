/** Where the figures stand against the bars of the data engine. Pure: rows in, verdicts out. */
import { atLeast, atMost, median, ratio, type Verdict, worst } from '../verdict.ts';
import { changedBlocks, mebibyte, type Sizes } from './content.ts';
import type { Row, StepName } from './works.ts';
import { quietBelow } from './measure.ts';

/** Of all repetitions of one step by one tool. */
export interface Summary {
  work: Row['work'];
  step: StepName;
  tool: string;
  /** Wall seconds with the flush. */
  median: number;
  least: number;
  most: number;
  cpuSeconds: number;
  /** The highest of all repetitions. */
  peakMebibytes: number;
  readBytes: number;
  writtenBytes: number;
  stored: number;
  storeCpuSeconds?: number;
  repetitions: number;
  quiet: number;
}

/** The streams of a migration that names none (src/api/migration.ts): the bars of time are for it. */
export const usual = 'ours-2';
const most = 'ours-4';
/** What the mover reads of itself (its file, in every thread; libraries), bytes: measured 5.5 MiB with 2 streams. */
const programReads = 8 << 20;
const peers = ['restic', 'restic-off', 'kopia', 'kopia-zstd'];

/** One summary per work, step and tool, in the order of their first rows. */
export function summaries(rows: readonly Row[]): Summary[] {
  const groups = Map.groupBy(rows, ({ work, step, tool }) => `${work}/${step}/${tool}`);
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const of = (read: (row: Row) => number | undefined): number => median(group.flatMap((row) => read(row) ?? []));
    const seconds = group.map((row) => row.figures.seconds);
    const storeCpu = of((row) => row.figures.storeCpuSeconds);
    return {
      work: first.work,
      step: first.step,
      tool: first.tool,
      median: median(seconds),
      least: Math.min(...seconds),
      most: Math.max(...seconds),
      cpuSeconds: of((row) => row.figures.cpuSeconds),
      peakMebibytes: Math.max(...group.map((row) => row.figures.peakMebibytes)),
      readBytes: of((row) => row.figures.readBytes),
      writtenBytes: of((row) => row.figures.writtenBytes),
      stored: of((row) => row.stored ?? 0),
      ...(Number.isNaN(storeCpu) ? {} : { storeCpuSeconds: storeCpu }),
      repetitions: group.length,
      quiet: group.filter((row) => row.figures.otherCores < quietBelow).length,
    };
  });
}

/** The whole table of bars; those whose works were not run have no value. */
export function verdicts(rows: readonly Row[], sizes: Sizes): Verdict[] {
  const all = summaries(rows);
  const get = (work: Row['work'], step: StepName, tool: string): Summary | undefined =>
    all.find((one) => one.work === work && one.step === step && one.tool === tool);
  const wall = (work: Row['work'], step: StepName, tool: string): number | undefined => get(work, step, tool)?.median;
  // Of restic and kopia, each with its defaults and with the other compression: the fastest row counts.
  const fastest = (work: Row['work'], step: StepName): number | undefined =>
    all
      .filter((one) => one.work === work && one.step === step && peers.includes(one.tool))
      .map((one) => one.median)
      .toSorted((a, b) => a - b)[0];
  const pair = (work: 'big' | 's3' | 'small', name: string): Verdict[] =>
    (['first round', 'restore'] as const).map((step) =>
      atLeast(`${name}: ${step}`, 'times the faster of restic and kopia', 2, ratio(fastest(work, step), wall(work, step, usual)), '×'),
    );
  const change = changedBlocks(sizes.large, 1).length * mebibyte;
  const applied = get('inplace', 'apply the change', usual);
  const whole = (tool: string): number | undefined =>
    sum(wall('inplace', 'send the change', tool), wall('inplace', 'apply the change', tool));
  const peak = peakOf(rows, most);
  const small = peakOf(rows, most, 'small');

  return [
    ...pair('big', 'big'),
    atMost('big: first round', 'time of cp', 1.2, ratio(wall('big', 'first round', usual), wall('big', 'first round', 'cp')), '×'),
    atMost(
      'big: first round',
      'CPU of kopia',
      1,
      ratio(get('big', 'first round', usual)?.cpuSeconds, get('big', 'first round', 'kopia')?.cpuSeconds),
      '×',
    ),
    atMost('big: restore', 'time of cp', 1, ratio(wall('big', 'restore', usual), wall('big', 'restore', 'cp')), '×'),
    ...pair('s3', 's3'),
    ...pair('small', 'small'),
    atMost('in place: apply', 'written, of the changed chunks', 1.1, ratio(applied?.writtenBytes, change), '×'),
    atMost('in place: apply', 'target read, by the mover', 0, toMebibytes(targetReads(rows)), ' MiB'),
    atMost(
      'in place: apply',
      'reads that the kernel saw and nothing explains',
      programReads / mebibyte,
      toMebibytes(unexplained(rows)),
      ' MiB',
    ),
    atLeast('in place: apply', 'times restic', 10, ratio(wall('inplace', 'apply the change', 'restic'), applied?.median), '×'),
    atMost(
      'in place: apply',
      'time of the same change to a quarter of the file',
      1.25,
      ratio(applied?.median, wall('quarter', 'apply the change', usual)),
      '×',
    ),
    atLeast('in place: whole round', 'times restic', 3, ratio(whole('restic'), whole(usual)), '×'),
    atMost(
      'in place: whole round',
      'stored, of the changed chunks',
      1.1,
      ratio(get('inplace', 'send the change', usual)?.stored, change),
      '×',
    ),
    atMost('memory', 'peak at 4 streams, of all works here', 256, peak, ' MiB'),
    atMost('memory', 'peak at a million files, of that at the small files', 1.1, ratio(peakOf(rows, most, 'million'), small), '×'),
  ];
}

function sum(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? undefined : a + b;
}

function toMebibytes(bytes: number | undefined): number | undefined {
  return bytes === undefined ? undefined : bytes / mebibyte;
}

function peakOf(rows: readonly Row[], tool: string, work?: Row['work']): number | undefined {
  return worst(rows.filter((row) => row.tool === tool && (work ?? row.work) === row.work).map((row) => row.figures.peakMebibytes));
}

const applies = (rows: readonly Row[]): Row[] =>
  rows.filter((row) => row.work === 'inplace' && row.step === 'apply the change' && row.tool === usual);

function targetReads(rows: readonly Row[]): number | undefined {
  return worst(applies(rows).map((row) => row.said?.targetRead ?? Infinity));
}

/** What passed the read calls without being from the store or read back for verification: the program itself, and what it does not tell. */
function unexplained(rows: readonly Row[]): number | undefined {
  return worst(applies(rows).map((row) => Math.max(0, row.figures.readBytes - (row.said?.explainedReads ?? 0))));
}
