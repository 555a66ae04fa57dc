/** What a test gets from `light`: clusters that have an API and nothing else. */
import type { Progress } from '../cluster/options.ts';

export type LightCluster = {
  /** Path of a kubeconfig with one context, cluster administrator. */
  readonly kubeconfig: string;
  readonly context: string;
  readonly server: string;
  /** Full Kubernetes version without `v`. */
  readonly version: string;
  /** Ends the apiserver at once (like a crash), for tests of faults. */
  stopApiserver(): Promise<void>;
  /** Starts it again and waits until it is ready. */
  startApiserver(): Promise<void>;
};

export type LightBed = {
  readonly id: string;
  readonly clusters: readonly LightCluster[];
  /** Ends everything and deletes the state. Twice is fine. */
  close(): Promise<void>;
};

export type LightOptions = {
  readonly signal: AbortSignal;
  readonly onProgress?: Progress;
  /** Kubernetes minor of each cluster, such as `['1.34', '1.36']`; where missing, the newest that is built. */
  readonly versions?: readonly string[];
  /** More flags of kube-apiserver, such as `--max-requests-inflight=5`. */
  readonly apiserverFlags?: readonly string[];
  /** true: the clusters outlive this process until `down`. Default false: they belong to this process. */
  readonly keep?: boolean;
};
