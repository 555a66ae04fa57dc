/** Starting a bed, or finding that the one that runs is good. */
import { TranshipError } from '../../src/errors.ts';
import { bedId } from './addresses.ts';
import { bedDirectory, bedName, checkoutPath, type ClusterName, type TestBed } from './bed.ts';
import { claim } from './claim.ts';
import { loadImages } from './images.ts';
import { checkKind, startKind } from './kind.ts';
import { Ledger } from './ledger.ts';
import { lock } from './lock.ts';
import { provide, startNative } from './native.ts';
import type { UpOptions } from './options.ts';
import { checkMachine } from './preflight.ts';
import { cleanStale } from './stale.ts';
import { status } from './status.ts';
import { undo } from './undo.ts';
import { minorOf, wantedVersions } from './versions.ts';

/**
 * Returns a running, healthy bed with the wanted versions and images: the one that runs, or a new one. A failure or an abort takes back
 * everything before it is thrown (except the logs).
 *
 * @example const bed = await up({ images: ['postgres'], signal, onProgress: console.log })
 */
export async function up(options: UpOptions): Promise<TestBed> {
  const { signal, onProgress } = options;
  const provider = options.provider ?? 'native';
  if (provider === 'native') checkMachine();
  else checkKind();
  const checkout = checkoutPath();
  const name = bedName();
  const id = bedId(checkout, name);
  await cleanStale(signal, onProgress);
  const held = await lock(id, signal, () => onProgress('waiting: another up or down of this test bed is at work'));
  try {
    const running = await reuse(options, provider);
    if (running !== undefined) return running;
    const provisions = provider === 'native' ? await provide(options) : undefined;
    const claimed = await claim({ id, level: 'nodes', checkout, name, owned: false }, signal);
    const directory = bedDirectory(checkout, name);
    try {
      const bed =
        provisions === undefined
          ? await startKind(claimed, directory, options)
          : await startNative(claimed, directory, provisions, options);
      claimed.ledger.write({ kind: 'ready' });
      return bed;
    } catch (error) {
      onProgress(signal.aborted ? 'stopped: taking back what was made' : 'failed: taking back what was made (logs stay)');
      await undo(claimed.ledger, AbortSignal.timeout(180_000));
      throw signal.aborted ? new TranshipError('Canceled', 'The start of the test bed was stopped.', { cause: error }) : error;
    }
  } finally {
    await held.release();
  }
}

/** The running bed when it can be used as it is (missing images are loaded); otherwise it is ended and undefined returned. */
async function reuse(options: UpOptions, provider: 'native' | 'kind'): Promise<TestBed | undefined> {
  const { signal, onProgress } = options;
  const found = await status(signal);
  if (found.state === 'absent') return undefined;
  const why = found.bed === undefined || found.state !== 'ready' ? found.reasons : differences(found.bed, options, provider);
  if (why.length === 0 && found.bed !== undefined) {
    onProgress('the test bed runs already');
    return loadImages(found.bed, options.images, { signal, onProgress });
  }
  onProgress(`ending the old test bed: ${why.join(' ')}`);
  await undo(new Ledger(bedId(checkoutPath(), bedName())), signal);
  return undefined;
}

/** Sentences that say why a healthy bed is not the wanted one. A version that nobody asked for is fine as it is. */
export function differences(
  bed: TestBed,
  wanted: Pick<UpOptions, 'sourceVersion' | 'targetVersion'>,
  provider: 'native' | 'kind',
): string[] {
  if (bed.provider !== provider) return [`It runs with ${bed.provider}, not ${provider}.`];
  const versions = wantedVersions(wanted);
  return (['source', 'target'] as const satisfies readonly ClusterName[]).flatMap((name) => {
    const has = bed.clusters[name].version;
    return minorOf(has) === versions[name] ? [] : [`Its ${name} runs Kubernetes ${has}, not ${versions[name]}.`];
  });
}
