/**
 * The CSI messages as proto-loader hands them over (original field names, enums by name, 64-bit numbers as numbers, unset strings '',
 * unset lists [], unset messages null). Only the fields that this driver reads or answers.
 */

export interface CapacityRange {
  required_bytes: number;
  limit_bytes: number;
}

export interface VolumeCapability {
  block?: object | null;
  mount?: { fs_type: string; mount_flags: string[] } | null;
  access_mode?: { mode: string } | null;
}

export interface Topology {
  segments: Record<string, string>;
}

export interface ContentSource {
  snapshot?: { snapshot_id: string } | null;
  volume?: { volume_id: string } | null;
}

export interface Volume {
  volume_id: string;
  capacity_bytes: number;
  content_source?: ContentSource;
  accessible_topology: Topology[];
}

export interface Snapshot {
  snapshot_id: string;
  source_volume_id: string;
  size_bytes: number;
  creation_time: { seconds: number; nanos: number };
  ready_to_use: boolean;
  /** Set for a member of a group, which must not be deleted alone. */
  group_snapshot_id?: string;
}

export interface GroupSnapshot {
  group_snapshot_id: string;
  snapshots: Snapshot[];
  creation_time: { seconds: number; nanos: number };
  ready_to_use: boolean;
}

export interface CreateVolumeRequest {
  name: string;
  capacity_range?: CapacityRange | null;
  volume_capabilities: VolumeCapability[];
  parameters: Record<string, string>;
  volume_content_source?: ContentSource | null;
  accessibility_requirements?: { requisite: Topology[] } | null;
}

export interface ValidateRequest {
  volume_id: string;
  volume_context: Record<string, string>;
  volume_capabilities: VolumeCapability[];
  parameters: Record<string, string>;
}

export interface ListRequest {
  max_entries: number;
  starting_token: string;
}

export interface ListSnapshotsRequest extends ListRequest {
  source_volume_id: string;
  snapshot_id: string;
}

export interface CreateSnapshotRequest {
  name: string;
  source_volume_id: string;
  parameters: Record<string, string>;
}

export interface CreateGroupRequest {
  name: string;
  source_volume_ids: string[];
  parameters: Record<string, string>;
}

export interface GroupRequest {
  group_snapshot_id: string;
  snapshot_ids: string[];
}

export interface ExpandRequest {
  volume_id: string;
  capacity_range?: CapacityRange | null;
}

export interface NodeExpandRequest extends ExpandRequest {
  volume_path: string;
}

export interface PublishRequest {
  volume_id: string;
  target_path: string;
  volume_capability?: VolumeCapability | null;
  readonly: boolean;
}

export interface UnpublishRequest {
  volume_id: string;
  target_path: string;
}

export interface StatsRequest {
  volume_id: string;
  volume_path: string;
}

/** One remote call: the request as an object in, the answer out, a CsiError for a refusal. */
export type Handlers = Record<string, (request: never) => Promise<object>>;
