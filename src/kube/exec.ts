/**
 * Commands in containers: `pods/exec` over a WebSocket, subprotocol v5.channel.k8s.io.
 *
 * Each message begins with its channel number. v5 adds message 255 + channel: "this channel has ended", the half-close that lets a
 * remote `cat` or `tar` see the end of its input (KEP-4006).
 */
import { Readable, Writable } from 'node:stream';
import type { RawData, WebSocket } from 'ws';
import { TranshipError } from '../errors.ts';
import { reasonOf } from './deadline.ts';
import type { Subject } from './failures.ts';
import { parseStatus } from './failures.ts';
import type { CallOptions, ExecSession } from './kube.ts';
import { withQuery } from './paths.ts';
import { keepAlive } from './keep-alive.ts';
import type { Transport } from './transport.ts';
import { openWebSocket } from './websocket.ts';

const STDIN = 0;
const STDOUT = 1;
const STDERR = 2;
const ERROR = 3;
const CLOSE = 255;

/** What one frame of stdin carries at most; the kubelet reads 32 KiB at a time. */
const FRAME = 32 * 1024;
/** Bytes we let wait in front of the network before stdin is told to stop. */
const UNSENT_LIMIT = 1024 * 1024;
/** Bytes of stdout (and of stderr) kept for a reader that is behind, before the network is told to stop. */
const UNREAD_LIMIT = 1024 * 1024;

export interface ExecTarget {
  namespace: string;
  pod: string;
  container?: string;
  command: string[];
  stdin?: boolean;
}

/**
 * Starts a command. `options.timeoutMs` limits the start only; `options.signal` ends the session as well.
 *
 * Both stdout and stderr must be read (or resumed): the network stops when one of them is full. stdin, when asked for, must be ended.
 * Trap of the container runtime: it closes stdin when the process's stdout ends; keep stdout open and count bytes.
 */
export async function openExec(transport: Transport, cluster: string, target: ExecTarget, options: CallOptions): Promise<ExecSession> {
  const { namespace, pod, container, command, stdin = false } = target;
  const what = `${command[0] ?? 'nothing'} in Pod ${namespace}/${pod}`;
  const subject: Subject = { verb: 'exec', what, cluster, server: transport.access.server };
  const path = withQuery(
    `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(pod)}/exec`,
    { container, stdin, stdout: true, stderr: true },
    command.map((word) => ['command', word]),
  );
  const ws = await openWebSocket(transport, path, ['v5.channel.k8s.io', 'v4.channel.k8s.io'], subject, options);
  if (stdin && ws.protocol !== 'v5.channel.k8s.io') {
    ws.terminate();
    throw new TranshipError(
      'Unsupported',
      `Cluster ${cluster} cannot end the input of a remote command (no v5.channel.k8s.io, Kubernetes 1.30).`,
    );
  }
  return startSession(ws, subject, stdin, options.signal);
}

/** The session over an open, paused socket. */
function startSession(ws: WebSocket, subject: Subject, stdin: boolean, signal: AbortSignal | undefined): ExecSession {
  const full = new Set<Readable>();
  const stdout = outputStream();
  const stderr = outputStream();
  const input = inputStream();
  const { promise: exit, resolve, reject } = Promise.withResolvers<{ code: number; message?: string }>();
  // The caller may look at `exit` only after the streams: an early failure must not be an unhandled rejection.
  exit.catch(() => undefined);
  let done = false;
  const stopKeepAlive = keepAlive(ws, () => full.size > 0);

  function outputStream(): Readable {
    const readable: Readable = new Readable({
      highWaterMark: UNREAD_LIMIT,
      read() {
        if (full.delete(readable) && full.size === 0) ws.resume();
      },
      destroy(error, callback) {
        if (full.delete(readable) && full.size === 0) ws.resume();
        callback(error);
      },
    });
    return readable;
  }

  function inputStream(): Writable {
    return new Writable({
      highWaterMark: UNREAD_LIMIT,
      write(chunk: Buffer, _encoding, callback) {
        sendAll(chunk, callback);
      },
      final(callback) {
        if (done) callback();
        else ws.send(Buffer.from([CLOSE, STDIN]), (error) => callback(error));
      },
    });
  }

  function sendAll(chunk: Buffer, callback: (error?: Error | null) => void): void {
    for (let at = 0; at < chunk.length; at += FRAME) {
      const last = at + FRAME >= chunk.length;
      // One frame per message: the server's WebSocket library does not join fragments.
      const frame = Buffer.concat([Buffer.of(STDIN), chunk.subarray(at, at + FRAME)]);
      const wait = last && ws.bufferedAmount > UNSENT_LIMIT;
      ws.send(frame, wait ? callback : undefined);
      if (last && !wait) callback();
    }
    if (chunk.length === 0) callback();
  }

  function finish(result: { code: number; message?: string } | TranshipError): void {
    if (done) return;
    done = true;
    stopKeepAlive();
    signal?.removeEventListener('abort', onAbort);
    if (result instanceof TranshipError) {
      for (const stream of [stdout, stderr, input]) destroyQuietly(stream, result);
      reject(result);
      ws.terminate();
      return;
    }
    stdout.push(null);
    stderr.push(null);
    // What was not sent yet has no reader any more. A writer in a pipeline sees a premature close.
    input.destroy();
    resolve(result);
    ws.resume();
    ws.close(1000);
    const timer = setTimeout(() => ws.terminate(), 2_000);
    timer.unref();
    ws.once('close', () => clearTimeout(timer));
  }

  function onAbort(): void {
    if (signal !== undefined) finish(reasonOf(signal));
  }

  ws.on('message', (data: RawData) => {
    if (done) return;
    const bytes = asBuffer(data);
    const channel = bytes[0];
    const content = bytes.subarray(1);
    // Some servers greet with an empty message on every channel.
    if (channel === ERROR && content.length > 0) finish(exitOf(content.toString('utf8'), subject));
    if (channel !== STDOUT && channel !== STDERR) return;
    const stream = channel === STDOUT ? stdout : stderr;
    if (content.length > 0 && !stream.destroyed && !stream.push(content)) {
      full.add(stream);
      ws.pause();
    }
  });
  ws.on('error', (cause) => finish(lost(subject, cause)));
  ws.on('close', () => finish(lost(subject, undefined)));
  signal?.addEventListener('abort', onAbort, { once: true });
  if (!stdin) input.end();
  if (signal?.aborted === true) onAbort();
  else ws.resume();
  return {
    stdin: input,
    stdout,
    stderr,
    exit,
    close: () => finish(new TranshipError('Canceled', `The ${subject.verb} of ${subject.what} was closed.`)),
  };
}

/** Errors are told once, by `exit`; a stream that nobody listens to must not end the process. */
function destroyQuietly(stream: Readable | Writable, error: Error): void {
  stream.on('error', () => undefined);
  stream.destroy(error);
}

/** Pure: the Status of the error channel as an exit code, or as an error when the command did not run to its end. */
export function exitOf(text: string, subject: Subject): { code: number; message?: string } | TranshipError {
  const status = parseStatus(text);
  if (status === undefined)
    return new TranshipError('Unreachable', `Cluster ${subject.cluster} ended ${subject.verb} of ${subject.what} without a status.`);
  const { reason, causes } = status.details;
  const code = causes?.find((cause) => cause.reason === 'ExitCode')?.message;
  if (reason === 'NonZeroExitCode' && code !== undefined)
    return { code: Number(code), ...(status.message !== undefined && { message: status.message }) };
  if (reason === undefined && status.message === undefined) return { code: 0 };
  return new TranshipError(
    'Unreachable',
    `Cluster ${subject.cluster} could not ${subject.verb} ${subject.what}: ${status.message ?? reason ?? 'no reason given'}`,
    {
      details: status.details,
    },
  );
}

function lost(subject: Subject, cause: unknown): TranshipError {
  const sentence = `The connection to ${subject.server} (context ${subject.cluster}) was cut during ${subject.verb} of ${subject.what}: unknown outcome.`;
  return new TranshipError('Unreachable', sentence, { cause, details: { outcome: 'unknown' } });
}

/** ws gives a Buffer unless told otherwise; the other shapes are there for its types. */
export function asBuffer(data: RawData): Buffer {
  if (Buffer.isBuffer(data)) return data;
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data);
}
