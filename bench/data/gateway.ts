/** The S3 server of the run: versitygw of the test bed on the loopback address, over a directory, with credentials made up here. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { provideVersitygw } from '../../testbed/pieces/index.ts';
import { TranshipError } from '../../src/errors.ts';
import type { Work } from './peers.ts';
import type { Store } from './tool.ts';

export interface Gateway {
  pid: number;
  version: string;
  /** A store of its own below one bucket, and the directory where its objects lie. */
  at(prefix: string): { store: Store; directory: string };
  close(): Promise<void>;
}

const bucket = 'bench';
const region = 'us-east-1';

/** `directory` is empty and ours. */
export async function startGateway(directory: string, work: Work): Promise<Gateway> {
  const program = await provideVersitygw(work);
  const [data, users] = [join(directory, 'data'), join(directory, 'users')];
  mkdirSync(join(data, bucket), { recursive: true }); // a directory at the top is a bucket
  mkdirSync(users);
  const address = `127.0.0.1:${await freePort()}`;
  const [accessKeyId, secretAccessKey] = ['bench', randomBytes(15).toString('base64url')];
  const child = spawn(program, ['--port', address, '--region', region, '--iam-dir', users, '--quiet', 'posix', data], {
    stdio: 'ignore',
    env: { PATH: process.env['PATH'] ?? '', ROOT_ACCESS_KEY: accessKeyId, ROOT_SECRET_KEY: secretAccessKey },
  });
  const ended = once(child, 'close');
  const endpoint = `http://${address}`;
  const close = async (): Promise<void> => {
    child.kill('SIGTERM');
    await Promise.race([ended, delay(5000, undefined, { ref: false }).then(() => child.kill('SIGKILL'))]);
    await ended;
  };
  try {
    await answers(endpoint, () => child.exitCode !== null, work.signal);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    pid: child.pid ?? 0,
    version: /versitygw-([\d.]+)/.exec(program)?.[1] ?? 'given',
    at: (prefix) => ({
      store: { kind: 's3', endpoint, region, bucket, prefix, accessKeyId, secretAccessKey },
      directory: join(data, bucket, prefix),
    }),
    close,
  };
}

async function answers(endpoint: string, gone: () => boolean, signal: AbortSignal): Promise<void> {
  for (const limit = Date.now() + 30_000; ;) {
    if (gone()) throw new TranshipError('Internal', 'The S3 server of the bench ended at its start.');
    // Without credentials it refuses, and that is an answer.
    const status = await fetch(endpoint, { signal }).then(
      (response) => response.status,
      () => 599,
    );
    signal.throwIfAborted();
    if (status < 500) return;
    if (Date.now() > limit) throw new TranshipError('TimedOut', 'The S3 server of the bench does not answer.');
    await delay(50, undefined, { signal });
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  const address = server.address();
  await new Promise((closed) => server.close(closed));
  return typeof address === 'object' && address !== null ? address.port : 0;
}
