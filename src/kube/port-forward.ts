/**
 * One TCP connection into a pod: `pods/portforward` over a plain WebSocket, subprotocol v4.channel.k8s.io.
 *
 * Channel 0 carries data, channel 1 an error text; the first message on each is the port (2 bytes, little endian).
 * The protocol has no half-close: ending our side leaves the other open; destroy the stream to close both.
 */
import { Duplex } from 'node:stream';
import type { RawData } from 'ws';
import { TranshipError } from '../errors.ts';
import { asBuffer } from './exec.ts';
import type { Subject } from './failures.ts';
import { keepAlive } from './keep-alive.ts';
import type { CallOptions } from './kube.ts';
import { reasonOf } from './deadline.ts';
import { withQuery } from './paths.ts';
import type { Transport } from './transport.ts';
import { openWebSocket } from './websocket.ts';

const DATA = 0;
const FRAME = 32 * 1024;
const UNSENT_LIMIT = 1024 * 1024;

/** `options.timeoutMs` limits the opening only; `options.signal` also ends the connection. Open one per TCP connection. */
export async function openPortForward(
  transport: Transport,
  cluster: string,
  target: { namespace: string; pod: string; port: number },
  options: CallOptions,
): Promise<Duplex> {
  const { namespace, pod, port } = target;
  const subject: Subject = {
    verb: 'portforward',
    what: `port ${port} of Pod ${namespace}/${pod}`,
    cluster,
    server: transport.access.server,
  };
  const path = withQuery(`/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(pod)}/portforward`, {
    ports: port,
  });
  const ws = await openWebSocket(transport, path, ['v4.channel.k8s.io'], subject, options);
  const { signal } = options;
  let full = false;
  const greeted = new Set<number>();
  const stopKeepAlive = keepAlive(ws, () => full);

  const stream = new Duplex({
    read() {
      if (!full) return;
      full = false;
      ws.resume();
    },
    write(chunk: Buffer, _encoding, callback) {
      for (let at = 0; at < chunk.length; at += FRAME) {
        const last = at + FRAME >= chunk.length;
        const wait = last && ws.bufferedAmount > UNSENT_LIMIT;
        ws.send(Buffer.concat([Buffer.of(DATA), chunk.subarray(at, at + FRAME)]), wait ? callback : undefined);
        if (last && !wait) callback();
      }
      if (chunk.length === 0) callback();
    },
    destroy(error, callback) {
      stopKeepAlive();
      signal?.removeEventListener('abort', onAbort);
      ws.terminate();
      callback(error);
    },
  });

  function onAbort(): void {
    if (signal !== undefined) stream.destroy(reasonOf(signal));
  }

  ws.on('message', (data: RawData) => {
    const bytes = asBuffer(data);
    const channel = bytes[0] ?? 0;
    // The port number is not content.
    const content = greeted.has(channel) ? bytes.subarray(1) : bytes.subarray(3);
    greeted.add(channel);
    if (content.length === 0) return;
    if (channel !== DATA)
      stream.destroy(new TranshipError('Unreachable', `Forwarding ${subject.what} failed: ${content.toString('utf8').trim()}`));
    else if (!stream.destroyed && !stream.push(content)) {
      full = true;
      ws.pause();
    }
  });
  ws.on('error', (cause) => stream.destroy(new TranshipError('Unreachable', `The connection to ${subject.what} was cut.`, { cause })));
  ws.on('close', () => {
    if (!stream.destroyed) stream.push(null);
  });
  signal?.addEventListener('abort', onAbort, { once: true });
  if (signal?.aborted === true) onAbort();
  else ws.resume();
  return stream;
}
