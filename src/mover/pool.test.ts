import assert from 'node:assert/strict';
import { it } from 'node:test';
import { codeOf } from '../errors.ts';
import { Meter } from './meter.ts';
import { Pool } from './pool.ts';
import type { VolumeJob } from './protocol.ts';

/** A pool whose streams run this program. */
function poolOf(program: string): Pool {
  const entry = new URL(`data:text/javascript,${encodeURIComponent(program)}`);
  const meter = new Meter();
  const run = { entry, signal: new AbortController().signal, meter, relay: undefined, phase: () => {} };
  const job = { op: 'verify', streams: 2 } as VolumeJob;
  return new Pool(run, { role: 'tranship-stream', job, meter: meter.shared, chunkSize: 1 << 20 }, 1);
}

it('a stream that runs out of heap says so, and ends the job', async () => {
  // As Node ends a worker at its limit. To fill a real heap here can take the test's own process with it.
  const pool = poolOf(
    `import { parentPort } from 'node:worker_threads';
     parentPort.once('message', () => { throw Object.assign(new Error('heap'), { code: 'ERR_WORKER_OUT_OF_MEMORY' }); });`,
  );
  const { done } = await pool.submit({});
  await assert.rejects(done, (error: Error) => /256 MiB of heap/.test(error.message) && codeOf(error) === 'Internal');
  await assert.rejects(pool.submit({}), /256 MiB of heap/);
  await pool.close();
});

it('a stream that fails outside of a task ends the job with its reason', async () => {
  const pool = poolOf(
    `import { parentPort } from 'node:worker_threads'; parentPort.once('message', () => { throw new Error('surprise'); });`,
  );
  const { done } = await pool.submit({});
  await assert.rejects(done, /A stream of the mover failed.*surprise/);
  await pool.close();
});
