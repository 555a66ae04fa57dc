/** An HTTP proxy on loopback between our S3 client and a real server, which does to chosen requests what networks and stores do at their worst. */
import { createServer, request as ask, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

/** What our client asks for, by method and query. */
export type Verb = 'put' | 'get' | 'head' | 'list' | 'delete' | 'begin' | 'part' | 'complete' | 'abort' | 'uploads';

export type Harm =
  /** The connection ends before the server hears of the request. */
  | { do: 'cut' }
  /** The server does the work, and its answer is lost. */
  | { do: 'lose' }
  /** Half of the answer's body comes, then the connection ends: reset, or closed in good order. */
  | { do: 'half'; end: 'reset' | 'close' }
  /** Half of the body under a Content-Length that says so. */
  | { do: 'shorten' }
  /** No answer, or half of one, and then nothing. */
  | { do: 'stall'; after: 'nothing' | 'half' }
  /** The body in eight pieces with this many milliseconds between them. */
  | { do: 'slow'; ms: number }
  | { do: 'answer'; status: number; code: string; headers?: Record<string, string> }
  | { do: 'flip'; what: 'request' | 'answer' }
  /** Another body, under 200. */
  | { do: 'edit'; text: (body: string) => string }
  /** A range is answered as if it had not been asked for: 200, no Content-Range. */
  | { do: 'whole' }
  | { do: 'none' };

export interface FaultProxy {
  endpoint: string;
  /** Every request that came, in order. */
  seen: Verb[];
  /** The next `times` requests of the verb are harmed; later calls queue behind. */
  next(verb: Verb, harm: Harm, times?: number): void;
  /** Asked for each request that no `next` is for. */
  otherwise: (verb: Verb, path: string) => Harm;
  /** Forgets faults and what was seen; ends what hangs. */
  reset(): void;
  close(): Promise<void>;
}

export async function faultProxy(target: string): Promise<FaultProxy> {
  const sockets = new Set<Socket>();
  let plans: { verb: Verb; harm: Harm; times: number }[] = [];
  const proxy: FaultProxy = {
    endpoint: '',
    seen: [],
    next(verb, harm, times = 1) {
      plans.push({ verb, harm, times });
    },
    otherwise: () => ({ do: 'none' }),
    reset() {
      plans = [];
      proxy.seen = [];
      proxy.otherwise = () => ({ do: 'none' });
      for (const socket of sockets) socket.destroy();
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  function harmFor(verb: Verb, path: string): Harm {
    const plan = plans.find((each) => each.verb === verb && each.times > 0);
    if (plan === undefined) return proxy.otherwise(verb, path);
    plan.times--;
    return plan.harm;
  }
  const server = createServer((request, response) => {
    const verb = verbOf(request);
    proxy.seen.push(verb);
    serve(target, request, response, harmFor(verb, request.url ?? '')).catch(() => request.socket.destroy());
  });
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  proxy.endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return proxy;
}

function verbOf({ method, url = '' }: IncomingMessage): Verb {
  const query = new URL(url, 'http://proxy').searchParams;
  if (query.has('uploadId')) return method === 'PUT' ? 'part' : method === 'POST' ? 'complete' : 'abort';
  if (query.has('uploads')) return method === 'POST' ? 'begin' : 'uploads';
  if (query.has('list-type')) return 'list';
  return method === 'PUT' ? 'put' : method === 'HEAD' ? 'head' : method === 'DELETE' ? 'delete' : 'get';
}

async function serve(target: string, request: IncomingMessage, response: ServerResponse, harm: Harm): Promise<void> {
  const body = Buffer.concat(await Array.fromAsync(request as AsyncIterable<Buffer>));
  if (harm.do === 'cut') return void request.socket.resetAndDestroy();
  if (harm.do === 'stall' && harm.after === 'nothing') return;
  if (harm.do === 'answer') {
    const text = `<?xml version="1.0"?><Error><Code>${harm.code}</Code><Message>made up</Message></Error>`;
    response.writeHead(harm.status, { 'content-type': 'application/xml', 'content-length': String(text.length), ...harm.headers });
    return void response.end(request.method === 'HEAD' ? undefined : text);
  }
  if (harm.do === 'flip' && harm.what === 'request') flip(body);
  const answer = await forward(target, request, body);
  if (harm.do === 'lose') return void request.socket.resetAndDestroy();
  let bytes = answer.body;
  if (harm.do === 'flip' && harm.what === 'answer') flip(bytes);
  if (harm.do === 'edit') bytes = Buffer.from(harm.text(bytes.toString()));
  const half = bytes.subarray(0, bytes.length >> 1);
  if (harm.do === 'shorten') bytes = half;
  const length = request.method === 'HEAD' ? {} : { 'content-length': String(bytes.length) };
  const { 'transfer-encoding': _, ...kept } = answer.headers;
  if (harm.do === 'whole') delete kept['content-range'];
  response.writeHead(harm.do === 'whole' || harm.do === 'edit' ? 200 : answer.status, { ...kept, ...length });
  if (harm.do === 'half' || harm.do === 'stall') {
    await new Promise<void>((sent) => response.write(half.length === 0 ? ' ' : half, () => sent()));
    if (harm.do === 'half') request.socket[harm.end === 'reset' ? 'resetAndDestroy' : 'destroySoon']();
    return;
  }
  if (harm.do === 'slow') {
    const step = Math.ceil(bytes.length / 8) || 1;
    for (let at = 0; at < bytes.length; at += step) {
      response.write(bytes.subarray(at, at + step));
      await pause(harm.ms);
    }
    return void response.end();
  }
  response.end(bytes);
}

function flip(bytes: Buffer): void {
  const at = bytes.length >> 1;
  bytes[at] = (bytes[at] ?? 0) ^ 4;
}

async function forward(
  target: string,
  request: IncomingMessage,
  body: Buffer,
): Promise<{ status: number; headers: IncomingMessage['headers']; body: Buffer }> {
  return await new Promise((resolve, reject) => {
    const { hostname, port } = new URL(target);
    // The Host header stays the one that was signed.
    const onward = ask({ hostname, port, method: request.method, path: request.url, headers: request.headers, agent: false }, (answer) => {
      Array.fromAsync(answer as AsyncIterable<Buffer>).then(
        (pieces) => resolve({ status: answer.statusCode ?? 502, headers: answer.headers, body: Buffer.concat(pieces) }),
        reject,
      );
    });
    onward.on('error', reject);
    onward.end(body);
  });
}
