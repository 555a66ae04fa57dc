/** A plan: every object that will be written on the target, why, and what stands against it. Pure data, same input same bytes. */
import type { CapturedVolume } from './captured.ts';
import type { Finding } from './finding.ts';
import type { KubeObject, ObjectRef, ResourceType } from './object.ts';
import type { TransformReport } from './transform.ts';

/** What a plan needs to know of a target (or source) cluster. Read by `capture/surface.ts`, stored in the archive with the plan. */
export interface Surface {
  cluster: { id: string; name: string; version: string };
  resources: ResourceType[];
  /** Groups whose discovery failed (a broken aggregated API), with the server's words. */
  brokenGroups: { group: string; message: string }[];
  namespaces: string[];
  storageClasses: SurfaceStorageClass[];
  snapshotClasses: SurfaceSnapshotClass[];
  /** Classes of group snapshots. Absent where those are not served, and in surfaces of earlier versions. */
  groupSnapshotClasses?: SurfaceSnapshotClass[];
  csiDrivers: string[];
  ingressClasses: string[];
  /** Objects that are already there and could collide: in the target namespaces, and cluster-scoped ones by captured name. */
  existing: KubeObject[];
  /** Kinds that were refused to us: what they would say is not known, and not "nothing". `namespace` is absent for whole kinds. */
  unread?: { group: string; resource: string; namespace?: string; message: string }[];
}

export interface SurfaceStorageClass {
  name: string;
  provisioner: string;
  isDefault: boolean;
  bindingMode: 'Immediate' | 'WaitForFirstConsumer';
  allowExpansion: boolean;
}

export interface SurfaceSnapshotClass {
  name: string;
  driver: string;
  isDefault: boolean;
  /** Its annotation `tranship.io/snapshot-class: "true"` names it for us. */
  isChosen?: boolean;
}

export interface Mapping {
  /** source namespace → target namespace; unmapped ones keep their name. */
  namespaces: Record<string, string>;
  storageClasses: Record<string, string>;
  nodePorts: 'Reset' | 'Preserve';
  /** Rewrite `name.ns.svc` in env, args and ConfigMaps. */
  dnsNames: boolean;
  existing: 'Skip' | 'Update' | 'Recreate' | 'Fail';
}

/** `Prepare` objects are created while the application still runs on the source, `Activate` ones after the final copy. */
export type PlanPhase = 'Prepare' | 'Activate';

export interface PlanStep {
  /** Stable within a plan: refText of the target object. */
  id: string;
  /** Layers are applied in order; inside a layer everything is parallel. */
  layer: number;
  phase: PlanPhase;
  action: 'Create' | 'Merge' | 'Update' | 'Recreate' | 'Exists';
  resource: ResourceType;
  origin: ObjectRef;
  target: ObjectRef;
  manifest: KubeObject;
  /** What was changed on the way, by rule name and JSON pointer. */
  changes: { rule: string; path: string; from?: unknown; to?: unknown }[];
}

export interface PlannedVolume {
  source: CapturedVolume;
  targetNamespace: string;
  targetClaim: string;
  targetStorageClass: string | undefined;
  snapshotClass: string | undefined;
  /** Set when other volumes of its namespace and driver are snapshotted at the same time with it. */
  groupSnapshotClass?: string;
  /** Class of the temporary volume that is made from a snapshot. Absent: the volume's own. */
  temporaryStorageClass?: string;
  /** How the data is read on the source. */
  read: 'Snapshot' | 'Live';
  /** The claim to be made in the target namespace, without volumeName. */
  claimManifest: KubeObject;
}

export interface Omitted {
  ref: ObjectRef;
  rule: string;
  reason: string;
}

export interface Plan {
  source: { id: string; name: string };
  target: { id: string; name: string };
  mapping: Mapping;
  namespaces: { source: string; target: string }[];
  steps: PlanStep[];
  volumes: PlannedVolume[];
  /** What the user's transforms did, in their order; absent without any. */
  transforms?: TransformReport[];
  omitted: Omitted[];
  findings: Finding[];
}
