/** Clusters that are only an API: etcd, kube-apiserver and kube-controller-manager on 127.0.0.1. Needs no root. */
import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { TranshipError } from '../../src/errors.ts';
import { bedId, portsPerBed } from '../cluster/addresses.ts';
import { bedDirectory, bedName, checkoutPath } from '../cluster/bed.ts';
import { claim } from '../cluster/claim.ts';
import { cleanStale } from '../cluster/stale.ts';
import { undo } from '../cluster/undo.ts';
import { minorOf, newest } from '../cluster/versions.ts';
import { providePieces, type LightPieces } from '../pieces/index.ts';
import type { LightBed, LightOptions } from './bed.ts';
import { startLightCluster } from './start.ts';

const portsPerCluster = 3;

/**
 * Starts `count` clusters at once and returns when each answers and has made the default ServiceAccount.
 *
 * @example
 * await using stack = new AsyncDisposableStack();
 * const bed = await light(2, { signal });
 * stack.defer(() => bed.close());
 */
export async function light(count: number, options: LightOptions): Promise<LightBed> {
  if (!Number.isInteger(count) || count < 1 || count > Math.floor(portsPerBed / portsPerCluster)) {
    throw new TranshipError('InvalidInput', `A light bed has 1 to ${Math.floor(portsPerBed / portsPerCluster)} clusters, not ${count}.`);
  }
  const { signal } = options;
  const onProgress = options.onProgress ?? (() => undefined);
  await cleanStale(signal, onProgress);
  const versions = Array.from({ length: count }, (_, index) => options.versions?.[index]);
  const pieces = new Map<string | undefined, LightPieces>();
  for (const version of new Set(versions)) {
    pieces.set(version, await providePieces({ level: 'light', kubernetes: minorOf(version ?? newest), signal, onProgress }));
  }
  const checkout = checkoutPath();
  const id = `${bedId(checkout, bedName())}-light-${randomBytes(3).toString('hex')}`;
  const { ledger, header } = await claim({ id, level: 'light', checkout, name: bedName(), owned: options.keep !== true }, signal);
  const close = (): Promise<void> => undo(ledger, AbortSignal.timeout(180_000));
  try {
    const directory = join(bedDirectory(checkout), 'light', id);
    ledger.write({ kind: 'path', path: directory });
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const clusters = await Promise.all(
      versions.map((version, index) =>
        startLightCluster({
          ledger,
          directory: join(directory, String(index)),
          context: `light-${index}`,
          firstPort: header.firstPort + index * portsPerCluster,
          pieces: pieces.get(version)!,
          extraFlags: options.apiserverFlags ?? [],
          signal,
        }),
      ),
    );
    ledger.write({ kind: 'ready' });
    return { id, clusters, close };
  } catch (error) {
    await close();
    throw error;
  }
}
