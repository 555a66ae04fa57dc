/** Checks everything that can be checked without reading the application: so that a mistake costs seconds and changes nothing. */
import { TranshipError } from '../../errors.ts';
import { resources, type KubeClient } from '../../kube/index.ts';
import { namespaceMap } from '../mapping.ts';
import type { Migration, MigrationStatus } from '../../api/migration.ts';
import { probeLocation, type Location } from '../../location/index.ts';
import type { Run } from '../state.ts';

/** What the checks need: a running migration has it, and so has a plan that is not stored anywhere. */
export type Connection = Pick<Run, 'source' | 'target' | 'location' | 'signal'> & {
  status: Pick<MigrationStatus, 'source' | 'target'>;
  migration: Pick<Migration, 'spec'>;
};

export async function connect(run: Connection): Promise<string> {
  const { source, target, status, migration, signal } = run;
  if (status.source?.id === status.target?.id) {
    for (const [from, to] of namespaceMap(migration.spec)) {
      if (from === to) {
        throw new TranshipError(
          'InvalidInput',
          `Source and target are the same cluster, and namespace ${from} would be moved onto itself.`,
          {
            hint: `Name another cluster with --to, or another namespace with --map-namespace ${from}=NEW.`,
          },
        );
      }
    }
  }
  const known: string[] = [];
  for await (const namespace of source.list(resources.namespaces, { signal })) known.push(namespace.metadata.name);
  for (const wanted of migration.spec.namespaces) {
    if (known.includes(wanted)) continue;
    throw new TranshipError('NotFound', `Namespace "${wanted}" does not exist on ${source.name}.`, {
      hint: `Namespaces there: ${known.filter((name) => !name.startsWith('kube-')).join(', ')}.`,
    });
  }
  await demandRights(source, run, [
    ['patch', 'apps', 'deployments'],
    ['patch', 'apps', 'statefulsets'],
    ['create', 'snapshot.storage.k8s.io', 'volumesnapshots'],
    ['create', '', 'namespaces'],
    ['create', '', 'pods'],
  ]);
  await demandRights(target, run, [
    ['create', '', 'namespaces'],
    ['create', '', 'persistentvolumeclaims'],
    ['patch', '', 'persistentvolumes'],
    ['create', '', 'pods'],
    ['create', 'apps', 'deployments'],
  ]);
  return `${source.name} (${status.source?.version ?? ''}) and ${target.name} (${status.target?.version ?? ''}) answer, ${run.location.url} is writable`;
}

async function demandRights(client: KubeClient, run: Connection, rights: [verb: string, group: string, resource: string][]): Promise<void> {
  const missing = await Promise.all(
    rights.map(async ([verb, group, resource]) =>
      (await client.can(verb, { group, resource }, { signal: run.signal })) ? undefined : `${verb} ${resource}`,
    ),
  );
  const named = missing.filter((right) => right !== undefined);
  if (named.length > 0)
    throw new TranshipError('Forbidden', `Our credential on ${client.name} may not: ${named.join(', ')}.`, {
      hint: 'Grant these rights cluster-wide, or use another context.',
    });
}

/** @throws Forbidden when the store cannot be listed, read and written; what the probe itself throws names bucket, credentials or host */
export async function demandLocation(location: Location, signal: AbortSignal): Promise<void> {
  const { list, read, write, refused } = await probeLocation(location, signal);
  if (list && read && write) return;
  const missing = [refused.list, refused.write, refused.read].filter((error) => error !== undefined);
  // Reading is tried on what was written, so a store that takes nothing is not called unreadable.
  const not = !write ? 'writable' : !read ? 'readable' : 'listable';
  throw new TranshipError('Forbidden', `${location.url} is not ${not} with these credentials.`, {
    hint:
      [...new Set(missing.map((error) => error.hint ?? error.message))].join(' ') || 'They need the rights to list, read and write there.',
    cause: missing[0],
  });
}
