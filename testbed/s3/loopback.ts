/** S3 servers on loopback for tests that need a store and no cluster with nodes: two that share no code. */
import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

export type S3ServerKind = 'versitygw' | 'minio';

export interface S3Server {
  readonly kind: S3ServerKind;
  readonly endpoint: string;
  readonly region: string;
  readonly bucket: string;
  /** Of the administrator. */
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** The bucket's directory, where objects may be put behind the server's back; not with MinIO, whose files are its own. */
  readonly files: string | undefined;
  close(): Promise<void>;
}

export interface S3ServerNeed {
  readonly program: string;
  readonly signal: AbortSignal;
  readonly region?: string;
  /** Every write is refused; versitygw only. */
  readonly readOnly?: boolean;
}

/** Starts one with new credentials and an empty bucket; ready when it answers. */
export async function startS3Server(kind: S3ServerKind, need: S3ServerNeed): Promise<S3Server> {
  const state = mkdtempSync(join(tmpdir(), 'store-'));
  const [data, bucket, region] = [join(state, 'data'), 'moves', need.region ?? 'us-east-1'];
  // Both take a directory at the top for a bucket.
  mkdirSync(join(data, bucket), { recursive: true });
  const [accessKeyId, secretAccessKey] = ['tester', randomBytes(12).toString('hex')];
  const address = `127.0.0.1:${await freePort()}`;
  const start = { versitygw: versitygwCall, minio: minioCall }[kind];
  const { args, env } = start({ address, region, data, state, accessKeyId, secretAccessKey, readOnly: need.readOnly ?? false });
  const server = spawn(need.program, args, { env: { PATH: process.env['PATH'], HOME: state, ...env }, stdio: 'ignore' });
  const ended = new Promise((resolve) => server.once('exit', resolve));
  const endpoint = `http://${address}`;
  const close = async (): Promise<void> => {
    server.kill('SIGKILL'); // nothing of it is kept
    await ended;
    rmSync(state, { recursive: true, force: true });
  };
  try {
    await answering(endpoint, kind, server, need.signal);
  } catch (error) {
    await close();
    throw error;
  }
  return { kind, endpoint, region, bucket, accessKeyId, secretAccessKey, files: kind === 'minio' ? undefined : join(data, bucket), close };
}

interface Call {
  address: string;
  region: string;
  data: string;
  state: string;
  accessKeyId: string;
  secretAccessKey: string;
  readOnly: boolean;
}

function versitygwCall(call: Call): { args: string[]; env: Record<string, string> } {
  const users = join(call.state, 'users');
  mkdirSync(users);
  const flags = ['--port', call.address, '--region', call.region, '--iam-dir', users, '--quiet', ...(call.readOnly ? ['--readonly'] : [])];
  return { args: [...flags, 'posix', call.data], env: { ROOT_ACCESS_KEY: call.accessKeyId, ROOT_SECRET_KEY: call.secretAccessKey } };
}

/** CI lets it use a directory of the root disk; the rest keeps it from calling home and from a second port. */
function minioCall(call: Call): { args: string[]; env: Record<string, string> } {
  return {
    args: ['server', '--quiet', '--address', call.address, '--certs-dir', join(call.state, 'certs'), call.data],
    env: {
      MINIO_ROOT_USER: call.accessKeyId,
      MINIO_ROOT_PASSWORD: call.secretAccessKey,
      MINIO_SITE_REGION: call.region,
      MINIO_BROWSER: 'off',
      MINIO_UPDATE: 'off',
      MINIO_CI_CD: 'on',
    },
  };
}

async function answering(endpoint: string, kind: S3ServerKind, server: ChildProcess, signal: AbortSignal): Promise<void> {
  // MinIO answers while it is not ready yet; versitygw's first answer, even a refusal, is good.
  const ready = kind === 'minio' ? `${endpoint}/minio/health/ready` : endpoint;
  for (;;) {
    signal.throwIfAborted();
    if (server.exitCode !== null) throw new Error(`the S3 server ended with exit code ${server.exitCode}`);
    const answered = await fetch(ready, { signal }).then(
      (answer) => answer.status < 500,
      () => false,
    );
    if (answered) return;
    await pause(50, undefined, { signal });
  }
}

/** A port that nobody listens on now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
