/** Reads what can be read from outside: the objects of a namespace, and what the web front answers. */
import { refOf, refText, type KubeObject } from '../src/api/object.ts';
import { resources as kinds } from '../src/kube/index.ts';
import type { KubeClient } from '../src/kube/kube.ts';
import { resourceOf, waitFor } from './deploy.ts';
import type { WebFacts } from './facts.ts';

/** Everything in the namespace but events, and those of the application's objects that live outside of it. */
export async function readObjects(
  kube: KubeClient,
  namespace: string,
  manifests: KubeObject[],
  signal: AbortSignal,
): Promise<KubeObject[]> {
  const found = new Map<string, KubeObject>();
  const { resources } = await kube.discover({ signal, refresh: true });
  for (const resource of resources) {
    if (!resource.namespaced || !resource.verbs.includes('list') || resource.resource === 'events') continue;
    for await (const object of kube.list(resource, { namespace, signal })) found.set(refText(refOf(object)), object);
  }
  for (const object of manifests.filter((one) => one.metadata.namespace === undefined)) {
    const name = object.kind === 'Namespace' ? namespace : object.metadata.name;
    const now = await resourceOf(kube, object, signal).then((resource) => kube.get(resource, name, undefined, { signal }));
    if (now !== undefined) found.set(refText(refOf(now)), now);
  }
  return [...found.values()];
}

/** URL of the web front: address of the first node, automatic port of its Service. undefined as long as there is none. */
export async function webUrl(kube: KubeClient, namespace: string, signal: AbortSignal): Promise<string | undefined> {
  const service = await kube.get(kinds.services, 'web', namespace, { signal });
  const port = (service?.['spec'] as { ports?: { nodePort?: number }[] } | undefined)?.ports?.[0]?.nodePort;
  if (port === undefined) return undefined;
  for await (const node of kube.list(kinds.nodes, { signal })) {
    const { addresses = [] } = (node['status'] ?? {}) as { addresses?: { type: string; address: string }[] };
    const address = addresses.find((one) => one.type === 'InternalIP')?.address;
    if (address !== undefined) return `http://${address}:${port}`;
  }
  return undefined;
}

/** Asks the web front as a user would. Waits up to 20 s for the first answer; what is not answered stays undefined. */
export async function readWeb(url: string, signal: AbortSignal): Promise<WebFacts> {
  const health = await waitFor(signal, 20_000, `an answer of ${url}`, () => ask(url, '/health', signal)).catch(() => undefined);
  const [checksum, settings, nodeList, uploads] = await Promise.all(
    ['/checksum', '/settings', '/nodes', '/uploads'].map((path) => ask(url, path, signal)),
  );
  return {
    url,
    health: (health as { ok?: boolean } | undefined)?.ok === true,
    checksum: checksum as WebFacts['checksum'],
    settings: settings as WebFacts['settings'],
    nodes: (nodeList as { nodes?: string[] } | undefined)?.nodes?.length ?? 0,
    uploads: Array.isArray(uploads) ? uploads.length : 0,
  };
}

async function ask(url: string, path: string, signal: AbortSignal): Promise<unknown> {
  try {
    const response = await fetch(`${url}${path}`, { signal: AbortSignal.any([signal, AbortSignal.timeout(5000)]) });
    return response.ok ? await response.json() : undefined;
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}

/** Number in the last `ack N` line of the pods of an application's part; 0 when it has said nothing yet. */
export async function lastAck(kube: KubeClient, namespace: string, app: string, signal: AbortSignal): Promise<number> {
  let last = 0;
  for await (const pod of kube.list(kinds.pods, { namespace, labelSelector: `app=${app}`, signal })) {
    const log = await kube.logs({ namespace, pod: pod.metadata.name, container: app, tailLines: 5 }, { signal }).catch(() => '');
    for (const match of log.matchAll(/^ack (\d+)$/gm)) last = Math.max(last, Number(match[1]));
  }
  return last;
}
