import type { RelayTransport } from '../location/index.ts';
import { startInStream } from './in-stream.ts';
import { startOutStream } from './out-stream.ts';
import type { StreamSetup } from './pool.ts';

/** Chooses what a worker thread does, by the job. */
export function startStream(setup: StreamSetup): (relay: RelayTransport) => (task: unknown) => Promise<unknown> {
  return setup.job.op === 'copy-out' ? startOutStream(setup, setup.job) : startInStream(setup, setup.job);
}
