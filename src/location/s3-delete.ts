import { DeleteObjectCommand, DeleteObjectsCommand, type S3Client } from '@aws-sdk/client-s3';
import { deleteEach } from './delete-each.ts';
import type { Refused } from './location.ts';
import { checkName } from './names.ts';
import { isAbsent, isTransient } from './s3-faults.ts';

/** DeleteObjects takes no more. */
const mostPerRequest = 1000;

export interface DeleteNeed {
  client: S3Client;
  bucket: string;
  /** The stored key of a name. */
  keyOf: (name: string) => string;
  /** Runs one request with retries; `explained` also makes its failure a sentence about the object. */
  step: <T>(signal: AbortSignal | undefined, work: () => Promise<T>) => Promise<T>;
  explained: <T>(name: string, signal: AbortSignal | undefined, work: () => Promise<T>) => Promise<T>;
}

export interface S3Deletes {
  readonly one: (name: string, signal?: AbortSignal) => Promise<void>;
  readonly many: (names: readonly string[], signal?: AbortSignal) => Promise<Refused[]>;
}

/** Deleting in a bucket: in batches where the store does them, else one by one. */
export function deletesOf({ client, bucket: Bucket, keyOf, step, explained }: DeleteNeed): S3Deletes {
  /** Stores that do not know DeleteObjects, or ask for a checksum of another age. */
  let batches = true;

  async function one(name: string, signal?: AbortSignal): Promise<void> {
    checkName(name);
    const work = async (): Promise<void> => {
      try {
        await client.send(new DeleteObjectCommand({ Bucket, Key: keyOf(name) }), abortable(signal));
      } catch (error) {
        if (!isAbsent(error)) throw error;
      }
    };
    await explained(name, signal, async () => await step(signal, work));
  }

  const singly = async (names: readonly string[], signal?: AbortSignal): Promise<Refused[]> =>
    await deleteEach(names, async (name) => await one(name, signal), signal);

  /** One request. Undefined when this store does not do it so. A refusal of the whole request (403) is one of each object. */
  async function batch(names: readonly string[], signal?: AbortSignal): Promise<Refused[] | undefined> {
    const Objects = names.map((name) => ({ Key: keyOf(checkName(name)) }));
    let failed: Set<string | undefined>;
    try {
      const command = new DeleteObjectsCommand({ Bucket, Delete: { Objects, Quiet: true } });
      const { Errors = [] } = await step(signal, async () => await client.send(command, abortable(signal)));
      failed = new Set(Errors.filter(({ Code }) => Code !== 'NoSuchKey').map(({ Key }) => Key));
    } catch (error) {
      if (signal?.aborted === true || isTransient(error)) await explained(names[0] ?? '', signal, async () => await Promise.reject(error));
      // 501, a missing Content-MD5, a policy for this verb only: single deletes tell.
      batches = false;
      return undefined;
    }
    // Asked for once more by itself: the sentence for each refusal is made in one place, and a hiccup of the store passes.
    return await singly(
      names.filter((name) => failed.has(keyOf(name))),
      signal,
    );
  }

  return {
    one,
    async many(names, signal) {
      const refused: Refused[] = [];
      for (let from = 0; from < names.length; from += mostPerRequest) {
        signal?.throwIfAborted();
        const some = names.slice(from, from + mostPerRequest);
        refused.push(...((batches ? await batch(some, signal) : undefined) ?? (await singly(some, signal))));
      }
      return refused;
    },
  };
}

function abortable(signal: AbortSignal | undefined): { abortSignal?: AbortSignal } {
  return signal === undefined ? {} : { abortSignal: signal };
}
