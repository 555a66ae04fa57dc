/** What a migration says about itself, read from the hub file while another process runs it. */
import { setTimeout as delay } from 'node:timers/promises';
import { hubNamespace } from '../../src/api/meta.ts';
import type { MigrationStatus, StepName } from '../../src/api/migration.ts';
import { openEmbeddedHub } from '../../src/hub/index.ts';

export async function statusOf(hubFile: string, name: string): Promise<MigrationStatus | undefined> {
  const hub = openEmbeddedHub({ file: hubFile });
  try {
    return (await hub.get('Migration', hubNamespace, name))?.['status'] as MigrationStatus | undefined;
  } finally {
    await hub.close();
  }
}

/** Resolves when the step runs or is done, or when `until` says that waiting is over. */
export async function stepBegins(
  hubFile: string,
  name: string,
  step: StepName,
  options: { until(): boolean; signal: AbortSignal },
): Promise<void> {
  const hub = openEmbeddedHub({ file: hubFile });
  try {
    while (!options.until()) {
      const status = (await hub.get('Migration', hubNamespace, name))?.['status'] as MigrationStatus | undefined;
      const state = status?.steps.find((candidate) => candidate.name === step)?.state;
      if (state === 'Running' || state === 'Done') return;
      await delay(20, undefined, { signal: options.signal });
    }
  } finally {
    await hub.close();
  }
}
