/** The pod that a mover runs in. It idles; every piece of work is one exec (see mover/protocol.ts), so no secret is stored in the cluster. */
import type { KubeObject } from '../api/object.ts';
import { TranshipError } from '../errors.ts';
import { version } from '../version.ts';
import { resources, type KubeClient } from '../kube/index.ts';
import { createOrGet } from './create.ts';
import { isOurs, ownLabels, ownSelector } from './marks.ts';
import { removeExactly, waitGone } from './remove.ts';
import { waitFor } from './wait.ts';

const componentLabel = 'app.kubernetes.io/component';
const moverComponent = 'mover';

export interface MoverPod {
  namespace: string;
  name: string;
  mode: 'Filesystem' | 'Block';
  /** Directory or device inside the pod. */
  path: string;
}

export interface MoverPodRequest {
  migration: string;
  namespace: string;
  name: string;
  claim: string;
  mode: 'Filesystem' | 'Block';
  readOnly: boolean;
  image: string | undefined;
  /** Pins the pod: a live read of a ReadWriteOnce volume works only where the application's pod runs. */
  node?: string | undefined;
  timeoutMs: number;
  signal: AbortSignal;
}

/** The mover of this version. Its tag is the version of the package: controller and mover always belong together. */
export function defaultMoverImage(): string {
  return `docker.io/tranship/tranship:${version}`;
}

/** Creates the pod, or goes on with the one that is there, and waits until it runs. A dead pod of an earlier run is replaced. */
export async function startMover(client: KubeClient, want: MoverPodRequest): Promise<MoverPod> {
  const { namespace, name, signal } = want;
  const there = await client.get(resources.pods, name, namespace, { signal });
  if (there !== undefined && (isOver(there) || there.metadata.deletionTimestamp !== undefined))
    await removeMover(client, namespace, name, signal, want.migration);
  await createOrGet(client, resources.pods, podManifest(want), signal);
  await waitFor(
    async () => {
      const pod = await client.get(resources.pods, name, namespace, { signal });
      if (pod === undefined)
        throw new TranshipError('NotFound', `Mover pod ${namespace}/${name} on ${client.name} was removed while it started.`);
      const problem = hopeless(pod);
      if (problem !== undefined)
        throw new TranshipError('Unsupported', `Mover pod ${namespace}/${name} on ${client.name} cannot start: ${problem}.`, {
          hint: 'Is the image there? --mover-image names another one.',
        });
      return isReady(pod) ? pod : undefined;
    },
    {
      what: `Mover pod ${namespace}/${name} on ${client.name} did not start`,
      timeoutMs: want.timeoutMs,
      signal,
      diagnose: () => diagnosePod(client, namespace, name, signal),
    },
  );
  return { namespace, name, mode: want.mode, path: want.mode === 'Block' ? '/dev/tranship-volume' : '/volume' };
}

/**
 * Ends the pod and waits until it is gone: only then may its volume be used by others.
 * @param migration when given, a pod of that name that is not this migration's is left alone and not waited for
 */
export async function removeMover(
  client: KubeClient,
  namespace: string,
  name: string,
  signal: AbortSignal,
  migration?: string,
): Promise<void> {
  const pod = await client.get(resources.pods, name, namespace, { signal });
  if (pod === undefined || (migration !== undefined && !isOurs(pod, migration))) return;
  await endPods(client, [pod], signal);
}

/** Ends all movers of a migration in a namespace, whatever their names, and waits until they are gone. */
export async function removeMovers(client: KubeClient, namespace: string, migration: string, signal: AbortSignal): Promise<void> {
  const labelSelector = `${ownSelector(migration)},${componentLabel}=${moverComponent}`;
  const pods: KubeObject[] = [];
  for await (const pod of client.list(resources.pods, { namespace, labelSelector, signal })) pods.push(pod);
  await endPods(client, pods, signal);
}

async function endPods(client: KubeClient, pods: readonly KubeObject[], signal: AbortSignal): Promise<void> {
  for (const pod of pods) await removeExactly(client, resources.pods, pod, { signal, gracePeriodSeconds: 1 });
  for (const pod of pods) {
    const what = `Mover pod ${pod.metadata.namespace ?? ''}/${pod.metadata.name} on ${client.name} did not end`;
    await waitGone(client, resources.pods, pod, { what, timeoutMs: 120_000, signal, intervalMs: 100 });
  }
}

function podManifest(want: MoverPodRequest): KubeObject {
  const volume = { name: 'volume', persistentVolumeClaim: { claimName: want.claim, readOnly: want.readOnly } };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: want.name,
      namespace: want.namespace,
      // A mesh's proxy would keep the pod alive and stand between the mover and the store.
      labels: { ...ownLabels(want.migration), [componentLabel]: moverComponent, 'sidecar.istio.io/inject': 'false' },
      annotations: { 'linkerd.io/inject': 'disabled' },
    },
    spec: {
      restartPolicy: 'Never',
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      terminationGracePeriodSeconds: 1,
      activeDeadlineSeconds: 7 * 24 * 3600, // if nobody comes back to clean up
      ...(want.node === undefined ? {} : { nodeName: want.node }),
      securityContext: { runAsUser: 0, runAsGroup: 0, seccompProfile: { type: 'RuntimeDefault' } },
      containers: [
        {
          name: 'mover',
          image: want.image ?? defaultMoverImage(),
          imagePullPolicy: 'IfNotPresent',
          command: ['node', '/app/mover.mjs', 'idle'],
          securityContext: {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            // Owners, modes, set-id bits, device nodes and file capabilities of other users' files: the least that keeps them all.
            capabilities: { drop: ['ALL'], add: ['CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'FSETID', 'MKNOD', 'SETFCAP'] },
          },
          resources: { requests: { cpu: '20m', memory: '96Mi' }, limits: { memory: '768Mi' } },
          ...(want.mode === 'Block'
            ? {
                volumeDevices: [{ name: 'volume', devicePath: '/dev/tranship-volume' }],
                volumeMounts: [{ name: 'tmp', mountPath: '/tmp' }],
              }
            : {
                volumeMounts: [
                  { name: 'volume', mountPath: '/volume', readOnly: want.readOnly },
                  { name: 'tmp', mountPath: '/tmp' },
                ],
              }),
        },
      ],
      volumes: [volume, { name: 'tmp', emptyDir: {} }],
    },
  };
}

interface PodStatus {
  phase?: string;
  conditions?: { type: string; status: string; message?: string }[];
  containerStatuses?: { ready: boolean; state?: { waiting?: { reason?: string; message?: string } } }[];
}

function statusOf(pod: KubeObject): PodStatus {
  return pod['status'] ?? {};
}

function isOver(pod: KubeObject): boolean {
  const phase = statusOf(pod).phase;
  return phase === 'Failed' || phase === 'Succeeded';
}

function isReady(pod: KubeObject): boolean {
  return pod.metadata.deletionTimestamp === undefined && statusOf(pod).containerStatuses?.[0]?.ready === true;
}

/** States that more waiting does not mend. */
function hopeless(pod: KubeObject): string | undefined {
  if (isOver(pod)) return 'it ended at once';
  const waiting = statusOf(pod).containerStatuses?.[0]?.state?.waiting;
  const fatal = [
    'ErrImageNeverPull',
    'InvalidImageName',
    'ImagePullBackOff',
    'CreateContainerConfigError',
    'RunContainerError',
    'CreateContainerError',
  ];
  return waiting?.reason !== undefined && fatal.includes(waiting.reason) ? `${waiting.reason}: ${waiting.message ?? ''}`.trim() : undefined;
}

/** Container state, conditions and the latest events, in one line. */
async function diagnosePod(client: KubeClient, namespace: string, name: string, signal: AbortSignal): Promise<string> {
  const pod = await client.get(resources.pods, name, namespace, { signal });
  const facts: string[] = [];
  if (pod !== undefined) {
    const status = statusOf(pod);
    const waiting = status.containerStatuses?.[0]?.state?.waiting;
    if (waiting !== undefined) facts.push(`${waiting.reason ?? 'waiting'} ${waiting.message ?? ''}`.trim());
    for (const condition of status.conditions ?? [])
      if (condition.status === 'False' && condition.message !== undefined) facts.push(condition.message);
  }
  const events: string[] = [];
  for await (const event of client.list(resources.events, { namespace, fieldSelector: `involvedObject.name=${name}`, signal })) {
    if (event['type'] === 'Warning') events.push(String(event['message']));
  }
  return [...new Set([...facts, ...events.slice(-2)])].join('; ');
}
