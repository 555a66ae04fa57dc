/** The loop that every kind's reconciler runs in: watch → keys → workers. Level-based: a reconciler gets a name, never an event. */
import type { Hub, HubKind } from './hub.ts';
import type { QueueOptions } from './workqueue.ts';
import { WorkQueue } from './workqueue.ts';

export interface ObjectKey {
  namespace: string;
  name: string;
}

export interface ControllerOptions {
  hub: Hub;
  kind: HubKind;
  /**
   * Brings the world to what the object says, from whatever state it is in. Also called when the object is gone. May be ended at any
   * await. An error means: again, later and later.
   */
  reconcile(key: ObjectKey, context: { signal: AbortSignal }): Promise<{ requeueAfterMs?: number } | void>;
  /** Objects worked on at the same time, default 1. One object is never worked on twice at once. */
  workers?: number;
  signal: AbortSignal;
  backoff?: QueueOptions;
  /** Told of every failure, with the time of the next try. */
  onError?(key: ObjectKey, error: unknown, retryMs: number): void;
}

/**
 * Runs until the signal aborts, and resolves when the last reconcile has ended.
 *
 * @throws what the hub's watch throws (a hub that cannot be read is no state to go on in)
 * @example await runController({ hub, kind: 'Migration', reconcile, workers: 4, signal });
 */
export async function runController(options: ControllerOptions): Promise<void> {
  const { hub, kind, workers = 1 } = options;
  const queue = new WorkQueue(options.backoff);
  // The loop's own signal, so that a failed watch ends the workers as well.
  const stop = new AbortController();
  const onAbort = (): void => stop.abort(options.signal.reason);
  if (options.signal.aborted) return;
  options.signal.addEventListener('abort', onAbort, { once: true });
  stop.signal.addEventListener('abort', () => queue.close(), { once: true });

  async function follow(): Promise<void> {
    try {
      for await (const { object } of hub.watch(kind, stop.signal)) queue.add(`${object.metadata.namespace ?? ''}/${object.metadata.name}`);
    } finally {
      stop.abort();
    }
  }

  async function work(): Promise<void> {
    for (let text = await queue.take(); text !== undefined; text = await queue.take()) {
      const slash = text.indexOf('/');
      const key = { namespace: text.slice(0, slash), name: text.slice(slash + 1) };
      try {
        const result = await options.reconcile(key, { signal: stop.signal });
        queue.forget(text);
        if (result?.requeueAfterMs !== undefined) queue.addAfter(text, result.requeueAfterMs);
      } catch (error) {
        if (stop.signal.aborted) return;
        const retryMs = queue.addFailed(text);
        options.onError?.(key, error, retryMs);
      } finally {
        queue.done(text);
      }
    }
  }

  try {
    const running = [follow(), ...Array.from({ length: workers }, work)];
    const ends = await Promise.allSettled(running);
    const failed = ends.find((end) => end.status === 'rejected');
    if (failed !== undefined && !options.signal.aborted) throw failed.reason;
  } finally {
    options.signal.removeEventListener('abort', onAbort);
  }
}
