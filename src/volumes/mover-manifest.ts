/** Pure: the pod that a mover runs in, with the least rights that do its work. */
import type { KubeObject } from '../api/object.ts';
import { version } from '../version.ts';
import { ownLabels } from './marks.ts';

const componentLabel = 'app.kubernetes.io/component';

export interface MoverRights {
  mode: 'Filesystem' | 'Block';
  /** It reads only: the volume is mounted so. */
  readOnly: boolean;
  /** Runs as a user of the application instead of root, as Pod Security level "restricted" wants it. It then reads what that user may read. */
  user?: MoverUser | undefined;
}

/** The ids of an application's pod. */
export interface MoverUser {
  user: number;
  group?: number | undefined;
  /** fsGroup and supplementalGroups. */
  groups: readonly number[];
}

export interface MoverPlace extends MoverRights {
  migration: string;
  namespace: string;
  name: string;
  claim: string;
  image: string | undefined;
  /** Pins the pod: a live read of a ReadWriteOnce volume works only where the application's pod runs. */
  node?: string | undefined;
}

/** The mover of this version. Its tag is the version of the package: controller and mover always belong together. */
export function defaultMoverImage(): string {
  return `docker.io/tranship/tranship:${version}`;
}

/** Labels of every mover of a migration. */
export function moverLabels(migration: string): Record<string, string> {
  return { ...ownLabels(migration), [componentLabel]: 'mover' };
}

/** Where the volume is inside the pod: a directory or a device. */
export function pathOf(mode: MoverRights['mode']): string {
  return mode === 'Block' ? '/dev/tranship-volume' : '/volume';
}

/**
 * The least capabilities that do the work as root; Pod Security level "baseline" takes them all.
 *
 * - a device belongs to root: opening it needs none
 * - reading files of any owner and mode: DAC_OVERRIDE (DAC_READ_SEARCH would be less, but "baseline" does not take it; the mount is read only)
 * - writing them as they were: owners, modes with set-id bits, device nodes and file capabilities of other users' files
 */
export function capabilitiesOf({ mode, readOnly, user }: MoverRights): string[] {
  if (mode === 'Block' || user !== undefined) return [];
  return readOnly ? ['DAC_OVERRIDE'] : ['CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'FSETID', 'MKNOD', 'SETFCAP'];
}

/** What a policy that refuses the mover would have to let pass, in words. */
export function rightsText(rights: MoverRights): string {
  const capabilities = capabilitiesOf(rights);
  return `${rights.user === undefined ? 'root' : `user ${rights.user.user}`}, ${capabilities.length === 0 ? 'no capability' : capabilities.join(', ')}`;
}

export function moverManifest(place: MoverPlace): KubeObject {
  const { mode, readOnly, node, user } = place;
  const capabilities = capabilitiesOf(place);
  const mounted =
    mode === 'Block'
      ? { volumeDevices: [{ name: 'volume', devicePath: pathOf(mode) }], volumeMounts: [{ name: 'tmp', mountPath: '/tmp' }] }
      : {
          volumeMounts: [
            { name: 'volume', mountPath: pathOf(mode), readOnly },
            { name: 'tmp', mountPath: '/tmp' },
          ],
        };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: place.name,
      namespace: place.namespace,
      // A mesh's proxy would keep the pod alive and stand between the mover and the store.
      labels: { ...moverLabels(place.migration), 'sidecar.istio.io/inject': 'false' },
      annotations: { 'linkerd.io/inject': 'disabled' },
    },
    spec: {
      restartPolicy: 'Never',
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      terminationGracePeriodSeconds: 1,
      activeDeadlineSeconds: 7 * 24 * 3600, // if nobody comes back to clean up
      // Where the application's pod is, whatever keeps others off that node: also when it is cordoned, or tainted while the mover reads.
      ...(node === undefined ? {} : { nodeName: node, tolerations: [{ operator: 'Exists' }] }),
      securityContext: { ...identity(user), seccompProfile: { type: 'RuntimeDefault' } },
      containers: [
        {
          name: 'mover',
          image: place.image ?? defaultMoverImage(),
          imagePullPolicy: 'IfNotPresent',
          command: ['node', '/app/mover.mjs', 'idle'],
          securityContext: {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ['ALL'], ...(capabilities.length === 0 ? {} : { add: capabilities }) },
          },
          resources: { requests: { cpu: '20m', memory: '96Mi' }, limits: { memory: '768Mi' } },
          ...mounted,
        },
      ],
      volumes: [
        { name: 'volume', persistentVolumeClaim: { claimName: place.claim, readOnly } },
        { name: 'tmp', emptyDir: { sizeLimit: '64Mi' } },
      ],
    },
  };
}

/** No fsGroup for anybody: the kubelet would hand the application's files to it. */
function identity(user: MoverUser | undefined): object {
  if (user === undefined) return { runAsUser: 0, runAsGroup: 0 };
  const groups = user.groups.length === 0 ? {} : { supplementalGroups: user.groups };
  return { runAsNonRoot: true, runAsUser: user.user, ...(user.group === undefined ? {} : { runAsGroup: user.group }), ...groups };
}
