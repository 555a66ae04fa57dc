/** Which API versions of Kubernetes are deprecated or gone in a release. The table is made from the markers of the Kubernetes API module. */
import table from './data/api-lifecycle.json' with { type: 'json' };

interface Row {
  group: string;
  version: string;
  kind: string;
  introduced?: string;
  deprecated?: string;
  removed?: string;
  replacement?: string;
}

const rows = new Map((table.rows as Row[]).map((row) => [`${row.group}/${row.version}/${row.kind}`, row]));

/** The newest Kubernetes release that the table knows, such as `1.37`. */
export const coversRelease: string = table.covers;

export type Lifecycle =
  | { state: 'current' }
  | { state: 'deprecated' | 'removed'; since: string; replacement: string | undefined }
  /** The table does not know this version, or not this release. */
  | { state: 'unknown'; why: 'release' | 'version' };

/** `v1.36.3`, `1.30+` → 36; undefined for what is not Kubernetes 1.x. */
export function minorOf(version: string): number | undefined {
  const match = /^v?1\.(\d+)/.exec(version);
  return match === null ? undefined : Number(match[1]);
}

/**
 * What a release thinks of an API version.
 * @param release version of the cluster, such as `v1.36.3`
 * @example lifecycleOf('policy', 'v1beta1', 'PodDisruptionBudget', 'v1.36.3') // removed since 1.25, use policy/v1 PodDisruptionBudget
 */
export function lifecycleOf(group: string, version: string, kind: string, release: string): Lifecycle {
  const minor = minorOf(release);
  const row = rows.get(`${group}/${version}/${kind}`);
  const isReached = (mark: string | undefined) => mark !== undefined && minor !== undefined && (minorOf(mark) ?? Infinity) <= minor;
  // What was removed before stays removed in releases that the table does not know yet.
  if (row?.removed !== undefined && isReached(row.removed)) return { state: 'removed', since: row.removed, replacement: row.replacement };
  if (minor === undefined || minor > (minorOf(coversRelease) ?? 0)) return { state: 'unknown', why: 'release' };
  if (row === undefined) return { state: 'unknown', why: 'version' };
  if (row.deprecated !== undefined && isReached(row.deprecated)) {
    return { state: 'deprecated', since: row.deprecated, replacement: row.replacement };
  }
  return { state: 'current' };
}
