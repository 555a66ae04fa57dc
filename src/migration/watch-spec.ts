/** Notices that the user asked to cancel, from this process or another one. */
import { hubNamespace } from '../api/meta.ts';
import type { EngineOptions } from './engine.ts';

export function watchSpec(options: EngineOptions): { cancelled: AbortSignal; close(): void } {
  const cancelled = new AbortController();
  const stop = new AbortController();
  const watch = async (): Promise<void> => {
    for await (const event of options.hub.watch('Migration', AbortSignal.any([stop.signal, options.signal]))) {
      const { namespace, name } = event.object.metadata;
      if (namespace !== hubNamespace || name !== options.name || event.type === 'DELETED') continue;
      const spec = event.object['spec'] as { cancel?: boolean; rollback?: boolean } | undefined;
      if (spec?.cancel === true && spec.rollback !== true) cancelled.abort(new Error('cancelled by the user'));
    }
  };
  // A watch that ends with an error must not end the process; without it only cancelling from another terminal is lost.
  watch().catch((error: unknown) => {
    if (!stop.signal.aborted && !options.signal.aborted)
      options.journal.append({ time: new Date().toISOString(), level: 'warn', message: `Watching for cancel ended: ${String(error)}` });
  });
  return { cancelled: cancelled.signal, close: () => stop.abort() };
}
