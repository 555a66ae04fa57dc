import { closeSync, constants, openSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { TranshipError } from '../errors.ts';
import type { VolumeEnd } from './protocol.ts';
import { errnoOf, tryLock } from './sys.ts';

const waitMs = 45_000;

/**
 * Locks a volume for this process: readers share, a writer is alone. The lock is on the root directory or the device itself, leaves nothing
 * behind and ends with the process.
 * A mover whose controller died holds it until it notices, which may take as long as its silence (30 s): that is waited for.
 * @throws TranshipError TimedOut when another mover is still at work then
 */
export async function lockVolume(volume: VolumeEnd, kind: 'shared' | 'exclusive', signal: AbortSignal): Promise<() => void> {
  let fd: number;
  try {
    fd = openSync(volume.path, constants.O_RDONLY | (volume.mode === 'Filesystem' ? constants.O_DIRECTORY : 0));
  } catch (error) {
    throw new TranshipError('NotFound', `The volume ${volume.path} cannot be opened: ${errnoOf(error)}.`, { cause: error });
  }
  const end = Date.now() + waitMs;
  while (!tryLock(fd, kind)) {
    if (Date.now() > end || signal.aborted) {
      closeSync(fd);
      signal.throwIfAborted();
      throw new TranshipError('TimedOut', `Another mover is at work on ${volume.path}.`, { hint: 'Wait until it has ended.' });
    }
    await delay(200);
  }
  return () => closeSync(fd);
}
