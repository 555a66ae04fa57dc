/**
 * The data engine against `cp`, side by side in one run on the same data: `node bench/data.ts [MiB]`. Prints wall seconds, MB/s and CPU seconds of the process tree.
 * Caches are as they come: the source was just written. Noise of the machine is in all rows.
 */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLineage } from '../src/archive/index.ts';
import { openLocation, type LocationSpec } from '../src/location/index.ts';
import { type MoverJob, type MoverResult, runMover } from '../src/mover/index.ts';

const mebibytes = Number(process.argv[2] ?? 1024);
const smallFiles = Number(process.argv[3] ?? 20_000);
const program = process.env['TRANSHIP_MOVER'] ?? join(import.meta.dirname, '../src/mover/main.ts');
const base = mkdtempSync(join(process.env['TRANSHIP_BENCH_DIR'] ?? tmpdir(), 'tranship-bench-'));
const at = (name: string): string => join(base, name);

function makeData(): void {
  for (const name of ['big', 'small', 'big-back', 'small-back', 'store']) mkdirSync(at(name));
  const fd = openSync(at('big/file'), 'w');
  const log = Buffer.from(
    Array.from(
      { length: 20_000 },
      (_, line) => `2026-01-01T00:00:${line % 60} worker ${line} finished request ${line * 7919} in ${line % 97} ms\n`,
    ).join(''),
  ).subarray(0, 1 << 20);
  for (let number = 0; number < mebibytes; number++) {
    const piece =
      number % 2 === 0
        ? randomBytes(1 << 20)
        : Buffer.concat([Buffer.from(`${number}`), log.subarray(0, (1 << 20) - 8), Buffer.alloc(8, 10)]).subarray(0, 1 << 20);
    writeSync(fd, piece);
  }
  closeSync(fd);
  for (let number = 0; number < smallFiles; number++) {
    const directory = at(`small/d${Math.floor(number / 100)}`);
    if (number % 100 === 0) mkdirSync(directory);
    const file = openSync(join(directory, `f${number}`), 'w');
    writeSync(file, randomBytes(512 + ((number * 7919) % 15_872)));
    closeSync(file);
  }
}

/** utime + stime of a process and its waited-for children, seconds. Read while it still runs. */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return [11, 12, 13, 14].reduce((sum, index) => sum + Number(fields[index]), 0) / 100;
}

function peakMebibytes(pid: number): number {
  return Math.round(Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024);
}

interface Row {
  what: string;
  seconds: number;
  cpu: number;
  rss: number;
}
const rows: Row[] = [];

async function mover(what: string, job: MoverJob): Promise<MoverResult> {
  const started = performance.now();
  const flags = (process.env['TRANSHIP_BENCH_FLAGS'] ?? '').split(' ').filter((flag) => flag !== '');
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', ...flags, program, 'run'], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let use = { cpu: 0, rss: 0 };
  const look = setInterval(() => {
    try {
      use = { cpu: cpuSeconds(child.pid ?? 0), rss: peakMebibytes(child.pid ?? 0) };
    } catch {
      // it has ended
    }
  }, 50);
  const result = await runMover(child, job);
  rows.push({ what, seconds: (performance.now() - started) / 1000, ...use });
  clearInterval(look);
  await new Promise((ended) => (child.exitCode === null ? child.once('exit', ended) : ended(0)));
  return result;
}

async function command(what: string, text: string): Promise<void> {
  const started = performance.now();
  const child = spawn('sh', ['-c', text], { stdio: 'inherit' });
  let cpu = 0;
  const look = setInterval(() => {
    try {
      cpu = cpuSeconds(child.pid ?? 0);
    } catch {
      // it has ended
    }
  }, 20);
  await new Promise((ended) => child.once('exit', ended));
  clearInterval(look);
  rows.push({ what, seconds: (performance.now() - started) / 1000, cpu, rss: 0 });
}

const spec: LocationSpec = { kind: 'directory', path: at('store') };
try {
  makeData();
  const { lineage, key } = await createLineage(openLocation(spec));
  const end = (name: string): { mode: 'Filesystem'; path: string } => ({ mode: 'Filesystem', path: at(name) });
  const common = { version: 1, archive: { location: spec, lineage, key }, streams: 2 };
  await command(`cp of the ${mebibytes} MiB file, with sync`, `cp ${at('big/file')} ${at('copy')} && sync ${at('copy')}; rm ${at('copy')}`);
  await mover('copy-out of it', { ...common, op: 'copy-out', volume: 'big', round: 0, source: end('big') });
  await mover('copy-in of it, verify None', {
    ...common,
    op: 'copy-in',
    volume: 'big',
    round: 0,
    fresh: true,
    target: end('big-back'),
    verify: 'None',
  });
  await mover('verify of it', { ...common, op: 'verify', volume: 'big', round: 0, target: end('big-back') });
  const fd = openSync(at('big/file'), 'r+');
  for (let number = 0; number < mebibytes; number += 100) writeSync(fd, randomBytes(4096), 0, 4096, (number << 20) + 777);
  closeSync(fd);
  const delta = await mover('copy-out of 1 % changed', {
    ...common,
    op: 'copy-out',
    volume: 'big',
    round: 1,
    parent: 0,
    source: end('big'),
  });
  const applied = await mover('copy-in of 1 % changed, touched verified', {
    ...common,
    op: 'copy-in',
    volume: 'big',
    round: 1,
    have: 0,
    fresh: false,
    target: end('big-back'),
    verify: 'Touched',
  });
  await command(`cp -a of ${smallFiles} small files, with sync`, `cp -a ${at('small')} ${at('small-copy')} && sync -f ${at('small-copy')}`);
  await mover('copy-out of them', { ...common, op: 'copy-out', volume: 'small', round: 0, source: end('small') });
  await mover('copy-in of them, verify None', {
    ...common,
    op: 'copy-in',
    volume: 'small',
    round: 0,
    fresh: true,
    target: end('small-back'),
    verify: 'None',
  });
  for (const { what, seconds, cpu, rss } of rows) {
    const rate = /small|them/.test(what)
      ? `${Math.round(smallFiles / seconds)} files/s`
      : `${Math.round((mebibytes * 1.048576) / seconds)} MB/s`;
    console.log(
      `${what.padEnd(44)} ${seconds.toFixed(2).padStart(7)} s  ${rate.padStart(15)}  cpu ${cpu.toFixed(2).padStart(6)} s${rss === 0 ? '' : `  peak ${rss} MiB`}`,
    );
  }
  console.log(
    `1 %: ${delta.bytesChanged >> 20} MiB stored, ${applied.bytesChanged >> 20} MiB written, ${applied.bytesTargetRead} bytes read on the target`,
  );
} finally {
  rmSync(base, { recursive: true });
}
