/** The staging namespace: movers and claims live here, so that they never meet the tenant's quotas, policies and webhooks. */
import { TranshipError } from '../errors.ts';
import { resources, type KubeClient } from '../kube/index.ts';
import { createOrGet } from './create.ts';
import { ownLabels } from './marks.ts';
import { stagingNamespace } from './names.ts';

/**
 * Makes the namespace when it is missing. A namespace of that name that is not ours is refused.
 * @param migration name of the migration: the namespace is called after it
 * @param mark what the migration is called in the marks on its objects
 */
export async function ensureStaging(client: KubeClient, migration: string, signal: AbortSignal, mark = migration): Promise<string> {
  const name = stagingNamespace(migration);
  const there = await createOrGet(
    client,
    resources.namespaces,
    {
      apiVersion: 'v1',
      kind: 'Namespace',
      // The mover adds capabilities that "baseline" allows (CHOWN, DAC_OVERRIDE, FOWNER, FSETID, MKNOD, SETFCAP) and nothing beyond.
      metadata: { name, labels: { ...ownLabels(mark), 'pod-security.kubernetes.io/enforce': 'baseline' } },
    },
    signal,
  );
  if (there.metadata.deletionTimestamp === undefined) return name;
  throw new TranshipError('Conflict', `Namespace ${name} on ${client.name} is being deleted.`, { hint: 'Try again when it is gone.' });
}
