import { GetObjectCommand, ListObjectsV2Command, type ListObjectsV2CommandOutput, type S3Client } from '@aws-sdk/client-s3';
import { Readable } from 'node:stream';
import { TranshipError } from '../errors.ts';
import { missing, tooLarge, tooShort } from './names.ts';
import { isAbsent, storeFault } from './s3-faults.ts';

export interface Wanted {
  client: S3Client;
  bucket: string;
  key: string;
  /** For messages. */
  name: string;
  url: string;
  signal: AbortSignal | undefined;
}

/** A whole object of at most `maxBytes`. */
export async function readWhole(wanted: Wanted, maxBytes: number): Promise<Uint8Array> {
  const answer = await ask(wanted, undefined);
  if (answer.length > maxBytes) {
    answer.body.destroy();
    throw tooLarge(wanted.url, wanted.name, answer.length, maxBytes);
  }
  return await collect(answer.body, answer.length, wanted);
}

/** Bytes [offset, offset+length), or an error: never others. */
export async function readRange(wanted: Wanted, offset: number, length: number): Promise<Uint8Array> {
  const { url, name } = wanted;
  const answer = await ask(wanted, `bytes=${offset}-${offset + length - 1}`);
  const [, from, to] = /^bytes (\d+)-(\d+)\//.exec(answer.contentRange ?? '') ?? [];
  const told = to === undefined ? answer.length : Number(to) - offset + 1;
  try {
    // A store that ignores Range would hand out the start of the object as if it were the middle.
    if (from === undefined ? offset !== 0 || answer.length !== length : Number(from) !== offset || told > length)
      throw otherRange(url, name, offset, length);
    if (told < length) throw tooShort(url, name, offset + length, offset + told);
    if (answer.length !== told) throw cutBody();
  } catch (error) {
    answer.body.destroy();
    throw error;
  }
  return await collect(answer.body, length, wanted);
}

async function ask(
  wanted: Wanted,
  range: string | undefined,
): Promise<{ body: Readable; length: number; contentRange: string | undefined }> {
  const { client, bucket, key, name, url, signal } = wanted;
  try {
    const answer = await client.send(
      new GetObjectCommand({ Bucket: bucket, Key: key, ...(range === undefined ? {} : { Range: range }) }),
      signal === undefined ? {} : { abortSignal: signal },
    );
    if (!(answer.Body instanceof Readable) || answer.ContentLength === undefined) throw cutBody();
    return { body: answer.Body, length: answer.ContentLength, contentRange: answer.ContentRange };
  } catch (error) {
    if (isAbsent(error)) throw missing(url, name);
    if (storeFault(error).status === 416)
      throw new TranshipError('Integrity', `Object ${name} in ${url} ends before the asked range begins.`);
    throw error;
  }
}

/** Exactly `length` bytes, or an error. */
async function collect(body: Readable, length: number, { url, name }: Wanted): Promise<Uint8Array> {
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
  if (filled < length) throw cutBody();
  return buffer;
}

/** Shorter than announced: a cut connection, which a retry takes for one. */
function cutBody(): Error {
  return Object.assign(new Error('cut body'), { code: 'ERR_STREAM_PREMATURE_CLOSE' });
}

function otherRange(url: string, name: string, offset: number, length: number): TranshipError {
  return new TranshipError(
    'Integrity',
    `The store answered with another range of ${name} in ${url} than bytes ${offset} to ${offset + length}.`,
    {
      hint: 'It does not serve range requests, or a proxy on the way does not.',
    },
  );
}

/** One page of a listing. A page that was cut in a place where its XML still reads is taken for a cut. */
export async function listPage(
  client: S3Client,
  request: { bucket: string; prefix: string; token: string | undefined; signal: AbortSignal | undefined },
): Promise<{ found: NonNullable<ListObjectsV2CommandOutput['Contents']>; next: string | undefined }> {
  const { bucket, prefix, token, signal } = request;
  const page = await client.send(
    new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, ...(token === undefined ? {} : { ContinuationToken: token }) }),
    signal === undefined ? {} : { abortSignal: signal },
  );
  const found = page.Contents ?? [];
  const more = page.IsTruncated === true;
  if (page.IsTruncated === undefined || (page.KeyCount ?? 0) > found.length || (more && (page.NextContinuationToken ?? '') === ''))
    throw cutBody();
  return { found, next: more ? page.NextContinuationToken : undefined };
}
