/** What capture found: the input of a plan, and what a restore point keeps of the objects. */
import type { Finding } from './finding.ts';
import type { KubeObject, ObjectRef, ResourceType } from './object.ts';

export interface CapturedCluster {
  /** uid of the namespace kube-system: the accepted identity of a cluster. */
  id: string;
  /** The context or Cluster name it was read through; for messages only. */
  name: string;
  version: string;
}

export interface CapturedObject {
  object: KubeObject;
  resource: ResourceType;
  /** selected: the user named it. related: a selected object needs it. */
  role: 'selected' | 'related';
  /** Why it is here when related, e.g. `roleRef of RoleBinding shop/app`. */
  because?: string;
  /** True when objects outside the selection use it too: it must exist on the target, and is never overwritten there. */
  shared: boolean;
}

/** An object of the selected namespaces that stays behind, and the rule that says so. */
export interface LeftBehind {
  ref: ObjectRef;
  /** Constant in PascalCase, e.g. `ManagedByController`, `TokenSecret`, `ExcludedByLabel`. */
  rule: string;
  reason: string;
  /** The controller that makes it again. Absent in captures of earlier versions. */
  owner?: ObjectRef;
}

export interface CapturedVolume {
  namespace: string;
  claim: string;
  persistentVolume: string;
  mode: 'Filesystem' | 'Block';
  accessModes: string[];
  capacityBytes: number;
  storageClass: string | undefined;
  /** CSI driver name; undefined when the volume is not a CSI volume. */
  driver: string | undefined;
  /** Pods that mount it now, and the node they run on. */
  usedBy: { pod: string; node: string | undefined }[];
}

/** A pod that runs and that a freeze of the source can't stop. */
export interface UnstoppablePod {
  pod: ObjectRef;
  /** Its controller, that one's controller, and so on; empty for a pod without one. */
  owners: ObjectRef[];
  reason:
    | 'NoController' // and it mounts a claim
    | 'OwnerNotStoppable' // the topmost owner is of a kind that we don't know how to stop
    | 'OwnerNotSelected' // it is of such a kind, but stays behind
    | 'OwnerUnknown' // it does not exist, or is hidden from us
    | 'ExcludedWithClaim'; // the user lets it run on, but it mounts a claim that moves
  /** Names of the claims that it mounts. */
  claims: string[];
}

export interface Captured {
  cluster: CapturedCluster;
  namespaces: string[];
  /** RFC 3339, UTC. */
  capturedAt: string;
  objects: CapturedObject[];
  leftBehind: LeftBehind[];
  volumes: CapturedVolume[];
  findings: Finding[];
  /** Always set by a capture; absent in those of earlier versions. */
  unstoppable?: UnstoppablePod[];
  /** uids of pods, and of the controllers of pods, that the user excluded: nobody stops them, nobody waits for their end. */
  keptRunning?: string[];
}
