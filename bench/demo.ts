/**
 * What the demo's move costs: total time, downtime, bytes in the store, time per step. Runs the demo's scenario on the test bed (starts
 * one when there is none, and then ends it) and writes the figures as JSON into bench/results/.
 *
 * Usage: tools/node bench/demo.ts
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism, loadavg } from 'node:os';
import { join } from 'node:path';
import type { Migration } from '../src/api/migration.ts';
import { nextRun } from '../demo/command.ts';
import { demoMove, moveShop, openShop, openSides, proveMove } from '../demo/scenario.ts';
import { now } from '../demo/show.ts';
import { down, readTestBed, up } from '../testbed/index.ts';

export interface DemoFigures {
  at: string;
  kubernetes: { source: string; target: string };
  /** CPUs, and how busy the machine was before the move (1 minute load). */
  machine: { cpus: number; load: number };
  /** From calling the command to its end. */
  totalSeconds: number;
  /** Seen by a customer outside: last acknowledged order on the source to the first on the target. */
  downtimeSeconds: number;
  volumes: number;
  /** Content of the volumes, as scanned in the last round. */
  contentBytes: number;
  storeBytes: number;
  steps: { name: string; seconds: number }[];
  /** Per volume and copy round. */
  rounds: { volume: string; round: number; bytes: number; bytesStored: number; copyOutSeconds: number; copyInSeconds: number }[];
  checksPassed: boolean;
}

/** Runs it once. `onProgress` gets lines for people; the command's own output goes to the terminal. */
export async function benchDemo(signal: AbortSignal, onProgress: (line: string) => void): Promise<DemoFigures> {
  const ours = readTestBed() === undefined;
  const bed = await up({ images: ['postgres', 'demo-web', 'tranship'], signal, onProgress });
  const sides = openSides(bed);
  try {
    const shop = await openShop(sides, demoMove, signal, onProgress);
    try {
      const run = await nextRun(demoMove, bed.s3.bucket, sides.env);
      const load = loadavg()[0] ?? 0;
      const started = performance.now();
      const code = await moveShop(sides, shop, run, signal);
      const totalSeconds = (performance.now() - started) / 1000;
      if (code !== 0) throw new Error(`tranship migrate ended with exit code ${code}`);
      const { report, proof } = await proveMove(sides, shop, run, signal);
      const { lastOnSource = 0, firstOnTarget = 0 } = shop.customer;
      return {
        at: new Date().toISOString(),
        kubernetes: { source: bed.clusters.source.version, target: bed.clusters.target.version },
        machine: { cpus: availableParallelism(), load },
        totalSeconds,
        downtimeSeconds: (firstOnTarget - lastOnSource) / 1000,
        ...figuresOf(report),
        checksPassed: proof.checks.every((check) => check.differences.length === 0),
      };
    } finally {
      await shop.customer.stop();
    }
  } finally {
    await sides.close();
    if (ours) await down({ signal: AbortSignal.timeout(120_000), onProgress });
  }
}

/** What `tranship status NAME -o json` says about time and bytes. */
export function figuresOf(report: Migration): Pick<DemoFigures, 'volumes' | 'contentBytes' | 'storeBytes' | 'steps' | 'rounds'> {
  const volumes = report.status?.volumes ?? [];
  return {
    volumes: volumes.length,
    contentBytes: volumes.reduce((sum, volume) => sum + (volume.rounds.at(-1)?.bytes ?? 0), 0),
    storeBytes: report.status?.storeBytes ?? 0,
    steps: (report.status?.steps ?? []).flatMap(({ name, startedAt, finishedAt }) =>
      startedAt === undefined || finishedAt === undefined
        ? []
        : [{ name, seconds: (Date.parse(finishedAt) - Date.parse(startedAt)) / 1000 }],
    ),
    rounds: volumes.flatMap((volume) =>
      volume.rounds.map((round) => ({
        volume: volume.name,
        round: round.round,
        bytes: round.bytes,
        bytesStored: round.bytesStored,
        copyOutSeconds: round.copyOutMs / 1000,
        copyInSeconds: (round.copyInMs ?? 0) / 1000,
      })),
    ),
  };
}

/** The figures as a table for people. */
export function tableOf(figures: DemoFigures): string[] {
  const mib = (bytes: number): string => `${(bytes / 1048576).toFixed(1)} MiB`;
  const row = (name: string, value: string): string => `  ${name.padEnd(24)}${value.padStart(12)}`;
  return [
    row('total time', `${figures.totalSeconds.toFixed(1)} s`),
    row('downtime', `${figures.downtimeSeconds.toFixed(1)} s`),
    row(`content of ${figures.volumes} volumes`, mib(figures.contentBytes)),
    row('bytes in the store', mib(figures.storeBytes)),
    ...figures.steps.map((step) => row(`  step ${step.name}`, `${step.seconds.toFixed(1)} s`)),
    row('checks', figures.checksPassed ? 'passed' : 'FAILED'),
  ];
}

if (import.meta.main) {
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => stop.abort(name));
  const figures = await benchDemo(stop.signal, now);
  const directory = join(import.meta.dirname, 'results');
  mkdirSync(directory, { recursive: true });
  const file = join(directory, `demo-${figures.at.slice(0, 19).replaceAll(':', '-')}.json`);
  writeFileSync(file, `${JSON.stringify(figures, null, 2)}\n`);
  for (const line of tableOf(figures)) console.log(line);
  console.log(`  written to ${file}`);
  process.exitCode = figures.checksPassed ? 0 : 1;
}
