/** The bars of the objects: rows in, verdicts out. Pure. */
import { atLeast, atMost, median, ratio, type Verdict, worst } from '../verdict.ts';

export type ObjectWork = 'one' | 'mix' | 'secrets' | 'crowd';
/** `velero-1000`: Velero with its limit of requests per second raised from 100 to 1000. */
export type ObjectTool = 'loop' | 'tranship' | 'velero' | 'velero-1000';
export type ObjectStep = 'create' | 'capture' | 'plan' | 'apply' | 'backup' | 'restore';

export interface ObjectRow {
  work: ObjectWork;
  tool: ObjectTool;
  step: ObjectStep;
  objects: number;
  seconds: number;
  /** Of the whole process so far: a tool that does several steps in one process has the same in all of them. */
  cpuSeconds?: number;
  peakMebibytes?: number;
  /** Answered by the API server meanwhile, its controllers' included. */
  requests?: number;
}

/** Objects per second, the median of all repetitions. */
export function rateOf(rows: readonly ObjectRow[], work: ObjectWork, tool: ObjectTool, step: ObjectStep): number | undefined {
  const mine = rows.filter((row) => row.work === work && row.tool === tool && row.step === step);
  return mine.length === 0 ? undefined : median(mine.map((row) => row.objects / row.seconds));
}

export function objectVerdicts(rows: readonly ObjectRow[]): Verdict[] {
  const applied = (work: ObjectWork): number | undefined => rateOf(rows, work, 'tranship', 'apply');
  const velero = (work: ObjectWork, tool: 'velero' | 'velero-1000'): number | undefined => rateOf(rows, work, tool, 'restore');
  const loop = (work: ObjectWork): number | undefined => rateOf(rows, work, 'loop', 'create');
  const percent = (value: number | undefined): number | undefined => (value === undefined ? undefined : value * 100);
  const mine = (work: ObjectWork, step: ObjectStep): ObjectRow[] =>
    rows.filter((row) => row.work === work && row.tool === 'tranship' && row.step === step);
  // The faster Velero: what it cannot do even with its limit raised.
  const mixed = worst([velero('mix', 'velero'), velero('mix', 'velero-1000')].filter((rate) => rate !== undefined));
  return [
    atLeast('one: apply', 'times Velero as it comes', 25, ratio(applied('one'), velero('one', 'velero')), '×'),
    atLeast('one: apply', 'times Velero with its limit raised', 8, ratio(applied('one'), velero('one', 'velero-1000')), '×'),
    atLeast('one: apply', 'of the bare create loop', 80, percent(ratio(applied('one'), loop('one'))), ' %'),
    atMost(
      'one: apply',
      'requests per object',
      1.1,
      worst(mine('one', 'apply').map((row) => (row.requests ?? Infinity) / row.objects)),
      '',
    ),
    atLeast('mix: apply', 'times the faster Velero', 25, ratio(applied('mix'), mixed), '×'),
    atLeast('mix: apply', 'of the bare create loop', 60, percent(ratio(applied('mix'), loop('mix'))), ' %'),
    atLeast('secrets: apply', 'of the bare create loop', 80, percent(ratio(applied('secrets'), loop('secrets'))), ' %'),
    atLeast(
      'secrets: capture',
      "times Velero's backup",
      3,
      ratio(rateOf(rows, 'secrets', 'tranship', 'capture'), rateOf(rows, 'secrets', 'velero', 'backup')),
      '×',
    ),
    atMost('secrets: plan', 'seconds', 5, worst(mine('secrets', 'plan').map((row) => row.seconds)), ' s'),
    atMost(
      'crowd: apply',
      'peak in a cluster of 100,000 objects',
      256,
      worst(mine('crowd', 'apply').flatMap((row) => row.peakMebibytes ?? [])),
      ' MiB',
    ),
  ];
}
