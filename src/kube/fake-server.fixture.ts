/** An HTTPS server on this machine that misbehaves on request: the API server on a bad day. */
import { createServer } from 'node:https';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { createAuthority, issue } from '../../testbed/node/x509.ts';
import type { Authority } from '../../testbed/node/x509.ts';
import type { ClusterAccess, CredentialSource } from './access.ts';
import { fixedCredential } from './access.ts';
import { openKube } from './client.ts';
import type { OpenOptions } from './client.ts';
import type { KubeClient } from './kube.ts';

export interface Seen {
  method: string;
  /** Path and query as they came over the wire. */
  url: string;
  headers: IncomingMessage['headers'];
  body: string;
}

/** Answers one request. What it leaves open stays open until the server closes. */
export type Answer = (request: Seen, response: ServerResponse, socket: Socket) => void | Promise<void>;

export interface FakeServer {
  readonly authority: Authority;
  readonly server: Server;
  readonly port: number;
  readonly seen: Seen[];
  /** TLS connections since the start. */
  connections(): number;
  access(over?: Partial<ClusterAccess> & { credentials?: CredentialSource }): ClusterAccess;
  open(options?: OpenOptions, over?: Partial<ClusterAccess>): KubeClient;
  close(): Promise<void>;
}

export async function fakeServer(answer: Answer, options: { names?: string[]; clientCertificates?: boolean } = {}): Promise<FakeServer> {
  const authority = createAuthority('fake CA');
  const own = issue(authority, { subject: { commonName: 'fake' }, usage: 'server', names: options.names ?? ['127.0.0.1', 'localhost'] });
  const seen: Seen[] = [];
  const clients: KubeClient[] = [];
  let connections = 0;
  const server = createServer({
    cert: own.certificate,
    key: own.key,
    ca: authority.certificate,
    requestCert: options.clientCertificates ?? false,
    rejectUnauthorized: false,
  });
  // Idle connections are the client's to close.
  server.keepAliveTimeout = 0;
  server.on('secureConnection', (socket: TLSSocket) => {
    connections++;
    socket.on('error', () => undefined);
  });
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    void (async () => {
      const parts: Buffer[] = [];
      for await (const part of request) parts.push(part as Buffer);
      const one = {
        method: request.method ?? '',
        url: request.url ?? '',
        headers: request.headers,
        body: Buffer.concat(parts).toString('utf8'),
      };
      seen.push(one);
      await answer(one, response, request.socket);
    })();
  });
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;

  function access(over: Partial<ClusterAccess> = {}): ClusterAccess {
    return {
      context: 'fake',
      server: `https://127.0.0.1:${port}`,
      ca: authority.certificate,
      insecureSkipTlsVerify: false,
      credentials: fixedCredential({ token: 'canary-token' }),
      ...over,
    };
  }

  return {
    authority,
    server,
    port,
    seen,
    connections: () => connections,
    access,
    open(openOptions = {}, over = {}) {
      const client = openKube(access(over), openOptions);
      clients.push(client);
      return client;
    },
    async close() {
      await Promise.all(clients.map((client) => client.close()));
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Sends JSON. */
export function json(response: ServerResponse, status: number, body: unknown, headers: Record<string, string | string[]> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

/** Sends a failure as the API server words it. */
export function failure(
  response: ServerResponse,
  code: number,
  reason: string,
  message = reason,
  details: object = {},
  headers: Record<string, string> = {},
): void {
  json(response, code, { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, message, details }, headers);
}
