/** Ours as the image runs it: the bundled mover as a process of its own, a job over its standard input, encryption always on. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createLineage } from '../../src/archive/index.ts';
import { openLocation, type LocationSpec } from '../../src/location/index.ts';
import { moverCommand, runMover, type CopyInJob, type MoverJob, type MoverResult } from '../../src/mover/index.ts';
import type { Place, Running, Said, Step, Store, Tool } from './tool.ts';

const bundle = join(import.meta.dirname, '..', '..', 'dist', 'mover.mjs');

export function ours(streams: number): Tool {
  return {
    id: `ours-${streams}`,
    label: `tranship, ${streams} streams`,
    async open(place: Place) {
      const location = specOf(place.store);
      const opened = openLocation(location);
      const { lineage, key } = await createLineage(opened);
      await opened.close();
      const common = { version: 1, archive: { location, lineage, key }, volume: 'bench/data', streams };
      const end = (path: string): { mode: 'Filesystem'; path: string } => ({ mode: 'Filesystem', path });
      const into = (round: number, more: Pick<CopyInJob, 'verify' | 'fresh' | 'have'>): Step =>
        step({ ...common, op: 'copy-in', round, target: end(place.target), ...more });
      return {
        backup: (round) =>
          step({ ...common, op: 'copy-out', round, source: end(place.source), ...(round === 0 ? {} : { parent: round - 1 }) }),
        restore: () => into(0, { fresh: true, verify: 'None' }),
        restoreVerified: () => into(0, { fresh: true, verify: 'Touched' }),
        apply: (round) => into(round, { fresh: false, have: round - 1, verify: 'Touched' }),
      };
    },
  };
}

function specOf(store: Store): LocationSpec {
  if (store.kind === 'directory') return store;
  const { bucket, prefix, endpoint, region, accessKeyId, secretAccessKey } = store;
  return { kind: 's3', bucket, prefix, endpoint, region, pathStyle: true, credentials: { accessKeyId, secretAccessKey } };
}

function step(job: MoverJob): Step {
  return async (running) => {
    const result = await runBundle(job, running);
    if (job.op !== 'copy-in') return undefined;
    const readBack = job.verify === 'None' ? 0 : job.fresh ? result.bytes : result.bytesChanged;
    return {
      targetWritten: result.bytesChanged,
      targetRead: result.bytesTargetRead,
      explainedReads: result.bytesTransferred + readBack,
    } satisfies Said;
  };
}

/** The same start as in a pod; ends when the process has ended. */
async function runBundle(job: MoverJob, { signal, started }: Running): Promise<MoverResult> {
  signal.throwIfAborted();
  const child = spawn(process.execPath, moverCommand(bundle).slice(1), {
    stdio: ['pipe', 'pipe', 'pipe'],
    // What makes the sources run unbuilt is not part of the image.
    env: { ...process.env, NODE_OPTIONS: '', NODE_ENV: 'production' },
  });
  started(child.pid);
  const ended = once(child, 'close');
  try {
    return await runMover(child, job, { signal });
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  } finally {
    await ended;
  }
}
