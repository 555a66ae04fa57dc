/** What callers may ask of a volume: its mode and the way it is shared. Pure. */
import type { VolumeCapability } from './messages.ts';
import type { VolumeMode } from './records.ts';
import { CsiError } from './status.ts';

/**
 * The one mode that all capabilities ask for. All access modes are served: on a node by itself sharing is free.
 * @throws CsiError INVALID_ARGUMENT when there is none, or when they contradict each other.
 */
export function modeOf(capabilities: (VolumeCapability | null | undefined)[]): VolumeMode {
  const modes = new Set(capabilities.map(modeOfOne));
  const [mode] = modes;
  if (mode === undefined) throw new CsiError('INVALID_ARGUMENT', 'The request has no volume capability.');
  if (modes.size > 1) throw new CsiError('INVALID_ARGUMENT', 'A volume is either block or file system, not both.');
  return mode;
}

function modeOfOne(capability: VolumeCapability | null | undefined): VolumeMode {
  if ((capability?.access_mode?.mode ?? 'UNKNOWN') === 'UNKNOWN') {
    throw new CsiError('INVALID_ARGUMENT', 'A volume capability has no access mode.');
  }
  if (capability?.block != null) return 'block';
  if (capability?.mount != null) return 'filesystem';
  throw new CsiError('INVALID_ARGUMENT', 'A volume capability asks neither for block nor for mount.');
}

/** Storage class parameters: the sidecars' own ones (names of claims and volumes) are ignored, others would do nothing, so they are refused. */
export function checkParameters(parameters: Record<string, string>): void {
  const unknown = Object.keys(parameters).filter((name) => !name.startsWith('csi.storage.k8s.io/'));
  if (unknown.length > 0) throw new CsiError('INVALID_ARGUMENT', `This driver knows no parameter ${unknown.join(', ')}.`);
}
