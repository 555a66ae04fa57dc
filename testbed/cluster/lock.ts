/**
 * Locks between processes of this machine as abstract Unix sockets: the kernel gives them back when the holder dies, however it dies, so
 * there are no stale locks.
 */
import { createServer, type Server } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

export type Lock = { release(): Promise<void> };

/** The lock, or undefined when somebody else holds it. */
export async function tryLock(name: string): Promise<Lock | undefined> {
  const server = createServer((socket) => socket.destroy());
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(undefined);
      else reject(error);
    });
    server.listen({ path: `\0tranship-testbed/${name}` }, () => {
      server.unref();
      resolve({ release: () => close(server) });
    });
  });
}

/** Waits for the lock; `onWait` is called once when it has to. */
export async function lock(name: string, signal: AbortSignal, onWait?: () => void): Promise<Lock> {
  let said = false;
  for (;;) {
    const got = await tryLock(name);
    if (got !== undefined) return got;
    if (!said) onWait?.();
    said = true;
    await delay(100, undefined, { signal });
  }
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
  });
}
