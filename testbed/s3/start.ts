/** The S3 server of a bed: versitygw over a directory, on the bridge's address, so that one URL works from this machine and from all pods. */
import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { TranshipError } from '../../src/errors.ts';
import type { S3Access } from '../cluster/bed.ts';
import type { Ledger } from '../cluster/ledger.ts';
import { isAlive, startRecorded } from '../cluster/process.ts';
import { until } from '../node/api.ts';
import { tail } from '../node/logs.ts';

export type S3Need = {
  readonly ledger: Ledger;
  readonly versitygw: string;
  readonly env: Readonly<Record<string, string>>;
  readonly address: string;
  readonly state: string;
  readonly log: string;
  readonly signal: AbortSignal;
};

export const s3Port = 7070;

/** Starts it with new credentials and the bucket `tranship`; ready when it answers. */
export async function startS3(need: S3Need): Promise<S3Access> {
  const access: S3Access = {
    endpoint: `http://${need.address}:${s3Port}`,
    region: 'us-east-1',
    bucket: 'tranship',
    accessKeyId: 'testbed',
    secretAccessKey: randomBytes(15).toString('base64url'),
  };
  const data = join(need.state, 'data');
  const users = join(need.state, 'users');
  // With the posix backend a directory at the top is a bucket.
  await mkdir(join(data, access.bucket), { recursive: true });
  await mkdir(users, { recursive: true });
  const server = startRecorded(need.ledger, {
    what: 's3',
    argv: [need.versitygw, '--port', `${need.address}:${s3Port}`, '--region', access.region, '--iam-dir', users, '--quiet', 'posix', data],
    env: { ...need.env, ROOT_ACCESS_KEY: access.accessKeyId, ROOT_SECRET_KEY: access.secretAccessKey },
    log: need.log,
  });
  await until(
    'An answer of the S3 server',
    async () => {
      if (!isAlive(server)) throw new TranshipError('Internal', `The S3 server ended: ${tail(need.log)}`);
      // Without credentials it refuses, and that is an answer.
      return (await fetch(access.endpoint, { signal: need.signal })).status < 500;
    },
    need.signal,
    30_000,
  );
  return access;
}
