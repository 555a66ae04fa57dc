import { codeOf, sentenceOf, TranshipError, type ErrorCode } from '../errors.ts';
import { deleteEach } from './delete-each.ts';
import type { FrameWriter } from './frames.ts';
import type { Location } from './location.ts';

/** One verb on its way to the side that holds the store. */
export interface RelayRequest {
  verb: 'put' | 'getRange' | 'get' | 'head' | 'list' | 'delete' | 'now';
  name: string;
  ifAbsent?: boolean;
  offset?: number;
  length?: number;
}

export interface RelayReply {
  /** `created`, `exists`, `absent`, `ok`. */
  result: string;
  size?: number;
  body?: Uint8Array;
}

/** Carries requests to a controller and brings its replies: a channel, or a message port of a worker. */
export interface RelayTransport {
  request(request: RelayRequest, body?: Uint8Array): Promise<RelayReply>;
}

/** A location whose verbs are done by the other end of a channel. The controller's credentials never reach this process. */
export function openRelay(url: string, transport: RelayTransport): Location {
  /** A canceled request is not waited for; what the other end still does with it is dropped. */
  async function ask(request: RelayRequest, signal: AbortSignal | undefined, body?: Uint8Array): Promise<RelayReply> {
    signal?.throwIfAborted();
    const reply = transport.request(request, body);
    if (signal === undefined) return await reply;
    return await new Promise<RelayReply>((resolve, reject) => {
      const leave = (): void => reject(signal.reason as Error);
      signal.addEventListener('abort', leave, { once: true });
      void reply.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave));
    });
  }

  return {
    url,
    async put(name, body, options = {}) {
      const reply = await ask({ verb: 'put', name, ifAbsent: options.ifAbsent ?? false }, options.signal, body);
      return reply.result === 'exists' ? 'exists' : 'created';
    },
    async getRange(name, offset, length, signal) {
      const { body } = await ask({ verb: 'getRange', name, offset, length }, signal);
      if (body?.length !== length)
        throw new TranshipError('Integrity', `The relay returned ${body?.length ?? 0} of ${length} bytes of ${name}.`);
      return body;
    },
    async get(name, maxBytes, signal) {
      const { body } = await ask({ verb: 'get', name, length: maxBytes }, signal);
      if (body === undefined || body.length > maxBytes)
        throw new TranshipError('Integrity', `The relay returned a wrong body for ${name}.`);
      return body;
    },
    async head(name, signal) {
      const reply = await ask({ verb: 'head', name }, signal);
      return reply.result === 'absent' ? undefined : { size: reply.size ?? 0 };
    },
    async *list(prefix, signal) {
      const { body } = await ask({ verb: 'list', name: prefix }, signal);
      const found = JSON.parse(Buffer.from(body ?? '[]').toString('utf8')) as [string, number, number][];
      for (const [name, size, modified] of found) yield { name, size, modified };
    },
    async delete(name, signal) {
      await ask({ verb: 'delete', name }, signal);
    },
    // Movers delete nothing, so nobody waits for these one by one.
    deleteMany: async (names, signal) =>
      await deleteEach(names, async (name) => void (await ask({ verb: 'delete', name }, signal)), signal),
    async now(signal) {
      return (await ask({ verb: 'now', name: '' }, signal)).size ?? 0;
    },
    async close() {},
  };
}

/** Does one relayed verb on the real store. */
export async function performRelayed(
  location: Location,
  request: RelayRequest,
  body: Uint8Array | undefined,
  signal?: AbortSignal,
): Promise<RelayReply> {
  const { name } = request;
  switch (request.verb) {
    case 'put':
      return {
        result: await location.put(name, body ?? new Uint8Array(0), {
          ifAbsent: request.ifAbsent ?? false,
          ...(signal === undefined ? {} : { signal }),
        }),
      };
    case 'getRange':
      return { result: 'ok', body: await location.getRange(name, request.offset ?? 0, request.length ?? 0, signal) };
    case 'get':
      return { result: 'ok', body: await location.get(name, request.length ?? 0, signal) };
    case 'head': {
      const found = await location.head(name, signal);
      return found === undefined ? { result: 'absent' } : { result: 'ok', size: found.size };
    }
    case 'list': {
      const found: [string, number, number][] = [];
      for await (const one of location.list(name, signal)) found.push([one.name, one.size, one.modified]);
      return { result: 'ok', body: Buffer.from(JSON.stringify(found)) };
    }
    case 'now':
      return { result: 'ok', size: await location.now(signal) };
    case 'delete':
      break;
  }
  await location.delete(name, signal);
  return { result: 'ok' };
}

const verbs = new Set(['put', 'getRange', 'get', 'head', 'list', 'delete', 'now']);

/**
 * The controller's side: answers the `store` lines of one mover with a real location. Feed it every frame whose line has `t: "store"`.
 * Many requests may be in flight; the mover bounds them.
 */
export function serveRelay(
  location: Location,
  writer: FrameWriter,
  signal?: AbortSignal,
): (line: Record<string, unknown>, body: Uint8Array | undefined) => Promise<void> {
  return async (line, body) => {
    const id = line['id'];
    try {
      const reply = await performRelayed(location, requestOf(line), body, signal);
      await writer.send({ t: 'stored', id, result: reply.result, ...(reply.size === undefined ? {} : { size: reply.size }) }, reply.body);
    } catch (error) {
      const hint = error instanceof TranshipError && error.hint !== undefined ? { hint: error.hint } : {};
      const message = error instanceof TranshipError ? error.message : sentenceOf(error);
      await writer.send({ t: 'stored', id, error: { code: codeOf(error), message, ...hint } });
    }
  };
}

function requestOf(line: Record<string, unknown>): RelayRequest {
  const { verb, name, offset, length, ifAbsent } = line;
  if (typeof verb !== 'string' || !verbs.has(verb) || typeof name !== 'string')
    throw new TranshipError('Integrity', 'The mover asked for an unknown store verb.');
  const request: RelayRequest = { verb: verb as RelayRequest['verb'], name };
  if (ifAbsent === true) request.ifAbsent = true;
  if (typeof offset === 'number') request.offset = offset;
  if (typeof length === 'number') request.length = length;
  return request;
}

/** The mover's side of the channel: numbers requests, matches replies. */
export class RelayClient implements RelayTransport {
  readonly #writer: FrameWriter;
  readonly #waiting = new Map<number, { resolve: (reply: RelayReply) => void; reject: (error: unknown) => void }>();
  #next = 1;

  constructor(writer: FrameWriter) {
    this.#writer = writer;
  }

  async request(request: RelayRequest, body?: Uint8Array): Promise<RelayReply> {
    const id = this.#next++;
    const reply = new Promise<RelayReply>((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
    await this.#writer.send({ t: 'store', id, ...request }, body);
    return await reply;
  }

  /** Takes one `stored` line. */
  accept(line: Record<string, unknown>, body: Uint8Array | undefined): void {
    const id = line['id'];
    const waiting = typeof id === 'number' ? this.#waiting.get(id) : undefined;
    if (waiting === undefined || typeof id !== 'number') return;
    this.#waiting.delete(id);
    const error = line['error'];
    if (typeof error === 'object' && error !== null) {
      const { code, message, hint } = error as { code?: ErrorCode; message?: string; hint?: string };
      waiting.reject(new TranshipError(code ?? 'Internal', message ?? 'The relay failed.', hint === undefined ? {} : { hint }));
      return;
    }
    const reply: RelayReply = { result: String(line['result']) };
    if (typeof line['size'] === 'number') reply.size = line['size'];
    if (body !== undefined) reply.body = body;
    waiting.resolve(reply);
  }
}
