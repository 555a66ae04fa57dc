import { S3Client } from '@aws-sdk/client-s3';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { LocationSpec } from './location.ts';
import type { Patience } from './retry.ts';

/** The SDK's client with our time limits, on connections of its own that are kept alive. */
export function clientOf(spec: Extract<LocationSpec, { kind: 's3' }>, connections: number, patience: Patience): S3Client {
  // HTTPS_PROXY, HTTP_PROXY and NO_PROXY as other programs read them.
  const sockets = { keepAlive: true, maxSockets: connections, proxyEnv: process.env };
  return new S3Client({
    region: spec.region,
    forcePathStyle: spec.pathStyle,
    ...(spec.endpoint === undefined ? {} : { endpoint: spec.endpoint }),
    // Copied: the SDK adds fields to the object that it is given.
    ...(spec.credentials === undefined ? {} : { credentials: { ...spec.credentials } }),
    // Many stores reject or ignore the SDK's new default checksums. What is sent is covered by the signature, what is read by our own tags.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    maxAttempts: 1, // retrying() is the one place that retries: the SDK's does not see a body that is cut after its headers
    requestHandler: new NodeHttpHandler({
      connectionTimeout: patience.connectMs,
      // Of the socket, not of the request: the SDK's requestTimeout only prints a warning, and a large body may take its time as long as it moves.
      socketTimeout: patience.idleMs,
      httpAgent: new HttpAgent(sockets),
      httpsAgent: new HttpsAgent(spec.caBundle === undefined ? sockets : { ...sockets, ca: spec.caBundle }),
    }),
  });
}

/** Follows the store's clock: returns its time minus ours, milliseconds, from the newest answer, or undefined before the first. */
export function storeClock(client: S3Client): () => number | undefined {
  let ahead: number | undefined;
  client.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args);
      const date = Date.parse((result.response as { headers?: Record<string, string> }).headers?.['date'] ?? '');
      if (Number.isFinite(date)) ahead = date - Date.now();
      return result;
    },
    { step: 'deserialize', name: 'storeClock' },
  );
  return () => ahead;
}
