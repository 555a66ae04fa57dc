/** A mover on the application's own claim, beside the pod that has it: on the same node, because a ReadWriteOnce volume is nowhere else. */
import { fieldAt, listOf, recordOf, textOf } from '../api/fields.ts';
import { managedBy, managedByLabel } from '../api/meta.ts';
import type { KubeObject } from '../api/object.ts';
import type { PlannedVolume } from '../api/plan.ts';
import { sentenceOf } from '../errors.ts';
import { resources } from '../kube/index.ts';
import { startMover, type MoverPod, type MoverUser } from '../volumes/index.ts';
import { moverRequest } from './mover-request.ts';
import { nameOf, type Run } from './state.ts';

/**
 * Reads as root, with the one capability that reading takes. Where the namespace wants Pod Security level "restricted", as the user that the
 * application runs as: what that one may not read fails the round with the paths, and never passes in silence.
 */
export async function startBeside(
  run: Run,
  volume: PlannedVolume,
  { name, timeoutMs, signal }: { name: string; timeoutMs: number; signal: AbortSignal },
): Promise<MoverPod> {
  const { namespace, claim, mode } = volume.source;
  const holder = await holderOf(run, volume, signal);
  const node = textOf(fieldAt(holder, 'spec', 'nodeName'));
  const request = { ...moverRequest(run, volume, signal), timeoutMs, namespace, name, claim, readOnly: true, node };
  try {
    return await startMover(run.source, request);
  } catch (error) {
    const user = mode === 'Filesystem' && holder !== undefined ? userOf(holder, claim) : undefined;
    if (user === undefined || !sentenceOf(error).includes('violates PodSecurity "restricted')) throw error;
    const pod = await startMover(run.source, { ...request, user });
    run.log('info', `the mover beside it runs as user ${user.user}, because namespace ${namespace} is "restricted"`, {
      volume: nameOf(volume),
    });
    return pod;
  }
}

/** The pod that has the claim now. It may run elsewhere than when it was captured, or not at all. */
async function holderOf(run: Run, { source: { namespace, claim } }: PlannedVolume, signal: AbortSignal): Promise<KubeObject | undefined> {
  for await (const pod of run.source.list(resources.pods, { namespace, signal })) {
    const over = ['Succeeded', 'Failed'].includes(textOf(fieldAt(pod, 'status', 'phase')) ?? '');
    if (over || pod.metadata.labels?.[managedByLabel] === managedBy || fieldAt(pod, 'spec', 'nodeName') === undefined) continue;
    if (volumeNameIn(pod, claim) !== undefined) return pod;
  }
  return undefined;
}

/** What the pod calls the volume of this claim. An ephemeral volume's claim is called POD-VOLUME. */
function volumeNameIn(pod: KubeObject, claim: string): string | undefined {
  const found = listOf(fieldAt(pod, 'spec', 'volumes')).find(
    (volume) =>
      fieldAt(volume, 'persistentVolumeClaim', 'claimName') === claim ||
      (fieldAt(volume, 'ephemeral') !== undefined && `${pod.metadata.name}-${String(fieldAt(volume, 'name'))}` === claim),
  );
  return textOf(fieldAt(found, 'name'));
}

/** Pure: the ids that the container with the volume runs with. Undefined when the image decides, or when it is root. */
export function userOf(pod: KubeObject, claim: string): MoverUser | undefined {
  const name = volumeNameIn(pod, claim);
  const container = listOf(fieldAt(pod, 'spec', 'containers')).find((one) =>
    listOf(fieldAt(one, 'volumeMounts')).some((mount) => fieldAt(mount, 'name') === name),
  );
  const shared = recordOf(fieldAt(pod, 'spec', 'securityContext'));
  const own = recordOf(fieldAt(container, 'securityContext'));
  const numberOf = (value: unknown) => (typeof value === 'number' ? value : undefined);
  const user = numberOf(own['runAsUser'] ?? shared['runAsUser']);
  if (user === undefined || user === 0) return undefined;
  const group = numberOf(own['runAsGroup'] ?? shared['runAsGroup']);
  const groups = [shared['fsGroup'], ...listOf(shared['supplementalGroups'])].map(numberOf).filter((id) => id !== undefined);
  return { user, group, groups };
}
