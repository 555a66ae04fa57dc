/** An S3 server for tests that need a store and no cluster with nodes. */
import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { provideVersitygw } from '../../testbed/pieces/index.ts';

export interface Store {
  endpoint: string;
  bucket: string;
  accessKeyId: string;
  secretAccessKey: string;
  close(): Promise<void>;
}

/** With `readOnly` every write is refused. */
export async function startStore(options: { readOnly: boolean; signal: AbortSignal }): Promise<Store> {
  const program = await provideVersitygw({ signal: options.signal, onProgress: () => {} });
  const state = mkdtempSync(join(tmpdir(), 'store-'));
  const [data, users, bucket] = [join(state, 'data'), join(state, 'users'), 'moves'];
  mkdirSync(join(data, bucket), { recursive: true });
  mkdirSync(users);
  const port = await freePort();
  const [accessKeyId, secretAccessKey] = ['tester', randomBytes(12).toString('hex')];
  const flags = ['--port', `127.0.0.1:${port}`, '--iam-dir', users, '--quiet', ...(options.readOnly ? ['--readonly'] : [])];
  const server = spawn(program, [...flags, 'posix', data], {
    env: { ...process.env, ROOT_ACCESS_KEY: accessKeyId, ROOT_SECRET_KEY: secretAccessKey },
    stdio: 'ignore',
  });
  const endpoint = `http://127.0.0.1:${port}`;
  await answering(endpoint, server, options.signal);
  return {
    endpoint,
    bucket,
    accessKeyId,
    secretAccessKey,
    async close() {
      const ended = new Promise((resolve) => server.once('exit', resolve));
      server.kill();
      await ended;
      rmSync(state, { recursive: true, force: true });
    },
  };
}

async function answering(endpoint: string, server: ChildProcess, signal: AbortSignal): Promise<void> {
  for (;;) {
    signal.throwIfAborted();
    if (server.exitCode !== null) throw new Error(`the S3 server ended with exit code ${server.exitCode}`);
    const answered = await fetch(endpoint, { signal }).then(
      () => true,
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
