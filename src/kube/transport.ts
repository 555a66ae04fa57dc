/** One try of one request: connection pools, credentials and headers of a cluster. Retries and deadlines are in `call.ts`. */
import { Pool } from 'undici';
import type { Dispatcher } from 'undici';
import type { ClusterAccess, Credential } from './access.ts';
import { connector } from './dial.ts';

export interface WireRequest {
  method: Dispatcher.HttpMethod;
  /** Path and query below the server's base URL. */
  path: string;
  body?: string;
  contentType?: string;
  accept?: string;
}

export interface WireOptions {
  signal: AbortSignal;
  /** Watches live on a pool of their own: on a bounded one, enough of them would leave no connection for calls. */
  lane: 'calls' | 'watches';
  /** Longest silence in the body, ms. */
  bodyTimeoutMs?: number;
}

export type WireAnswer = Pick<Dispatcher.ResponseData, 'statusCode' | 'headers' | 'body'>;

export interface Transport {
  readonly access: ClusterAccess;
  send(request: WireRequest, options: WireOptions): Promise<WireAnswer>;
  /** Headers that say who we are; also for WebSockets. */
  identity(credential: Credential): Record<string, string | string[]>;
  close(): Promise<void>;
}

/** Idle sockets are kept shorter than load balancers and the API server (90 s) do, so that we seldom write into a closing one. */
const KEEP_ALIVE_MS = 30_000;

export function openTransport(access: ClusterAccess, options: { userAgent: string; connections: number }): Transport {
  const { origin, pathname } = new URL(access.server);
  const base = pathname === '/' ? '' : pathname;
  let pools: { calls: Pool; watches: Pool; cert: string | undefined } | undefined;
  let closed = false;

  function poolsFor(credential: Credential): { calls: Pool; watches: Pool } {
    const cert = credential.clientCert?.cert;
    if (pools !== undefined && pools.cert === cert) return pools;
    // A plugin gave another certificate. Sockets keep the old one for life, so they are left to finish and not used again.
    void pools?.calls.close();
    void pools?.watches.close();
    const common = {
      connect: connector(access, credential),
      keepAliveTimeout: KEEP_ALIVE_MS,
      keepAliveMaxTimeout: KEEP_ALIVE_MS,
      headersTimeout: 0,
      bodyTimeout: 0,
    };
    pools = {
      calls: new Pool(origin, { ...common, connections: options.connections }),
      watches: new Pool(origin, { ...common, connections: null }),
      cert,
    };
    return pools;
  }

  function identity(credential: Credential): Record<string, string | string[]> {
    const headers: Record<string, string | string[]> = { 'user-agent': options.userAgent };
    if (credential.token !== undefined) headers['authorization'] = `Bearer ${credential.token}`;
    else if (credential.basic !== undefined) {
      headers['authorization'] = `Basic ${Buffer.from(`${credential.basic.username}:${credential.basic.password}`).toString('base64')}`;
    }
    const { impersonate } = access;
    if (impersonate !== undefined) {
      headers['impersonate-user'] = impersonate.user;
      if (impersonate.uid !== undefined) headers['impersonate-uid'] = impersonate.uid;
      if (impersonate.groups.length > 0) headers['impersonate-group'] = impersonate.groups;
      for (const [key, values] of Object.entries(impersonate.extra)) headers[`impersonate-extra-${encodeURIComponent(key)}`] = values;
    }
    return headers;
  }

  return {
    access,
    identity,
    async send(request, { signal, lane, bodyTimeoutMs }) {
      const credential = await access.credentials.current(signal);
      if (closed) throw Object.assign(new Error('closed'), { code: 'UND_ERR_CLOSED' });
      const pool = poolsFor(credential)[lane];
      return pool.request({
        method: request.method,
        path: base + request.path,
        headers: {
          ...identity(credential),
          accept: request.accept ?? 'application/json',
          ...(request.body !== undefined && { 'content-type': request.contentType ?? 'application/json' }),
        },
        body: request.body ?? null,
        signal,
        ...(bodyTimeoutMs !== undefined && { bodyTimeout: bodyTimeoutMs, headersTimeout: bodyTimeoutMs }),
      });
    },
    async close() {
      closed = true;
      await Promise.all([pools?.calls.destroy(), pools?.watches.destroy()]);
    },
  };
}
