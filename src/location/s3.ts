import {
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { Readable } from 'node:stream';
import { deleteEach } from './delete-each.ts';
import type { Location, LocationSpec, Refused } from './location.ts';
import { checkName, checkPrefix, missing, tooLarge, tooShort } from './names.ts';
import { retrying } from './retry.ts';
import { isAbsent, isNotImplemented, isPreconditionFailed, isTransient, s3Error } from './s3-errors.ts';
import { locationUrl } from './url.ts';

type S3Spec = Extract<LocationSpec, { kind: 's3' }>;

/** DeleteObjects takes no more. */
const mostPerRequest = 1000;

/** An S3 bucket. One client with its own kept-alive connections; every verb is retried with backoff while the store is the one to blame. */
export function openS3(spec: S3Spec, connections: number): Location {
  const client = clientOf(spec, connections);
  const url = locationUrl(spec);
  const keyOf = (name: string): string => (spec.prefix === '' ? name : `${spec.prefix}/${name}`);
  const base = spec.prefix === '' ? '' : `${spec.prefix}/`;
  /** Stores that answer 501 to If-None-Match get a head before the put. So do those that may ignore it, until one has refused once. */
  let conditional: 'unknown' | 'yes' | 'no' = 'unknown';

  /** The store's clock minus ours, milliseconds, from the newest answer. */
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
  /** Stores that do not know DeleteObjects, or ask for a checksum of another age. */
  let batches = true;

  async function call<T>(verb: string, name: string, signal: AbortSignal | undefined, work: (attempt: number) => Promise<T>): Promise<T> {
    try {
      return await retrying(work, isTransient, signal);
    } catch (error) {
      throw s3Error(error, verb, spec.bucket, spec.endpoint, name);
    }
  }

  async function size(name: string, signal?: AbortSignal): Promise<number | undefined> {
    try {
      return (await client.send(new HeadObjectCommand({ Bucket: spec.bucket, Key: keyOf(name) }), abortable(signal))).ContentLength ?? 0;
    } catch (error) {
      if (isAbsent(error)) return undefined;
      throw error;
    }
  }

  async function putAbsent(name: string, body: Uint8Array, signal?: AbortSignal): Promise<'created' | 'exists'> {
    if (conditional !== 'yes' && (await size(name, signal)) !== undefined) return 'exists';
    try {
      const condition = conditional === 'no' ? {} : { IfNoneMatch: '*' };
      await client.send(new PutObjectCommand({ Bucket: spec.bucket, Key: keyOf(name), Body: body, ...condition }), abortable(signal));
      return 'created';
    } catch (error) {
      if (isPreconditionFailed(error)) {
        conditional = 'yes';
        return 'exists';
      }
      if (conditional === 'no' || !isNotImplemented(error)) throw error;
      conditional = 'no';
      return await putAbsent(name, body, signal);
    }
  }

  async function deleteOne(name: string, signal?: AbortSignal): Promise<void> {
    checkName(name);
    await call('delete', name, signal, async () => {
      try {
        await client.send(new DeleteObjectCommand({ Bucket: spec.bucket, Key: keyOf(name) }), abortable(signal));
      } catch (error) {
        if (!isAbsent(error)) throw error;
      }
    });
  }

  const deleteSingly = async (names: readonly string[], signal?: AbortSignal): Promise<Refused[]> =>
    await deleteEach(names, async (name) => await deleteOne(name, signal), signal);

  /** One request. Undefined when this store does not do it so. A refusal of the whole request (403) is one of each object. */
  async function deleteBatch(names: readonly string[], signal?: AbortSignal): Promise<Refused[] | undefined> {
    const keys = names.map((name) => ({ Key: keyOf(checkName(name)) }));
    try {
      const answer = await retrying(
        async () =>
          await client.send(new DeleteObjectsCommand({ Bucket: spec.bucket, Delete: { Objects: keys, Quiet: true } }), abortable(signal)),
        isTransient,
        signal,
      );
      const failed = (answer.Errors ?? []).filter((one) => one.Code !== 'NoSuchKey').map((one) => one.Key ?? '');
      // Asked for once more by itself: the sentence for each refusal is made in one place, and a hiccup of the store passes.
      return await deleteSingly(
        names.filter((name) => failed.includes(keyOf(name))),
        signal,
      );
    } catch (error) {
      if (signal?.aborted === true || isTransient(error)) throw s3Error(error, 'delete', spec.bucket, spec.endpoint, names[0] ?? '');
      // 501, a missing Content-MD5, a policy for this verb only: single deletes tell.
      batches = false;
      return undefined;
    }
  }

  return {
    url,
    async put(name, body, options = {}) {
      checkName(name);
      return await call('write', name, options.signal, async () => {
        if (options.ifAbsent === true) return await putAbsent(name, body, options.signal);
        await client.send(new PutObjectCommand({ Bucket: spec.bucket, Key: keyOf(name), Body: body }), abortable(options.signal));
        return 'created';
      });
    },
    async getRange(name, offset, length, signal) {
      checkName(name);
      if (length === 0) return new Uint8Array(0);
      return await call('read', name, signal, async () => {
        const range = `bytes=${offset}-${offset + length - 1}`;
        const answer = await read(client, spec.bucket, keyOf(name), name, url, range, signal);
        // A store that ignores Range would hand out the start of the object as if it were the middle.
        if (answer.contentRange === undefined || !answer.contentRange.startsWith(`bytes ${offset}-`)) {
          answer.body.destroy();
          if (offset !== 0 || answer.length !== length) throw tooShort(url, name, length, 0);
        }
        if (answer.length < length) {
          answer.body.destroy();
          throw tooShort(url, name, length, answer.length);
        }
        return await collect(answer.body, length, url, name);
      });
    },
    async get(name, maxBytes, signal) {
      checkName(name);
      return await call('read', name, signal, async () => {
        const answer = await read(client, spec.bucket, keyOf(name), name, url, undefined, signal);
        if (answer.length > maxBytes) {
          answer.body.destroy();
          throw tooLarge(url, name, answer.length, maxBytes);
        }
        return await collect(answer.body, answer.length, url, name);
      });
    },
    async head(name, signal) {
      checkName(name);
      const found = await call('look up', name, signal, async () => await size(name, signal));
      return found === undefined ? undefined : { size: found };
    },
    async *list(prefix, signal) {
      checkPrefix(prefix);
      let token: string | undefined;
      do {
        const from = token === undefined ? {} : { ContinuationToken: token };
        const page = await call(
          'list',
          prefix,
          signal,
          async () =>
            await client.send(new ListObjectsV2Command({ Bucket: spec.bucket, Prefix: base + prefix, ...from }), abortable(signal)),
        );
        for (const found of page.Contents ?? []) {
          // Directory markers of other tools are no objects of ours.
          if (found.Key === undefined || !found.Key.startsWith(base) || found.Key.endsWith('/')) continue;
          yield { name: found.Key.slice(base.length), size: found.Size ?? 0, modified: found.LastModified?.getTime() ?? 0 };
        }
        token = page.IsTruncated === true ? page.NextContinuationToken : undefined;
      } while (token !== undefined);
    },
    delete: deleteOne,
    async deleteMany(names, signal) {
      const refused: Refused[] = [];
      for (let from = 0; from < names.length; from += mostPerRequest) {
        signal?.throwIfAborted();
        const batch = names.slice(from, from + mostPerRequest);
        refused.push(...((batches ? await deleteBatch(batch, signal) : undefined) ?? (await deleteSingly(batch, signal))));
      }
      return refused;
    },
    async now(signal) {
      if (ahead === undefined) await call('look up', '', signal, async () => await size('.clock', signal));
      return Date.now() + (ahead ?? 0);
    },
    async close() {
      client.destroy();
    },
  };
}

function clientOf(spec: S3Spec, connections: number): S3Client {
  const sockets = { keepAlive: true, maxSockets: connections };
  return new S3Client({
    region: spec.region,
    forcePathStyle: spec.pathStyle,
    ...(spec.endpoint === undefined ? {} : { endpoint: spec.endpoint }),
    ...(spec.credentials === undefined ? {} : { credentials: { ...spec.credentials } }),
    // Copied above: the SDK adds fields to the object that it is given.
    // Many stores reject or ignore the SDK's new default checksums; ours are inside the objects.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    maxAttempts: 1, // retrying() is the one place that retries: the SDK's does not see a body that is cut after its headers
    requestHandler: new NodeHttpHandler({
      connectionTimeout: 10_000,
      requestTimeout: 120_000,
      httpAgent: new HttpAgent(sockets),
      httpsAgent: new HttpsAgent(spec.caBundle === undefined ? sockets : { ...sockets, ca: spec.caBundle }),
    }),
  });
}

async function read(
  client: S3Client,
  bucket: string,
  key: string,
  name: string,
  url: string,
  range: string | undefined,
  signal?: AbortSignal,
) {
  try {
    const answer = await client.send(
      new GetObjectCommand({ Bucket: bucket, Key: key, ...(range === undefined ? {} : { Range: range }) }),
      abortable(signal),
    );
    if (!(answer.Body instanceof Readable)) throw missing(url, name);
    return { body: answer.Body, length: answer.ContentLength ?? 0, contentRange: answer.ContentRange };
  } catch (error) {
    if (isAbsent(error)) throw missing(url, name);
    const status = (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
    if (status === 416) throw tooShort(url, name, 1, 0);
    throw error;
  }
}

/** Exactly `length` bytes, or an error. */
async function collect(body: Readable, length: number, url: string, name: string): Promise<Uint8Array> {
  const buffer = Buffer.allocUnsafeSlow(length);
  let filled = 0;
  for await (const piece of body) {
    const bytes = piece as Buffer;
    if (filled + bytes.length > length) {
      body.destroy();
      throw tooLarge(url, name, filled + bytes.length, length);
    }
    bytes.copy(buffer, filled);
    filled += bytes.length;
  }
  // Shorter than announced: a cut connection, which the caller's retry takes for one.
  if (filled < length) throw Object.assign(new Error('cut body'), { code: 'ERR_STREAM_PREMATURE_CLOSE' });
  return buffer;
}

function abortable(signal: AbortSignal | undefined): { abortSignal?: AbortSignal } {
  return signal === undefined ? {} : { abortSignal: signal };
}
