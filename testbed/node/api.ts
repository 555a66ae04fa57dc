/** The few calls to an API server that starting a cluster needs. (The product's own client is not used here: it is what gets tested.) */
import { Agent, request } from 'node:https';
import { setTimeout as delay } from 'node:timers/promises';
import { TranshipError } from '../../src/errors.ts';
import type { Access } from './kubeconfig.ts';

export type Answer = { readonly status: number; readonly body: string };

export class Api {
  readonly #agent: Agent;
  readonly #access: Access;

  constructor(access: Access) {
    this.#access = access;
    this.#agent = new Agent({ keepAlive: true, maxSockets: 8, ca: access.ca, cert: access.user.certificate, key: access.user.key });
  }

  call(method: string, path: string, signal: AbortSignal, body?: unknown, contentType = 'application/json'): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const headers = body === undefined ? {} : { 'content-type': contentType };
      const sent = request(
        `${this.#access.server}${path}`,
        { method, agent: this.#agent, signal, headers, timeout: 20_000 },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('error', reject);
          response.on('end', () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') }));
        },
      );
      sent.on('timeout', () => sent.destroy(new Error('no answer within 20 s')));
      sent.on('error', reject);
      sent.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  /** Creates or changes an object by server-side apply; `path` names it. Throws the server's words when it refuses. */
  async apply(path: string, object: unknown, signal: AbortSignal): Promise<void> {
    const query = 'fieldManager=testbed&force=true';
    const answer = await this.call('PATCH', `${path}?${query}`, signal, object, 'application/apply-patch+yaml');
    if (answer.status >= 300)
      throw new TranshipError('Internal', `The API server refused ${path}: ${answer.status} ${answer.body.slice(0, 500)}`);
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** Asks again until `isReady` says yes; errors of the connection count as no. `what` names it when time is over. */
export async function until(what: string, isReady: () => Promise<boolean>, signal: AbortSignal, limitMs = 300_000): Promise<void> {
  const end = Date.now() + limitMs;
  let last: unknown;
  for (;;) {
    signal.throwIfAborted();
    try {
      if (await isReady()) return;
      last = undefined;
    } catch (error) {
      last = error;
      if (error instanceof TranshipError) throw error;
    }
    if (Date.now() > end) throw new TranshipError('TimedOut', `${what} did not happen within ${limitMs / 1000} seconds.`, { cause: last });
    await delay(100, undefined, { signal });
  }
}
