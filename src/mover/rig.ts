/** For tests only: a mover in this process with real worker threads, and an independent look at a tree. */
import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { PassThrough } from 'node:stream';
import { createLineage } from '../archive/index.ts';
import { openLocation, type LocationSpec } from '../location/index.ts';
import { runMover, type RunMoverOptions } from './client.ts';
import type { CopyInJob, CopyOutJob, MoverJob, MoverResult, VerifyJob } from './protocol.ts';
import { serveJob } from './serve.ts';
import { listXattrs } from './sys.ts';

type Free<J> = Omit<J, 'version' | 'archive' | 'volume' | 'streams'> & { streams?: number; volume?: string };

export interface Rig {
  spec: LocationSpec;
  lineage: string;
  key: string;
  job(job: Free<CopyOutJob> | Free<CopyInJob> | Free<VerifyJob>): MoverJob;
  run(job: Free<CopyOutJob> | Free<CopyInJob> | Free<VerifyJob>, options?: RunMoverOptions): Promise<MoverResult>;
}

/** @param entry the program file of the streams: a bundle starts faster than the sources */
export async function rigOn(store: string, entry?: URL): Promise<Rig> {
  const spec: LocationSpec = { kind: 'directory', path: store };
  const { lineage, key } = await createLineage(openLocation(spec));
  const rig: Rig = {
    spec,
    lineage,
    key,
    job: (job) => ({ version: 1, archive: { location: spec, lineage, key }, volume: 'shop/data', streams: 2, ...job }),
    run: async (job, options) => await runHere(rig.job(job), options, entry),
  };
  return rig;
}

/** Runs a job through the real channel and protocol, without a process of its own. */
export async function runHere(job: MoverJob, options?: RunMoverOptions, entry = new URL('main.ts', import.meta.url)): Promise<MoverResult> {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  const served = serveJob(stdin, stdout, entry).finally(() => stdout.end());
  try {
    return await runMover({ stdin, stdout, stderr }, job, options);
  } finally {
    await served;
  }
}

/** Everything that must be equal after a copy, read with node:fs by plain paths: one line per path. */
export function portrait(root: string, skip: (path: string) => boolean = () => false): string[] {
  const lines: string[] = [];
  const inodes = new Map<bigint, string>();
  const visit = (path: string): void => {
    const bytes = Buffer.from(`${root}/${path}`, 'latin1');
    const stat = lstatSync(bytes, { bigint: true });
    const kind = Number(stat.mode >> 12n);
    const facts: unknown[] = [
      JSON.stringify(path),
      kind,
      stat.isSymbolicLink() ? '' : (Number(stat.mode) & 0o7777).toString(8),
      stat.uid,
      stat.gid,
      stat.mtimeNs,
    ];
    if (stat.isFile())
      facts.push(stat.size, stat.size > 1n << 28n ? 'large' : createHash('sha256').update(readFileSync(bytes)).digest('hex'));
    if (stat.isSymbolicLink()) facts.push(readlinkSync(bytes, { encoding: 'latin1' }));
    if (stat.isBlockDevice() || stat.isCharacterDevice()) facts.push(stat.rdev);
    if (!stat.isDirectory() && stat.nlink > 1n) {
      const first = inodes.get(stat.ino);
      if (first === undefined) inodes.set(stat.ino, path);
      facts.push(`nlink ${stat.nlink}`, first === undefined ? '' : `= ${JSON.stringify(first)}`);
    }
    for (const [name, value] of listXattrs(`${root}/${path}`)) facts.push(`${name}=${value.toString('hex')}`);
    lines.push(facts.join(' '));
    if (!stat.isDirectory()) return;
    for (const name of readdirSync(bytes, { encoding: 'latin1' }).toSorted()) {
      const child = path === '' ? name : `${path}/${name}`;
      if (!skip(child)) visit(child);
    }
  };
  visit('');
  return lines;
}
