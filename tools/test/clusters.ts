/**
 * Starts what a level runs on and gives the environment its tests read. `Unsupported` from the test bed means that this machine cannot
 * do it, with the sentence that says why; every other error is a failure, so that a level never disappears by accident.
 */
import { codeOf, sentenceOf } from '../../src/errors.ts';

export type Ground =
  | { state: 'ready'; env: Record<string, string>; end: () => Promise<void> }
  | { state: 'cannot'; reason: string }
  | { state: 'failed'; text: string };

export interface GroundOptions {
  signal: AbortSignal;
  print: (line: string) => void;
}

/** Two API servers without nodes, and the programs of two S3 servers. Tests read TRANSHIP_TEST_KUBECONFIGS=path1:path2 and TRANSHIP_S3_SERVERS. */
export async function twoLightClusters(options: GroundOptions): Promise<Ground> {
  return await attempt(async () => {
    const { provideS3Servers } = await import('../../testbed/pieces/index.ts');
    // A build of minutes where they are not cached, which must not count as a test's time. Tests start them, each its own.
    const servers = await provideS3Servers({ signal: options.signal, onProgress: (line) => options.print(`  ${line}`) });
    const { light } = await import('../../testbed/index.ts');
    const bed = await light(2, { signal: options.signal, onProgress: (line) => options.print(`  ${line}`) });
    const kubeconfigs = bed.clusters.map((cluster) => cluster.kubeconfig).join(':');
    const env = { TRANSHIP_TEST_KUBECONFIGS: kubeconfigs, TRANSHIP_S3_SERVERS: JSON.stringify(servers) };
    return { state: 'ready', env, end: () => bed.close() };
  });
}

/**
 * Two clusters with nodes and the object store, under a name of their own, so that a bed that the user runs in this checkout is left
 * alone. Tests find it by `readTestBed()`.
 */
export async function twoNodeClusters(options: GroundOptions): Promise<Ground> {
  process.env['TRANSHIP_TESTBED_NAME'] = 'test';
  return await attempt(async () => {
    const { down, up } = await import('../../testbed/index.ts');
    const { providePieces } = await import('../../testbed/pieces/index.ts');
    const onProgress = (line: string) => options.print(`  ${line}`);
    // Also after Ctrl-C: ending has its own time limit, not the user's signal.
    const end = () => down({ signal: AbortSignal.timeout(300_000), onProgress });
    try {
      await up({ images: ['postgres', 'tranship', 'demo-web'], signal: options.signal, onProgress });
    } catch (error) {
      await end();
      throw error;
    }
    // For tests that run a node's programs by themselves: the storage driver's. Made already, so this only looks them up.
    const pieces = await providePieces({ level: 'nodes', kubernetes: '1.36', signal: options.signal, onProgress });
    // The older Kubernetes of one test: a build of minutes where it is not cached, which must not count as that test's time.
    await providePieces({ level: 'nodes', kubernetes: '1.34', signal: options.signal, onProgress });
    const programs = JSON.stringify({ ...pieces.env, TRANSHIP_CSI_PROTO: pieces.csiProto });
    return { state: 'ready', env: { TRANSHIP_E2E: '1', TRANSHIP_TESTBED_NAME: 'test', TRANSHIP_NODE_PROGRAMS: programs }, end };
  });
}

async function attempt(start: () => Promise<Ground>): Promise<Ground> {
  try {
    return await start();
  } catch (error) {
    if (codeOf(error) === 'Unsupported') return { state: 'cannot', reason: sentenceOf(error) };
    const stack = error instanceof Error && error.stack !== undefined ? error.stack : '';
    return { state: 'failed', text: `${sentenceOf(error)}\n${stack}` };
  }
}
