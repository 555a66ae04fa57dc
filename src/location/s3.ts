import { type CompleteMultipartUploadCommand, HeadObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import type { Location, LocationSpec } from './location.ts';
import { checkName, checkPrefix } from './names.ts';
import { defaultPatience, type Patience, retrying } from './retry.ts';
import { clientOf, storeClock } from './s3-client.ts';
import { deletesOf } from './s3-delete.ts';
import { type Asked, s3Error } from './s3-errors.ts';
import { isAbsent, isNoSuchUpload, isNotImplemented, isPreconditionFailed, isTransient, retryAfter } from './s3-faults.ts';
import { inOnePart, partSize, putInParts } from './s3-parts.ts';
import { listPage, readRange, readWhole, type Wanted } from './s3-read.ts';
import { Slots } from './slots.ts';
import { locationUrl } from './url.ts';
import { TranshipError } from '../errors.ts';

type S3Spec = Extract<LocationSpec, { kind: 's3' }>;
type Created = 'created' | 'exists';

/**
 * An S3 bucket. One client with its own kept-alive connections; every request is retried with backoff while the store is the one to blame, at most as often
 * as `patience` says.
 * @param connections requests in flight
 */
export function openS3(spec: S3Spec, connections: number, patience: Patience = defaultPatience): Location {
  const client = clientOf(spec, connections, patience);
  const url = locationUrl(spec);
  const base = spec.prefix === '' ? '' : `${spec.prefix}/`;
  const slots = new Slots(connections);
  const ahead = storeClock(client);
  /** Stores that answer 501 to If-None-Match get a head before the put. So do those that may ignore it, until one has refused once. */
  let conditional: 'unknown' | 'yes' | 'no' = 'unknown';
  let answered = false;

  /** One request, as often as it takes. Slots are held per try, not while waiting for the next. */
  async function step<T>(signal: AbortSignal | undefined, work: (attempt: number) => Promise<T>): Promise<T> {
    const attempts = (): number => (answered ? patience.attempts : patience.firstAttempts);
    const once = async (attempt: number): Promise<T> =>
      await slots.run(signal, async () => {
        const result = await work(attempt);
        answered = true;
        return result;
      });
    return await retrying(once, { patience, attempts, transient: isTransient, retryAfter, signal });
  }

  async function explained<T>(verb: Asked['verb'], name: string, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      signal?.throwIfAborted();
      const { bucket, endpoint, region } = spec;
      throw s3Error(error, { verb, bucket, endpoint, region, object: name });
    }
  }

  const call = async <T>(
    verb: Asked['verb'],
    name: string,
    signal: AbortSignal | undefined,
    work: (attempt: number) => Promise<T>,
  ): Promise<T> => await explained(verb, name, signal, async () => await step(signal, work));

  const place = (name: string): { Bucket: string; Key: string } => ({ Bucket: spec.bucket, Key: base + name });
  const wanted = (name: string, signal: AbortSignal | undefined): Wanted => ({
    client,
    bucket: spec.bucket,
    key: base + name,
    name,
    url,
    signal,
  });

  async function size(name: string, signal?: AbortSignal): Promise<number | undefined> {
    try {
      return (await client.send(new HeadObjectCommand(place(name)), abortable(signal))).ContentLength ?? 0;
    } catch (error) {
      if (isAbsent(error)) return undefined;
      throw error;
    }
  }

  /** After a lost answer the object that is in the way may be our own. */
  async function holds(name: string, body: Uint8Array, signal?: AbortSignal): Promise<boolean> {
    if ((await size(name, signal)) !== body.length) return false;
    for (let at = 0; at < body.length; at += partSize) {
      const piece = body.subarray(at, at + partSize);
      if (Buffer.compare(piece, await readRange(wanted(name, signal), at, piece.length)) !== 0) return false;
    }
    return true;
  }

  /** Does a write that must not replace anything. `send` takes the condition that this store understands. */
  async function createOnly(
    name: string,
    body: Uint8Array,
    attempt: number,
    signal: AbortSignal | undefined,
    send: (condition: { IfNoneMatch?: string }) => Promise<unknown>,
  ): Promise<Created> {
    const there = async (): Promise<Created> => (attempt > 1 && (await holds(name, body, signal)) ? 'created' : 'exists');
    if (conditional !== 'yes' && (await size(name, signal)) !== undefined) return await there();
    try {
      await send(conditional === 'no' ? {} : { IfNoneMatch: '*' });
      return 'created';
    } catch (error) {
      if (isPreconditionFailed(error)) {
        conditional = 'yes';
        return await there();
      }
      if (isNoSuchUpload(error) && (await size(name, signal)) !== undefined) return await there();
      if (conditional === 'no' || !isNotImplemented(error)) throw error;
      conditional = 'no';
      return await createOnly(name, body, attempt, signal, send);
    }
  }

  const deletes = deletesOf({
    client,
    bucket: spec.bucket,
    keyOf: (name) => base + name,
    step,
    explained: async (name, signal, work) => await explained('delete', name, signal, work),
  });

  return {
    url,
    async put(name, body, { ifAbsent = false, signal } = {}) {
      checkName(name);
      if (body.length <= inOnePart) {
        return await call('write', name, signal, async (attempt) => {
          const send = async (condition: { IfNoneMatch?: string }): Promise<unknown> =>
            await client.send(new PutObjectCommand({ ...place(name), Body: body, ...condition }), abortable(signal));
          if (ifAbsent) return await createOnly(name, body, attempt, signal, send);
          await send({});
          return 'created';
        });
      }
      if (ifAbsent && (await call('write', name, signal, async () => await size(name, signal))) !== undefined) return 'exists';
      return await explained('write', name, signal, async () => {
        const { Bucket: bucket, Key: key } = place(name);
        return await putInParts({
          client,
          bucket,
          key,
          body,
          signal,
          step,
          async complete(command: (condition: { IfNoneMatch?: string }) => CompleteMultipartUploadCommand, attempt) {
            const send = async (condition: { IfNoneMatch?: string }): Promise<unknown> =>
              await client.send(command(condition), abortable(signal));
            if (ifAbsent) return await createOnly(name, body, attempt, signal, send);
            await send({});
            return 'created';
          },
        });
      });
    },
    async getRange(name, offset, length, signal) {
      checkName(name);
      if (length === 0) return new Uint8Array(0);
      return await call('read', name, signal, async () => await readRange(wanted(name, signal), offset, length));
    },
    async get(name, maxBytes, signal) {
      checkName(name);
      return await call('read', name, signal, async () => await readWhole(wanted(name, signal), maxBytes));
    },
    async head(name, signal) {
      checkName(name);
      const found = await call('look up', name, signal, async () => await size(name, signal));
      return found === undefined ? undefined : { size: found };
    },
    async *list(prefix, signal) {
      checkPrefix(prefix);
      let token: string | undefined;
      let last = '';
      do {
        const request = { bucket: spec.bucket, prefix: base + prefix, token, signal };
        const { found, next } = await call('list', prefix, signal, async () => await listPage(client, request));
        for (const { Key: key = '', Size: bytes = 0, LastModified: modified } of found) {
          // A repeated page or token would list for ever, or twice; both show as names that do not grow.
          if (Buffer.compare(Buffer.from(key), Buffer.from(last)) <= 0 || !key.startsWith(request.prefix)) throw badListing(url, prefix);
          last = key;
          // Directory markers of other tools are no objects of ours.
          if (!key.endsWith('/')) yield { name: key.slice(base.length), size: bytes, modified: modified?.getTime() ?? 0 };
        }
        if (next !== undefined && (next === token || found.length === 0)) throw badListing(url, prefix);
        token = next;
      } while (token !== undefined);
    },
    delete: deletes.one,
    deleteMany: deletes.many,
    async now(signal) {
      if (ahead() === undefined) await call('look up', '', signal, async () => await size('.clock', signal));
      return Date.now() + (ahead() ?? 0);
    },
    async close() {
      client.destroy();
    },
  };
}

function badListing(url: string, prefix: string): TranshipError {
  return new TranshipError(
    'Integrity',
    `The store lists ${prefix === '' ? url : `${prefix} in ${url}`} wrongly: names out of order, twice, or of other objects.`,
    {
      hint: 'Its listing cannot be relied on. Ask who runs the store; another store may be used.',
    },
  );
}

function abortable(signal: AbortSignal | undefined): { abortSignal?: AbortSignal } {
  return signal === undefined ? {} : { abortSignal: signal };
}
