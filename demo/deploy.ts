/** Puts the sample application on a cluster, waits for it, and takes it away again. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseAllDocuments } from 'yaml';
import { refOf, refText, type KubeObject, type ResourceType } from '../src/api/object.ts';
import { TranshipError } from '../src/errors.ts';
import { resources } from '../src/kube/index.ts';
import type { KubeClient } from '../src/kube/kube.ts';

/** All objects of `demo/app`, in the order of the files. */
export function readManifests(directory: string = join(import.meta.dirname, 'app')): KubeObject[] {
  const objects: KubeObject[] = [];
  for (const file of readdirSync(directory).toSorted()) {
    for (const document of parseAllDocuments(readFileSync(join(directory, file), 'utf8'), { merge: true })) {
      objects.push(document.toJS() as KubeObject);
    }
  }
  return objects;
}

/** The resource that serves an object. @throws Unsupported when the cluster does not serve its kind. */
export async function resourceOf(kube: KubeClient, object: KubeObject, signal: AbortSignal): Promise<ResourceType> {
  const { group, kind } = refOf(object);
  const version = object.apiVersion.split('/').at(-1) ?? '';
  for (const refresh of [false, true]) {
    const served = await kube.discover({ signal, refresh });
    const found = served.resources.find(
      (one) => one.group === group && one.kind === kind && one.versions.includes(version) && !one.resource.includes('/'),
    );
    if (found !== undefined) return { ...found, version };
  }
  throw new TranshipError('Unsupported', `The cluster ${kube.name} does not serve ${kind} ${object.apiVersion}.`);
}

/** Applies the objects one after the other, as `kubectl apply -f demo/app` would. Waits until a new kind is served. */
export async function deploy(kube: KubeClient, objects: KubeObject[], signal: AbortSignal): Promise<void> {
  for (const object of objects) {
    const resource = await waitFor(signal, 30_000, `kind ${object.kind} to be served`, () =>
      resourceOf(kube, object, signal).catch(() => undefined),
    );
    await waitFor(signal, 30_000, `${refText(refOf(object))} to be accepted`, () =>
      kube.apply(resource, object, { fieldManager: 'kubectl', signal }).catch((error: unknown) => {
        // A kind is in discovery a moment before its objects are accepted.
        if (error instanceof TranshipError && error.code === 'NotFound') return undefined;
        throw error;
      }),
    );
  }
}

/**
 * Waits until every workload of the namespace is ready; `onProgress` gets what is still missing.
 * @throws TimedOut with the last words of the containers that are not ready
 */
export async function waitReady(
  kube: KubeClient,
  objects: KubeObject[],
  signal: AbortSignal,
  onProgress: (missing: string) => void,
): Promise<void> {
  const workloads = objects.filter((object) => ['Deployment', 'StatefulSet', 'Job'].includes(object.kind));
  let missing: string[] = [];
  const look = async (): Promise<true | undefined> => {
    missing = [];
    for (const object of workloads) {
      const now = await kube.get(await resourceOf(kube, object, signal), object.metadata.name, object.metadata.namespace, { signal });
      if (now === undefined || !isReady(now)) missing.push(object.metadata.name);
    }
    onProgress(missing.join(', '));
    return missing.length === 0 ? true : undefined;
  };
  await waitFor(signal, 180_000, 'the application to be ready', look).catch(async (error: unknown) => {
    if (!(error instanceof TranshipError)) throw error;
    const words = await lastWords(kube, workloads[0]?.metadata.namespace ?? '', signal);
    throw new TranshipError('TimedOut', error.message, { hint: `Not ready: ${missing.join(', ')}.${words}`, cause: error });
  });
}

interface ContainerState {
  name: string;
  ready: boolean;
  state?: { waiting?: { reason?: string }; terminated?: { exitCode?: number } };
}

/** Per container that is not ready: why it waits, and its last two lines. */
async function lastWords(kube: KubeClient, namespace: string, signal: AbortSignal): Promise<string> {
  let words = '';
  for await (const pod of kube.list(resources.pods, { namespace, signal })) {
    const status = (pod['status'] ?? {}) as { initContainerStatuses?: ContainerState[]; containerStatuses?: ContainerState[] };
    for (const container of [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])]) {
      if (container.ready || container.state?.terminated?.exitCode === 0) continue;
      const log = await kube
        .logs({ namespace, pod: pod.metadata.name, container: container.name, tailLines: 2 }, { signal })
        .catch(() => '');
      words += `\n  ${pod.metadata.name}/${container.name}: ${container.state?.waiting?.reason ?? 'runs'}: ${log.trim().replaceAll('\n', ' | ')}`;
    }
  }
  return words;
}

function isReady(object: KubeObject): boolean {
  const status = (object['status'] ?? {}) as {
    readyReplicas?: number;
    updatedReplicas?: number;
    succeeded?: number;
    observedGeneration?: number;
  };
  if (object.kind === 'Job') return (status.succeeded ?? 0) > 0;
  const wanted = (object['spec'] as { replicas?: number }).replicas ?? 1;
  return status.observedGeneration === object.metadata.generation && status.readyReplicas === wanted && status.updatedReplicas === wanted;
}

/** Deletes the namespaces and the cluster-scoped objects of the application, and waits until they are gone. Missing ones are fine. */
export async function remove(kube: KubeClient, objects: KubeObject[], namespaces: string[], signal: AbortSignal): Promise<void> {
  await Promise.all(namespaces.map((namespace) => removeWorkloads(kube, objects, namespace, signal)));
  const outside = objects.filter((object) => object.metadata.namespace === undefined && object.kind !== 'Namespace');
  const spaces: KubeObject[] = namespaces.map((name) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } }));
  const doomed = await Promise.all(
    [...spaces, ...outside].map(async (object) => ({ object, resource: await resourceOf(kube, object, signal) })),
  );
  await Promise.all(doomed.map(({ object, resource }) => kube.delete(resource, object.metadata.name, undefined, { signal })));
  await waitFor(signal, 180_000, `the last run to be removed from ${kube.name}`, async () => {
    const left = await Promise.all(doomed.map(({ object, resource }) => kube.get(resource, object.metadata.name, undefined, { signal })));
    return left.every((one) => one === undefined) ? true : undefined;
  });
}

/** Pods and claims first: the controller of namespaces comes back late when it finds any that are still in use. */
async function removeWorkloads(kube: KubeClient, objects: KubeObject[], namespace: string, signal: AbortSignal): Promise<void> {
  for (const object of objects.filter((one) => ['Deployment', 'StatefulSet', 'Job'].includes(one.kind))) {
    await kube.delete(await resourceOf(kube, object, signal), object.metadata.name, namespace, { signal, propagation: 'Background' });
  }
  await waitFor(signal, 60_000, `the pods of ${namespace} on ${kube.name} to end`, async () => {
    for await (const _ of kube.list(resources.pods, { namespace, signal })) return undefined;
    return true;
  });
  for await (const claim of kube.list(resources.persistentVolumeClaims, { namespace, signal })) {
    await kube.delete(resources.persistentVolumeClaims, claim.metadata.name, namespace, { signal });
  }
}

/** Asks every 200 ms until there is an answer. @throws TimedOut naming what was waited for */
export async function waitFor<T>(signal: AbortSignal, timeoutMs: number, what: string, ask: () => Promise<T | undefined>): Promise<T> {
  const end = Date.now() + timeoutMs;
  for (;;) {
    signal.throwIfAborted();
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (Date.now() > end) throw new TranshipError('TimedOut', `Waited ${timeoutMs / 1000} s for ${what}.`);
    await pause(200, undefined, { signal });
  }
}
