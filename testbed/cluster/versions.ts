/** Versions of Kubernetes as users name them: `1.34`, `v1.34.4` and `1.34.4` are the same minor. */
import type { ClusterName } from './bed.ts';
import type { UpOptions } from './options.ts';

/** Runs when nobody asks for another. */
export const newest = '1.36';

export function minorOf(version: string): string {
  return version.replace(/^v/, '').split('.').slice(0, 2).join('.');
}

/** Minor versions, such as `1.36`. */
export function wantedVersions(options: Pick<UpOptions, 'sourceVersion' | 'targetVersion'>): Record<ClusterName, string> {
  return { source: minorOf(options.sourceVersion ?? newest), target: minorOf(options.targetVersion ?? newest) };
}
