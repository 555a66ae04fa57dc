/** Opens what a run needs: both clusters, the location, the archive of this migration's lineage. Done at every start of a process. */
import { hubNamespace } from '../api/meta.ts';
import { createLineage, openArchive } from '../archive/index.ts';
import { TranshipError } from '../errors.ts';
import type { EngineOptions } from './engine.ts';
import { demandLocation } from './steps/connect.ts';
import { loadMigration, now, stepOf, writeStatus, type Run } from './state.ts';

const touchMs = 400;

/**
 * @throws what opening a cluster or location throws: each with its own sentence; nothing is changed on either cluster
 * @throws Conflict when the context leads to another cluster than the one this migration began with
 */
export async function openRun(options: EngineOptions, signal: AbortSignal): Promise<Run> {
  const { migration, status } = await loadMigration(options);
  const closers: (() => Promise<void>)[] = [];
  try {
    const source = await options.openCluster(migration.spec.source.cluster, signal);
    closers.push(() => source.close());
    const target = await options.openCluster(migration.spec.target.cluster, signal);
    closers.push(() => target.close());
    for (const [side, client] of [['source', source] as const, ['target', target] as const]) {
      const id = await client.clusterId({ signal });
      const known = status[side];
      if (known !== undefined && known.id !== id) {
        throw new TranshipError('Conflict', `Context "${client.name}" leads to another cluster than the one this migration began with.`, {
          hint: `Expected the cluster with id ${known.id}, found ${id}. Correct the kubeconfig, or begin a new migration with another --name.`,
        });
      }
      status[side] = { id, version: (await client.version({ signal })).gitVersion };
    }
    const { location, spec: locationSpec } = await options.openLocation(migration.spec.location, signal);
    closers.push(() => location.close());
    if (status.lineage === undefined) await demandLocation(location, signal);
    const { lineage, key } = await lineageOf(options, location);
    const first = status.lineage === undefined;
    status.lineage = lineage;
    if (first) options.onStatus?.(await writeStatus(options, status));
    const archive = await openArchive({ location, lineage, key });

    const warm: Run['warm'] = new Map();
    closers.push(async () => {
      for (const { session } of warm.values()) session.close();
      await Promise.resolve();
    });
    let timer: NodeJS.Timeout | undefined;
    /** One write after the other: an older status must never overtake a newer one. */
    let writing: Promise<unknown> = Promise.resolve();
    const save = (): Promise<void> => {
      clearTimeout(timer);
      timer = undefined;
      const before = writing;
      const next = (async () => {
        await before;
        options.onStatus?.(await writeStatus(options, status));
      })();
      writing = next.catch(() => undefined);
      return next;
    };
    closers.push(async () => {
      clearTimeout(timer);
      await writing;
    });
    return {
      options,
      migration,
      status,
      signal,
      source,
      target,
      location,
      locationSpec,
      archive,
      key,
      captured: undefined,
      plan: undefined,
      outcomes: new Map(),
      warm,
      save,
      touch() {
        timer ??= setTimeout(() => {
          timer = undefined;
          save().catch(() => undefined); // progress only; the next save of the step reports a hub that is gone
        }, touchMs);
      },
      log(level, message, more = {}) {
        const running = status.steps.find((step) => step.state === 'Running');
        const event = { time: now(), level, message, ...(running === undefined ? {} : { step: running.name }), ...more };
        options.journal.append(event);
        options.onEvent?.(event);
      },
      close: () => closeAll(closers),
    };
  } catch (error) {
    const step = stepOf(status, 'Connect');
    step.state = step.state === 'Done' ? 'Done' : 'Failed';
    await closeAll(closers);
    throw error;
  }
}

async function closeAll(closers: (() => Promise<void>)[]): Promise<void> {
  for (const close of closers.toReversed()) await close();
}

/** The lineage's data key is made once and kept in the hub, because without it the archive cannot be read by anybody. */
async function lineageOf(options: EngineOptions, location: Parameters<typeof createLineage>[0]): Promise<{ lineage: string; key: string }> {
  const name = `${options.name}-archive-key`;
  const known = await options.hub.get('Secret', hubNamespace, name);
  const data = known?.['stringData'] as { lineage: string; key: string } | undefined;
  if (data !== undefined) return data;
  const { lineage, key } = await createLineage(location);
  await options.hub.create({ apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace: hubNamespace }, stringData: { lineage, key } });
  return { lineage, key };
}
