/** One holder at a time for a named thing, over any hub. Fields as in coordination.k8s.io/v1 Lease. */
import type { KubeObject } from '../api/object.ts';
import { TranshipError, codeOf } from '../errors.ts';
import { isDeadHolder, thisHolder } from './holder.ts';
import type { Hub } from './hub.ts';

export interface LeaseOptions {
  namespace: string;
  name: string;
  /** Default: this process, in the form that lets others see that it died. */
  holder?: string;
  /** A lease that was not renewed for so long belongs to nobody. Renewed at a third of it. */
  ttlMs: number;
  signal: AbortSignal;
  /** Told once, with its holder, when the lease is not free. */
  onWait?(holder: string): void;
}

export interface Lease {
  readonly holder: string;
  /** Aborts when somebody else holds the lease, or may from now on because it could not be renewed. Stop all work then. */
  readonly lost: AbortSignal;
  /** Gives the lease back; twice is fine. */
  release(): Promise<void>;
}

/**
 * Waits for the lease and keeps it renewed until `release`.
 *
 * A dead holder on this machine is noticed at once; any other is waited out for its whole time, measured by our own clock from when we
 * first saw its last renewal (clocks of machines differ).
 *
 * @throws Canceled when the signal aborts while waiting
 */
export async function acquireLease(hub: Hub, options: LeaseOptions): Promise<Lease> {
  const { signal, ttlMs } = options;
  const holder = options.holder ?? thisHolder();
  let observed = { version: '', at: 0 };
  let told = false;
  for (;;) {
    if (signal.aborted) throw canceled(signal);
    const current = await hub.get('Lease', options.namespace, options.name);
    const version = current?.metadata.resourceVersion ?? '';
    if (observed.version !== version) observed = { version, at: performance.now() };
    const spec = specOf(current);
    const expired = performance.now() - observed.at >= (spec.durationMs ?? ttlMs);
    if (spec.holder === '' || expired || isDeadHolder(spec.holder)) {
      const taken = await tryWrite(hub, current, options, holder);
      if (taken !== undefined) return hold(hub, taken, options, holder);
      continue; // somebody was faster: look again
    }
    if (!told) options.onWait?.(spec.holder);
    told = true;
    // A killed holder writes nothing, so there is no event to wait for.
    await sleep(Math.min(500, ttlMs / 4), signal);
  }
}

function hold(hub: Hub, taken: KubeObject, options: LeaseOptions, holder: string): Lease {
  const lost = new AbortController();
  let current = taken;
  let renewedAt = performance.now();
  let released = false;
  let busy: Promise<void> | undefined;

  async function renew(): Promise<void> {
    try {
      const next = await hub.update(leaseObject(current, options, holder));
      current = next;
      renewedAt = performance.now();
    } catch (error) {
      const code = codeOf(error);
      const late = performance.now() - renewedAt > (options.ttlMs * 2) / 3;
      // A hub that is busy for a moment is no loss; a lease that changed hands is.
      if (code === 'Conflict' ? await isOthers() : code === 'NotFound' || late) give(error);
    }
  }

  /** Conflict is also what a busy hub file answers. */
  async function isOthers(): Promise<boolean> {
    try {
      const now = await hub.get('Lease', options.namespace, options.name);
      if (now === undefined || specOf(now).holder !== holder) return true;
      current = now;
      return false;
    } catch {
      return performance.now() - renewedAt > (options.ttlMs * 2) / 3;
    }
  }

  function give(cause: unknown): void {
    clearInterval(timer);
    if (!released) lost.abort(new TranshipError('Conflict', `The lease ${options.name} was lost to another process.`, { cause }));
  }

  // Not a reason for the process to live: the work under the lease is.
  const timer = setInterval(() => {
    busy ??= renew().finally(() => (busy = undefined));
  }, options.ttlMs / 3).unref();

  return {
    holder,
    lost: lost.signal,
    async release() {
      if (released) return;
      released = true;
      clearInterval(timer);
      await busy;
      if (lost.signal.aborted) return;
      try {
        await hub.update(leaseObject(current, options, ''));
      } catch (error) {
        // Not ours any more, or the hub is gone: it expires by itself.
        if (!['Conflict', 'NotFound', 'Canceled'].includes(codeOf(error))) throw error;
      }
    },
  };
}

/** Writes us as the holder on top of exactly what was read; undefined when that has changed. */
async function tryWrite(hub: Hub, current: KubeObject | undefined, options: LeaseOptions, holder: string): Promise<KubeObject | undefined> {
  const object = leaseObject(current, options, holder);
  try {
    return await (current === undefined ? hub.create(object) : hub.update(object));
  } catch (error) {
    const code = codeOf(error);
    if (code === 'Conflict' || code === 'NotFound') return undefined;
    throw error;
  }
}

function leaseObject(current: KubeObject | undefined, options: LeaseOptions, holder: string): KubeObject {
  const now = new Date().toISOString().replace('Z', '000Z'); // MicroTime
  const before = specOf(current);
  const changed = before.holder !== holder;
  const spec = {
    holderIdentity: holder,
    leaseDurationSeconds: Math.max(1, Math.ceil(options.ttlMs / 1000)),
    acquireTime: changed ? now : before.acquireTime,
    renewTime: now,
    leaseTransitions: before.transitions + (changed && holder !== '' ? 1 : 0),
  };
  const metadata = current?.metadata ?? { namespace: options.namespace, name: options.name };
  return { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec };
}

function specOf(lease: KubeObject | undefined) {
  const spec = (lease?.['spec'] ?? {}) as {
    holderIdentity?: string;
    leaseDurationSeconds?: number;
    acquireTime?: string;
    leaseTransitions?: number;
  }; // JSON border
  return {
    holder: spec.holderIdentity ?? '',
    durationMs: spec.leaseDurationSeconds === undefined ? undefined : spec.leaseDurationSeconds * 1000,
    acquireTime: spec.acquireTime,
    transitions: spec.leaseTransitions ?? 0,
  };
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end, { once: true });
  });
}

function canceled(signal: AbortSignal): TranshipError {
  return new TranshipError('Canceled', 'Stopped while waiting for a lease.', { cause: signal.reason });
}
