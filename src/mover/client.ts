import type { Readable, Writable } from 'node:stream';
import { TranshipError, type ErrorCode } from '../errors.ts';
import { FrameWriter, type Location, readFrames, serveRelay } from '../location/index.ts';
import { protocolVersion, type MoverJob, type MoverResult, type Progress } from './protocol.ts';

/** The controller's end of a mover: the three streams of a `pods/exec`, or of a child process. */
export interface MoverChannel {
  stdin: Writable;
  stdout: Readable;
  stderr: Readable;
}

export interface RunMoverOptions {
  signal?: AbortSignal;
  onProgress?: (progress: Progress) => void;
  /** The store behind a relay location. */
  location?: Location;
}

const pingEvery = 5000;
const keptErrorBytes = 4096;

/**
 * Runs one job in a mover and returns its result: sends the job, pings, relays the store, checks that the channel loses nothing.
 * @throws TranshipError what the mover reported (its paths in `details.paths`), `Unreachable` when the channel ended before a result, `Canceled`
 */
export async function runMover(channel: MoverChannel, job: MoverJob, options: RunMoverOptions = {}): Promise<MoverResult> {
  const { signal } = options;
  signal?.throwIfAborted();
  const writer = new FrameWriter(channel.stdin);
  const said = lastWords(channel.stderr);
  // A broken pipe is reported by the end of standard output, with more to say.
  channel.stdin.on('error', () => {});
  const relay = options.location === undefined ? undefined : serveRelay(options.location, writer, signal);
  const cancel = (): void => {
    void writer.send({ t: 'cancel' });
    channel.stdin.end();
  };
  signal?.addEventListener('abort', cancel, { once: true });
  let ping: NodeJS.Timeout | undefined;
  try {
    for await (const { line, body } of readFrames(channel.stdout)) {
      switch (line['t']) {
        case 'hello':
          if (line['version'] !== protocolVersion) {
            throw new TranshipError(
              'Unsupported',
              `The mover speaks protocol ${String(line['version'])}, this program ${protocolVersion}.`,
              { hint: 'Use a mover image of the same release.' },
            );
          }
          await writer.send({ ...job });
          ping = setInterval(() => void writer.send({ t: 'ping' }), pingEvery);
          break;
        case 'progress':
          options.onProgress?.(line['progress'] as Progress);
          break;
        case 'store':
          if (relay === undefined) throw new TranshipError('Internal', 'The mover asked for a store that was not given.');
          void relay(line, body);
          break;
        case 'done':
          return line['result'] as MoverResult;
        case 'failed':
          throw failureOf(line);
      }
    }
  } catch (error) {
    if (signal?.aborted === true) throw canceled();
    throw error instanceof TranshipError ? error : unreachable(said(), error);
  } finally {
    clearInterval(ping);
    signal?.removeEventListener('abort', cancel);
    channel.stdin.end();
  }
  if (signal?.aborted === true) throw canceled();
  throw unreachable(said());
}

function canceled(): TranshipError {
  return new TranshipError('Canceled', 'The copy was canceled.');
}

function unreachable(words: string, cause?: unknown): TranshipError {
  const detail = words === '' ? '' : ` Last words: ${words}`;
  return new TranshipError('Unreachable', `The mover ended without a result.${detail}`, {
    hint: 'The copy can be started again; what was stored is used.',
    cause,
  });
}

function failureOf(line: Record<string, unknown>): TranshipError {
  const { code, message, hint, paths } = line;
  return new TranshipError(
    typeof code === 'string' ? (code as ErrorCode) : 'Internal',
    typeof message === 'string' ? message : 'The mover failed.',
    {
      ...(typeof hint === 'string' ? { hint } : {}),
      ...(Array.isArray(paths) ? { details: { paths } } : {}),
    },
  );
}

/** Keeps the end of standard error, for the case that nothing else is said. */
function lastWords(stderr: Readable): () => string {
  let text = '';
  stderr.on('data', (piece: Buffer | string) => {
    text = (text + piece.toString()).slice(-keptErrorBytes);
  });
  stderr.on('error', () => {});
  return () => text.trim().split('\n').slice(-5).join('\n');
}
