/** Reads one cluster as an assessment sees it: what `tranship surface export` writes, and what a live assessment looks at. Reads only. */
import type { ResourceType } from '../api/object.ts';
import type { SurfaceFile } from '../api/surface-file.ts';
import { capture, readFacts, readSurface } from '../capture/index.ts';
import type { KubeClient } from '../kube/index.ts';
import { nameless } from './nameless.ts';
import { reduceCaptured, reduceObject } from './reduce.ts';
import { makeSurfaceFile } from './surface-file.ts';

export interface ReadOptions {
  side: 'source' | 'target';
  /** On the source: the namespaces that move. On the target: what they will be called there. */
  namespaces: readonly string[];
  signal: AbortSignal;
  /** What the target serves, where that is known: the application is then read in versions that both sides have. */
  target?: readonly ResourceType[];
  /** Names of nodes are replaced by numbers. */
  withoutNodeNames?: boolean;
}

/** @throws NotFound when a namespace of the source does not exist; Unreachable, TimedOut, Unauthorized when the cluster can't be read */
export async function readSide(
  client: KubeClient,
  { side, namespaces, signal, target, withoutNodeNames }: ReadOptions,
): Promise<SurfaceFile> {
  const captured = side === 'source' ? await capture(client, { namespaces, signal, ...(target !== undefined && { target }) }) : undefined;
  const [surface, facts] = await Promise.all([
    readSurface(client, { namespaces, signal, ...(captured !== undefined && { captured }) }),
    readFacts(client, { namespaces, side, signal }),
  ]);
  const file = makeSurfaceFile(
    {
      side,
      namespaces: [...namespaces],
      surface: { ...surface, existing: surface.existing.map(reduceObject) },
      facts,
      ...(captured !== undefined && { application: reduceCaptured(captured) }),
    },
    new Date().toISOString(),
  );
  return withoutNodeNames === true ? nameless(file) : file;
}
