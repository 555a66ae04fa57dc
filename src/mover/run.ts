import type { RelayTransport } from '../location/index.ts';
import type { Meter } from './meter.ts';

/** What every operation gets beside its job. */
export interface Run {
  /** The program file, for worker threads. */
  entry: URL;
  signal: AbortSignal;
  meter: Meter;
  relay: RelayTransport | undefined;
  /** Says what goes on now; `growing` while totals are not final. */
  phase(name: string, growing: boolean): void;
}
