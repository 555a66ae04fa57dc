/** The objects of the bench: the same kinds and numbers as the research measured Velero with. */
import type { KubeObject } from '../../src/api/object.ts';
import { resources, type KubeClient, type Resource } from '../../src/kube/index.ts';

export interface Item {
  resource: Resource;
  object: KubeObject;
}

/** In flight at once: beyond this only the latency grows on two cores. */
const parallel = 32;
const content = 'x'.repeat(500);

function configMap(namespace: string, name: string): Item {
  return {
    resource: resources.configMaps,
    object: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace }, data: { content } },
  };
}

function secret(namespace: string, name: string): Item {
  const object = { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace }, type: 'Opaque', stringData: { content } };
  return { resource: resources.secrets, object };
}

/** Half ConfigMaps, half Secrets, or Secrets alone, in one namespace. */
export function plain(namespace: string, count: number, kind: 'both' | 'secrets' = 'both'): Item[] {
  return Array.from({ length: count }, (_, index) =>
    kind === 'secrets' || index % 2 === 1 ? secret(namespace, `item-${index}`) : configMap(namespace, `item-${index}`),
  );
}

/** 200 objects of a realistic namespace; the Deployments run nothing. */
export function mixed(namespace: string): Item[] {
  const of = (count: number, name: string, make: (name: string) => Item): Item[] =>
    Array.from({ length: count }, (_, index) => make(`${name}-${index}`));
  const item = (resource: Resource, apiVersion: string, name: string, more: Record<string, unknown>): Item => ({
    resource,
    object: { apiVersion, kind: resource.kind, metadata: { name, namespace }, ...more },
  });
  const rbac = 'rbac.authorization.k8s.io';
  return [
    ...of(50, 'config', (name) => configMap(namespace, name)),
    ...of(40, 'secret', (name) => secret(namespace, name)),
    ...of(10, 'account', (name) => item(resources.serviceAccounts, 'v1', name, {})),
    ...of(10, 'role', (name) =>
      item(resources.roles, `${rbac}/v1`, name, { rules: [{ apiGroups: [''], resources: ['configmaps'], verbs: ['get'] }] }),
    ),
    ...of(10, 'binding', (name) =>
      item(resources.roleBindings, `${rbac}/v1`, name, {
        roleRef: { apiGroup: rbac, kind: 'Role', name: name.replace('binding', 'role') },
        subjects: [{ kind: 'ServiceAccount', name: name.replace('binding', 'account'), namespace }],
      }),
    ),
    ...of(40, 'app', (name) =>
      item(resources.services, 'v1', name, { spec: { selector: { app: name }, ports: [{ port: 80, targetPort: 8080 }] } }),
    ),
    ...of(40, 'app', (name) =>
      item(resources.deployments, 'apps/v1', name, {
        spec: {
          replicas: 0,
          selector: { matchLabels: { app: name } },
          template: {
            metadata: { labels: { app: name } },
            spec: { containers: [{ name: 'main', image: 'example.invalid/app:1', envFrom: [{ configMapRef: { name: 'config-0' } }] }] },
          },
        },
      }),
    ),
  ];
}

/** The least that any tool must do: one create per object, nothing else. The namespaces come first. */
export async function createAll(
  client: KubeClient,
  namespaces: readonly string[],
  items: readonly Item[],
  signal: AbortSignal,
): Promise<void> {
  await each(namespaces, async (name) => {
    await client.create(resources.namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } }, { signal });
  });
  await each(items, async ({ resource, object }) => {
    await client.create(resource, object, { signal });
  });
}

/** Deletes namespaces and waits until they are gone: the next step must not share the server with the clean-up. */
export async function deleteAll(client: KubeClient, names: readonly string[], signal: AbortSignal): Promise<void> {
  await each(names, async (name) => {
    await client.delete(resources.namespaces, name, undefined, { signal });
  });
  for (const name of names)
    while ((await client.get(resources.namespaces, name, undefined, { signal })) !== undefined)
      await new Promise((resume) => setTimeout(resume, 200));
}

async function each<T>(items: readonly T[], run: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values();
  const worker = async (): Promise<void> => {
    for (const item of queue) await run(item);
  };
  await Promise.all(Array.from({ length: parallel }, worker));
}
