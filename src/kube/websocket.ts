/** Opens a WebSocket to the API server with the identity of the access; refusals become the server's own Status. */
import type { IncomingMessage } from 'node:http';
import { WebSocket } from 'ws';
import type { ClientOptions } from 'ws';
import { TranshipError } from '../errors.ts';
import type { CallOptions } from './kube.ts';
import { tlsOptions, tunnelled } from './dial.ts';
import { reasonOf, startDeadline } from './deadline.ts';
import type { Subject } from './failures.ts';
import { connectionError, statusError } from './failures.ts';
import type { Transport } from './transport.ts';

const OPEN_TIMEOUT_MS = 30_000;
/** Largest frame we take. The kubelet sends 32 KiB pieces; anything near this is not Kubernetes. */
const MAX_FRAME = 16 * 1024 * 1024;

/** An HTTP answer that was not an upgrade. */
class Refused extends Error {
  readonly status: number;
  readonly text: string;

  constructor(status: number, text: string) {
    super(`HTTP ${status}`);
    this.status = status;
    this.text = text;
  }
}

/**
 * @param protocols subprotocols in the order of preference; the server's choice is `socket.protocol`
 * @throws as calls do; the options limit the opening only, never the life of the socket
 */
export async function openWebSocket(
  transport: Transport,
  path: string,
  protocols: string[],
  subject: Subject,
  options: CallOptions,
): Promise<WebSocket> {
  const limit = startDeadline(options.signal, options.timeoutMs ?? OPEN_TIMEOUT_MS);
  try {
    try {
      return await tryOpen(transport, path, protocols, limit.signal);
    } catch (error) {
      // A refused credential was refused before anything ran: once again with a new one.
      if (!(error instanceof Refused) || error.status !== 401 || !transport.access.credentials.refused()) throw error;
      return await tryOpen(transport, path, protocols, limit.signal);
    }
  } catch (error) {
    if (limit.expired())
      throw new TranshipError(
        'TimedOut',
        `${subject.server} (context ${subject.cluster}) did not begin ${subject.verb} of ${subject.what} in time.`,
      );
    if (limit.signal.aborted) throw reasonOf(limit.signal);
    throw error instanceof Refused ? statusError(error.status, error.text, subject) : connectionError(error, subject, false);
  } finally {
    limit.clear();
  }
}

async function tryOpen(transport: Transport, path: string, protocols: string[], signal: AbortSignal): Promise<WebSocket> {
  const { access } = transport;
  const credential = await access.credentials.current(signal);
  const socket = await tunnelled(access, credential);
  if (signal.aborted) throw reasonOf(signal);
  const options: ClientOptions = {
    ...tlsOptions(access, credential),
    headers: flatHeaders(transport.identity(credential)),
    perMessageDeflate: false,
    maxPayload: MAX_FRAME,
    followRedirects: false,
    ...(socket !== undefined && { createConnection: () => socket }),
  };
  const url = `${access.server.replace(/^http/, 'ws')}${path}`;
  return new Promise((resolve, reject) => {
    const ws = new WebSocket(url, protocols, options);
    const onAbort = (): void => ws.terminate();
    signal.addEventListener('abort', onAbort, { once: true });
    const settle = (): void => signal.removeEventListener('abort', onAbort);
    ws.once('open', () => {
      settle();
      // A fast server sends its first frames with the handshake; nothing may be read before the caller listens.
      ws.pause();
      resolve(ws);
    });
    ws.once('unexpected-response', (_request, response) => {
      const { socket: used } = response;
      readBody(response)
        .then((text) => reject(new Refused(response.statusCode ?? 0, text)), reject)
        // Without an agent nobody uses this connection again, and nobody ends it (destroying an answered request does not): it would
        // keep the process alive until the server's idle limit of 90 s.
        .finally(() => {
          settle();
          used.destroy();
        });
    });
    ws.on('error', (error) => {
      settle();
      reject(error);
    });
  });
}

async function readBody(response: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of response) parts.push(part as Buffer);
  return Buffer.concat(parts).toString('utf8');
}

function flatHeaders(headers: Record<string, string | string[]>): ClientOptions['headers'] {
  return headers as Record<string, string>; // ws passes arrays on to node:http, its types do not say so
}
