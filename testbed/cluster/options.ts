/** What callers of the test bed say and get told. */
import type { TestBed } from './bed.ts';

/** One line for people, without newline and without time: `up` and `down` call it a few times per second at most. */
export type Progress = (line: string) => void;

export type UpOptions = {
  /** Kubernetes version of the source cluster: a minor (`1.34`) or a full one. Default: the newest that is built. */
  readonly sourceVersion?: string;
  readonly targetVersion?: string;
  /** `native` (default) starts the clusters from programs in namespaces; `kind` asks Docker and kind. */
  readonly provider?: 'native' | 'kind';
  /** What pods need beyond pause, busybox and CoreDNS: names of `testbed/images` (`postgres`) or paths of OCI tars. */
  readonly images: readonly string[];
  readonly signal: AbortSignal;
  readonly onProgress: Progress;
};

export type DownOptions = { readonly signal: AbortSignal; readonly onProgress: Progress };

/** `absent` = nothing there, `stale` = remains of a bed that cannot run any more (`down` or `up` cleans), `ready` = healthy. */
export type BedStatus = {
  readonly state: 'absent' | 'starting' | 'stale' | 'unhealthy' | 'ready';
  /** Sentences that say why it is not `ready`. */
  readonly reasons: readonly string[];
  readonly bed: TestBed | undefined;
};
