import { checkKey } from '../archive/index.ts';
import { openLocation } from '../location/index.ts';
import type { MoverResult, ProbeJob } from './protocol.ts';
import type { Run } from './run.ts';

/** Answers whether this mover can read the archive. Touches no volume; the result's counts are zero. */
export async function probe(job: ProbeJob, run: Run): Promise<MoverResult> {
  const started = performance.now();
  const location = openLocation(job.archive.location, run.relay === undefined ? {} : { relay: run.relay });
  try {
    await checkKey(location, job.archive.lineage, job.archive.key, run.signal);
  } finally {
    await location.close();
  }
  const durationMs = performance.now() - started;
  return { files: 0, bytes: 0, bytesChanged: 0, bytesTransferred: 0, bytesTargetRead: 0, durationMs, notes: [], manifestHash: '' };
}
