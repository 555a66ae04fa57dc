/**
 * The reconciler of Migration: level-based, called with a name, and everything it must know is read from the object. What brings the world to what
 * the object says is `migration/`, which goes on from wherever an earlier reconcile died; so there is nothing to decide here but when.
 */
import { hubNamespace } from '../api/meta.ts';
import type { Migration } from '../api/migration.ts';
import { TranshipError } from '../errors.ts';
import { runController } from '../hub/index.ts';
import { runMigration, type EngineOptions } from '../migration/index.ts';

/** The controller of one object: the engine's options name it. */
export type MigrationController = EngineOptions;

/**
 * Runs the controller until the object has been reconciled once, whatever the end.
 * @returns the object with its final status
 * @throws what the reconcile throws: the caller of a command wants to see it, not a later try
 * @throws NotFound when there is no such object, Canceled when the signal aborts
 */
export async function reconcileMigration(options: MigrationController): Promise<Migration> {
  const { hub, name } = options;
  if ((await hub.get('Migration', hubNamespace, name)) === undefined) {
    throw new TranshipError('NotFound', `There is no migration named "${name}".`, { hint: 'tranship status lists them.' });
  }
  const ended = new AbortController();
  const outcomes: ({ migration: Migration } | { error: unknown })[] = [];
  await runController({
    hub,
    kind: 'Migration',
    signal: AbortSignal.any([options.signal, ended.signal]),
    async reconcile(key) {
      if (key.namespace !== hubNamespace || key.name !== name || outcomes.length > 0) return;
      // The engine has a signal of its own: ending the loop after the first reconcile must not look like a stop to it.
      try {
        outcomes.push({ migration: await runMigration(options) });
      } catch (error) {
        outcomes.push({ error });
      }
      ended.abort();
    },
  });
  const [outcome] = outcomes;
  if (outcome === undefined)
    throw new TranshipError('Canceled', 'Stopped before anything was done.', { hint: `tranship resume ${name} goes on.` });
  if ('error' in outcome) throw outcome.error;
  return outcome.migration;
}
