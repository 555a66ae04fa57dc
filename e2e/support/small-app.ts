/**
 * A small application with state: a writer that appends numbered lines to a file, a raw block volume with a pattern, and a ConfigMap.
 * Ready within seconds, so that scenarios can move it many times.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { text } from 'node:stream/consumers';
import type { KubeObject } from '../../src/api/object.ts';
import { resources, type KubeClient } from '../../src/kube/index.ts';

const image = 'localhost/busybox:1';

/** Every line is written with one system call and synced, then acknowledged on standard output. */
const writer = [
  'n=$(tail -n 1 /data/lines 2>/dev/null | cut -d" " -f1); n=${n:-0}',
  'if [ ! -e /data/marker ]; then head -c 3000000 /dev/urandom > /data/marker; ln -s marker /data/link; fi',
  'if [ "$(dd if=/dev/block bs=4 count=1 2>/dev/null)" != "MARK" ]; then printf MARK | dd of=/dev/block conv=notrunc 2>/dev/null; fi',
  'while true; do n=$((n+1)); echo "$n $(date +%s)" >> /data/lines; sync /data/lines 2>/dev/null || sync; echo "$n"; sleep 0.2; done',
].join('; ');

export interface AppOptions {
  storageClass?: string;
  /** Access mode of the file volume. */
  accessMode?: 'ReadWriteOnce' | 'ReadWriteOncePod';
  /** Runs as user 1000 in a namespace of Pod Security level "restricted", without the block volume: devices belong to root. */
  restricted?: boolean;
}

const strict = {
  pod: { runAsNonRoot: true, runAsUser: 1000, runAsGroup: 1000, fsGroup: 1000, seccompProfile: { type: 'RuntimeDefault' } },
  container: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
};

export function smallApp(namespace: string, options: AppOptions = {}): KubeObject[] {
  const { storageClass = 'fast', accessMode = 'ReadWriteOnce', restricted = false } = options;
  const labels = { app: 'counter' };
  const level = restricted ? { labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } } : {};
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, ...level } },
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'settings', namespace }, data: { self: `counter.${namespace}.svc` } },
    claim(namespace, 'data', 'Filesystem', storageClass, '64Mi', accessMode),
    ...(restricted ? [] : [claim(namespace, 'raw', 'Block', storageClass, '16Mi')]),
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'counter', namespace },
      spec: {
        replicas: 1,
        strategy: { type: 'Recreate' },
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: {
            terminationGracePeriodSeconds: 1,
            ...(restricted ? { securityContext: strict.pod } : {}),
            containers: [
              {
                name: 'writer',
                image,
                command: ['/bin/sh', '-c', writer],
                volumeMounts: [{ name: 'data', mountPath: '/data' }],
                ...(restricted ? { securityContext: strict.container } : { volumeDevices: [{ name: 'raw', devicePath: '/dev/block' }] }),
              },
            ],
            volumes: [
              { name: 'data', persistentVolumeClaim: { claimName: 'data' } },
              ...(restricted ? [] : [{ name: 'raw', persistentVolumeClaim: { claimName: 'raw' } }]),
            ],
          },
        },
      },
    },
  ];
}

function claim(
  namespace: string,
  name: string,
  volumeMode: string,
  storageClassName: string,
  storage: string,
  accessMode = 'ReadWriteOnce',
): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name, namespace },
    spec: { accessModes: [accessMode], volumeMode, storageClassName, resources: { requests: { storage } } },
  };
}

const byKind = {
  Namespace: resources.namespaces,
  ConfigMap: resources.configMaps,
  PersistentVolumeClaim: resources.persistentVolumeClaims,
  Deployment: resources.deployments,
} as const;

export async function deploy(client: KubeClient, objects: readonly KubeObject[]): Promise<void> {
  for (const object of objects) {
    const resource = byKind[object.kind as keyof typeof byKind];
    await client.create(resource, object);
  }
}

/** The pod of the application that runs, or undefined. */
export async function runningPod(client: KubeClient, namespace: string): Promise<string | undefined> {
  for await (const pod of client.list(resources.pods, { namespace, labelSelector: 'app=counter' })) {
    const status = pod['status'] as { containerStatuses?: { ready: boolean }[] };
    if (pod.metadata.deletionTimestamp === undefined && status.containerStatuses?.[0]?.ready === true) return pod.metadata.name;
  }
  return undefined;
}

export async function waitRunning(client: KubeClient, namespace: string, signal: AbortSignal): Promise<string> {
  for (;;) {
    const pod = await runningPod(client, namespace);
    if (pod !== undefined) return pod;
    await delay(200, undefined, { signal });
  }
}

export async function shell(client: KubeClient, namespace: string, pod: string, script: string): Promise<string> {
  const session = await client.exec({ namespace, pod, command: ['/bin/sh', '-c', script] });
  const [out, err, end] = await Promise.all([text(session.stdout), text(session.stderr), session.exit]);
  if (end.code !== 0) throw new Error(`exit code ${end.code} in ${namespace}/${pod}: ${err}`);
  return out;
}

export interface AppState {
  /** Numbers of the lines, in the order of the file. */
  lines: number[];
  markerHash: string;
  link: string;
  block: string;
}

export async function stateOf(client: KubeClient, namespace: string, pod: string): Promise<AppState> {
  const out = await shell(
    client,
    namespace,
    pod,
    'cut -d" " -f1 /data/lines | tr "\\n" ","; echo; sha256sum < /data/marker; readlink /data/link; [ ! -b /dev/block ] || sha256sum < /dev/block',
  );
  const [lines = '', markerHash = '', link = '', block = ''] = out.split('\n');
  return {
    lines: lines
      .split(',')
      .filter((part) => part !== '')
      .map(Number),
    markerHash,
    link,
    block,
  };
}

export async function removeNamespace(client: KubeClient, namespace: string): Promise<void> {
  await client.delete(resources.namespaces, namespace, undefined, {});
  while ((await client.get(resources.namespaces, namespace)) !== undefined) await delay(200);
}

/** What of ours is left on a cluster, by label: must be nothing after a migration ended. */
export async function leftovers(client: KubeClient, migration: string): Promise<string[]> {
  const found: string[] = [];
  const labelSelector = 'app.kubernetes.io/managed-by=tranship';
  const { namespaces, pods, persistentVolumeClaims, volumeSnapshots, volumeSnapshotContents, networkPolicies } = resources;
  const group = (await client.discover()).resources.find(({ kind }) => kind === 'VolumeGroupSnapshot');
  const kinds = [
    namespaces,
    pods,
    persistentVolumeClaims,
    volumeSnapshots,
    volumeSnapshotContents,
    networkPolicies,
    ...(group ? [group] : []),
  ];
  for (const resource of kinds) {
    for await (const object of client.list(resource, { labelSelector })) {
      // The mark is the name and a part of the uid.
      if (object.metadata.labels?.['tranship.io/migration']?.startsWith(`${migration}.`) !== true) continue;
      found.push(`${resource.kind} ${object.metadata.namespace ?? ''}/${object.metadata.name}`);
    }
  }
  return found;
}

/** spec.replicas of the application's Deployment. */
export async function replicasOf(client: KubeClient, namespace: string): Promise<number | undefined> {
  const deployment = await client.get(resources.deployments, 'counter', namespace);
  const spec = deployment?.['spec'] as { replicas?: number } | undefined;
  return spec?.replicas;
}
