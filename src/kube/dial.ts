/** How a socket to the API server is made: TLS settings of the access, and the tunnel when there is a proxy. */
import type { Socket } from 'node:net';
import { connect as tlsConnect } from 'node:tls';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { buildConnector } from 'undici';
import { TranshipError } from '../errors.ts';
import type { ClusterAccess, Credential } from './access.ts';

const CONNECT_TIMEOUT_MS = 10_000;

/** The part of tls.connect's options that an access decides; undici and ws take the same fields. */
export interface TlsSettings {
  rejectUnauthorized: boolean;
  ca?: string;
  servername?: string;
  cert?: string;
  key?: string;
}

export function tlsOptions(access: ClusterAccess, credential: Credential): TlsSettings {
  return {
    rejectUnauthorized: !access.insecureSkipTlsVerify,
    ...(access.ca !== undefined && { ca: access.ca }),
    ...(access.tlsServerName !== undefined && { servername: access.tlsServerName }),
    ...credential.clientCert,
  };
}

/** The connector for an undici pool. HTTP/1.1 only: measured faster than HTTP/2 in this use (design, testbed figures). */
export function connector(access: ClusterAccess, credential: Credential): buildConnector.connector {
  const direct = buildConnector({
    ...tlsOptions(access, credential),
    allowH2: false,
    timeout: CONNECT_TIMEOUT_MS,
    keepAliveInitialDelay: 15_000,
  });
  const { proxy: through } = access;
  if (through === undefined) return direct;
  return (options, callback) => void dialThrough(through(), options, callback);

  async function dialThrough(proxy: URL, options: buildConnector.Options, callback: buildConnector.Callback): Promise<void> {
    let socket: Socket;
    try {
      socket = await tunnel(proxy, new URL(access.server));
    } catch (error) {
      return callback(error instanceof Error ? error : new Error('no tunnel'), null);
    }
    if (options.protocol === 'https:') direct({ ...options, httpSocket: socket }, callback);
    else callback(null, socket);
  }
}

/** A connected socket to the API server for a WebSocket; undefined when the default way of `ws` is right (no proxy). */
export async function tunnelled(access: ClusterAccess, credential: Credential): Promise<Socket | undefined> {
  if (access.proxy === undefined) return undefined;
  const server = new URL(access.server);
  const socket = await tunnel(access.proxy(), server);
  if (server.protocol === 'http:') return socket;
  const servername = access.tlsServerName ?? server.hostname;
  return tlsConnect({
    ...tlsOptions(access, credential),
    socket,
    servername: /^[\d.:[\]]+$/.test(servername) ? '' : servername,
    ALPNProtocols: ['http/1.1'],
  });
}

/** A socket to `target` through the proxy (HTTP CONNECT). */
function tunnel(proxy: URL, target: URL): Promise<Socket> {
  const port = target.port === '' ? (target.protocol === 'https:' ? '443' : '80') : target.port;
  const authority = `${target.hostname}:${port}`;
  const secret = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`;
  return new Promise((resolve, reject) => {
    const send = proxy.protocol === 'https:' ? httpsRequest : httpRequest;
    const request = send({
      host: proxy.hostname,
      port: proxy.port || (proxy.protocol === 'https:' ? 443 : 80),
      method: 'CONNECT',
      path: authority,
      timeout: CONNECT_TIMEOUT_MS,
      agent: false,
      headers: {
        host: authority,
        ...(proxy.username !== '' && { 'proxy-authorization': `Basic ${Buffer.from(secret).toString('base64')}` }),
      },
    });
    request.on('connect', (response, socket: Socket) => {
      if (response.statusCode === 200) return resolve(socket);
      socket.destroy();
      reject(new TranshipError('Unreachable', `The proxy ${proxy.host} refused to connect to ${authority} (HTTP ${response.statusCode}).`));
    });
    request.on('timeout', () => request.destroy(new TranshipError('Unreachable', `The proxy ${proxy.host} does not answer.`)));
    request.on('error', (cause) =>
      reject(
        cause instanceof TranshipError ? cause : new TranshipError('Unreachable', `The proxy ${proxy.host} cannot be reached.`, { cause }),
      ),
    );
    request.end();
  });
}
