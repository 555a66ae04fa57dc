/** What a run of the engine is given, and what it shares between its steps. */
import type { Migration, MigrationEvent } from '../api/migration.ts';
import type { Hub } from '../hub/index.ts';
import type { Location, LocationSpec } from '../location/index.ts';
import type { KubeClient } from '../kube/index.ts';

/** Where the lines of `tranship logs` go. Append only; survives the process. */
export interface Journal {
  append(event: MigrationEvent): void;
}

export interface EngineOptions {
  hub: Hub;
  /** Name of the Migration object in the hub's namespace `tranship`. */
  name: string;
  journal: Journal;
  /** Opens a Cluster object's client. The embedded hub resolves kubeconfig contexts. */
  openCluster(name: string, signal: AbortSignal): Promise<KubeClient>;
  /** Resolves a Location object with its credentials (the CLI: from the environment). */
  openLocation(name: string, signal: AbortSignal): Promise<{ location: Location; spec: LocationSpec }>;
  /** Aborting ends the run at once, leaving everything as it is: the next run goes on. To undo instead, set spec.cancel. */
  signal: AbortSignal;
  /** Another process holds the lease of this migration; we wait for it. */
  onWait?(holder: string): void;
  onEvent?(event: MigrationEvent): void;
  /** Called when the status changed, at most some times per second. */
  onStatus?(migration: Migration): void;
}
