/** Which size a volume gets. Pure. */
import type { CapacityRange } from './messages.ts';
import { gib } from './medium.ts';
import { CsiError } from './status.ts';

/**
 * The size in bytes for a request: what is required, else the source's size, else 1 GiB; never under `least` and never under the source.
 * @throws CsiError OUT_OF_RANGE when the range allows no such size.
 */
export function chooseSize(range: CapacityRange | null | undefined, least: number, sourceBytes = 0): number {
  const { required_bytes: needed = 0, limit_bytes: limit = 0 } = range ?? {};
  if (needed < 0 || limit < 0) throw new CsiError('OUT_OF_RANGE', 'A size cannot be negative.');
  if (limit !== 0 && needed > limit) throw new CsiError('OUT_OF_RANGE', `${needed} bytes are required, but the limit is ${limit}.`);
  if (needed !== 0 && needed < sourceBytes) {
    throw new CsiError('OUT_OF_RANGE', `${needed} bytes are less than the source's ${sourceBytes}.`);
  }
  const floor = Math.max(least, sourceBytes, needed);
  const wanted = needed === 0 && sourceBytes === 0 ? Math.max(floor, limit === 0 ? gib : Math.min(gib, limit)) : floor;
  if (limit !== 0 && wanted > limit) throw new CsiError('OUT_OF_RANGE', `At least ${wanted} bytes are needed, but the limit is ${limit}.`);
  return wanted;
}

/** Does an existing size answer a request? */
export function fits(bytes: number, range: CapacityRange | null | undefined): boolean {
  const { required_bytes: needed = 0, limit_bytes: limit = 0 } = range ?? {};
  return bytes >= needed && (limit === 0 || bytes <= limit);
}
