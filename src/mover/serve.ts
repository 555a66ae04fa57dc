import type { Readable, Writable } from 'node:stream';
import { codeOf, TranshipError } from '../errors.ts';
import { FrameWriter, readFrames, RelayClient } from '../location/index.ts';
import { copyIn } from './copy-in.ts';
import { copyOut } from './copy-out.ts';
import { parseJob } from './job.ts';
import { Meter } from './meter.ts';
import { protocolVersion, type MoverJob, type MoverResult } from './protocol.ts';
import type { Run } from './run.ts';
import { probe } from './probe.ts';
import { verify } from './verify.ts';

/** A controller that is silent for this long has died, milliseconds; it pings every 5 s. */
const silence = 30_000;
const progressEvery = 500;

/** `mover run`: the protocol on standard input and output. The exit code is 0 only after `done` was written. */
export async function runOnStandardStreams(entry: URL): Promise<void> {
  const right = await serveJob(process.stdin, process.stdout, entry);
  // What was written must be out before the end; standard input may be held open by the controller.
  await new Promise<void>((flushed) => process.stdout.write('', () => flushed()));
  process.exit(right ? 0 : 1);
}

/** Reads one job, does it, reports. Returns true when it was done. */
export async function serveJob(input: Readable, output: Writable, entry: URL): Promise<boolean> {
  const writer = new FrameWriter(output);
  const stop = new AbortController();
  const relay = new RelayClient(writer);
  const frames = readFrames(input)[Symbol.asyncIterator]();
  await writer.send({ t: 'hello', version: protocolVersion, mover: `tranship mover, node ${process.version}` });
  output.on('error', () => stop.abort(new TranshipError('Canceled', 'The controller closed the channel.')));
  let job: MoverJob;
  try {
    const first = await frames.next();
    if (first.done === true) throw new TranshipError('Canceled', 'The controller ended the channel before it sent a job.');
    job = parseJob(first.value.line);
  } catch (error) {
    await writer.send(failure(error));
    return false;
  }
  const alarm = new Silence(stop);
  void listen(frames, relay, stop, alarm);
  const meter = new Meter();
  let phase = { name: 'start', growing: true };
  const run: Run = {
    entry,
    signal: stop.signal,
    meter,
    relay: job.archive.location.kind === 'relay' ? relay : undefined,
    phase: (name, growing) => {
      phase = { name, growing };
    },
  };
  const report = async (): Promise<void> => await writer.send({ t: 'progress', progress: meter.progress(phase.name, phase.growing) });
  const ticker = setInterval(() => void report(), progressEvery);
  try {
    const result = await Promise.race([perform(job, run), aborted(stop.signal)]);
    clearInterval(ticker);
    await report();
    await writer.send({ t: 'done', result });
    return true;
  } catch (error) {
    clearInterval(ticker);
    await writer.send(failure(error));
    return false;
  } finally {
    clearInterval(ticker);
    alarm.end();
  }
}

async function perform(job: MoverJob, run: Run): Promise<MoverResult> {
  switch (job.op) {
    case 'copy-out':
      return await copyOut(job, run);
    case 'copy-in':
      return await copyIn(job, run);
    case 'verify':
      return await verify(job, run);
    case 'probe':
      return await probe(job, run);
    default:
      return job satisfies never;
  }
}

async function listen(
  frames: AsyncIterator<{ line: Record<string, unknown>; body: Uint8Array | undefined }>,
  relay: RelayClient,
  stop: AbortController,
  alarm: Silence,
): Promise<void> {
  try {
    for (;;) {
      const next = await frames.next();
      if (next.done === true) break;
      alarm.reset();
      const { line, body } = next.value;
      if (line['t'] === 'stored') relay.accept(line, body);
      else if (line['t'] === 'cancel') stop.abort(new TranshipError('Canceled', 'The copy was canceled.'));
    }
    stop.abort(new TranshipError('Canceled', 'The controller ended the channel.'));
  } catch (error) {
    stop.abort(error);
  }
}

async function aborted(signal: AbortSignal): Promise<never> {
  return await new Promise((_, reject) => {
    const end = (): void =>
      reject(signal.reason instanceof Error ? signal.reason : new TranshipError('Canceled', 'The copy was canceled.'));
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
  });
}

function failure(error: unknown): Record<string, unknown> {
  const details = error instanceof TranshipError ? (error.details as { paths?: unknown } | undefined) : undefined;
  return {
    t: 'failed',
    code: codeOf(error),
    message: error instanceof Error ? error.message : 'unknown error',
    ...(error instanceof TranshipError && error.hint !== undefined ? { hint: error.hint } : {}),
    ...(Array.isArray(details?.paths) ? { paths: details.paths } : {}),
  };
}

/** Stops the job when nothing is heard for too long. */
class Silence {
  #timer: NodeJS.Timeout;
  readonly #stop: AbortController;

  constructor(stop: AbortController) {
    this.#stop = stop;
    this.#timer = this.#arm();
  }

  reset(): void {
    clearTimeout(this.#timer);
    this.#timer = this.#arm();
  }

  end(): void {
    clearTimeout(this.#timer);
  }

  #arm(): NodeJS.Timeout {
    return setTimeout(() => this.#stop.abort(new TranshipError('Canceled', 'The controller was silent for 30 s.')), silence);
  }
}
