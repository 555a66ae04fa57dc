import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';

/** Larger objects are sent in parts of this size: a cut costs one part, and no store's limit for one request is met. Bytes; S3 wants at least 5 MiB. */
export const partSize = 16 << 20;
/** Up to this size one request is simpler; packs are below it. */
export const inOnePart = 32 << 20;

const abortWithinMs = 5000;

export interface PartsUpload {
  client: S3Client;
  bucket: string;
  key: string;
  body: Uint8Array;
  signal: AbortSignal | undefined;
  /** Runs one request, with retries, until the signal ends it. */
  step: <T>(signal: AbortSignal | undefined, work: (attempt: number) => Promise<T>) => Promise<T>;
  /** The last request, which makes the object appear: the caller knows about conditions. */
  complete: (
    command: (condition: { IfNoneMatch?: string }) => CompleteMultipartUploadCommand,
    attempt: number,
  ) => Promise<'created' | 'exists'>;
}

/** Stores a large object in parts. What was begun and does not come to its end is taken back, because stores keep and charge parts for ever. */
export async function putInParts(upload: PartsUpload): Promise<'created' | 'exists'> {
  const { client, bucket: Bucket, key: Key, signal, step } = upload;
  let UploadId: string | undefined;
  let begun = 0;
  try {
    UploadId = await step(signal, async () => {
      begun++;
      return (await client.send(new CreateMultipartUploadCommand({ Bucket, Key }), abortable(signal))).UploadId;
    });
    const Parts = await sendParts(upload, UploadId);
    const command = (condition: { IfNoneMatch?: string }): CompleteMultipartUploadCommand =>
      new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts }, ...condition });
    const result = await step(signal, async (attempt) => await upload.complete(command, attempt));
    if (result === 'exists' || begun > 1) await takeBack(upload, UploadId, begun > 1);
    return result;
  } catch (error) {
    if (begun > 0) await takeBack(upload, UploadId, begun > 1 || UploadId === undefined);
    throw error;
  }
}

/** All parts at once; the location's slots bound how many are on their way. The first that fails for good ends the others. */
async function sendParts(upload: PartsUpload, UploadId: string | undefined): Promise<{ PartNumber: number; ETag: string | undefined }[]> {
  const { client, bucket: Bucket, key: Key, body, step } = upload;
  const failed = new AbortController();
  const signal = upload.signal === undefined ? failed.signal : AbortSignal.any([upload.signal, failed.signal]);
  const numbers = Array.from({ length: Math.ceil(body.length / partSize) }, (_, index) => index + 1);
  const sending = numbers.map(async (PartNumber) => {
    const Body = body.subarray((PartNumber - 1) * partSize, PartNumber * partSize);
    const command = new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body });
    return { PartNumber, ETag: (await step(signal, async () => await client.send(command, abortable(signal)))).ETag };
  });
  try {
    return await Promise.all(sending);
  } catch (error) {
    failed.abort(error);
    await Promise.allSettled(sending); // a part that arrives after the abort would stay
    throw error;
  }
}

/**
 * Best effort, in a bounded time of its own: the caller's signal may be what ended the upload.
 * @param others an answer was lost, so there may be an upload to this key whose id nobody knows; the name is ours alone, so all of them go
 */
async function takeBack(upload: PartsUpload, id: string | undefined, others: boolean): Promise<void> {
  const { client, bucket: Bucket, key: Key } = upload;
  const soon = abortable(AbortSignal.timeout(abortWithinMs));
  const ids = new Set(id === undefined ? [] : [id]);
  // Each may be refused: the error that brought us here says more, and docs/locations.md tells how a rule of the bucket removes what stays.
  if (others) {
    const listed = await client.send(new ListMultipartUploadsCommand({ Bucket, Prefix: Key }), soon).catch(() => undefined);
    for (const found of listed?.Uploads ?? []) if (found.Key === Key && found.UploadId !== undefined) ids.add(found.UploadId);
  }
  for (const UploadId of ids) await client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }), soon).catch(() => undefined);
}

function abortable(signal: AbortSignal | undefined): { abortSignal?: AbortSignal } {
  return signal === undefined ? {} : { abortSignal: signal };
}
