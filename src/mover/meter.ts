import type { Progress } from './protocol.ts';

const fields = ['bytesDone', 'bytesTotal', 'filesDone', 'filesTotal', 'bytesTransferred', 'bytesChanged', 'bytesTargetRead'] as const;
export type MeterField = (typeof fields)[number];

/** Counters that all threads add to. */
export class Meter {
  readonly shared: SharedArrayBuffer;
  readonly #counts: BigInt64Array;

  constructor(shared = new SharedArrayBuffer(fields.length * 8)) {
    this.shared = shared;
    this.#counts = new BigInt64Array(shared);
  }

  add(field: MeterField, amount: number): void {
    Atomics.add(this.#counts, fields.indexOf(field), BigInt(amount));
  }

  get(field: MeterField): number {
    return Number(Atomics.load(this.#counts, fields.indexOf(field)));
  }

  progress(phase: string, growing: boolean): Progress {
    const bytesDone = this.get('bytesDone');
    const filesDone = this.get('filesDone');
    return {
      phase,
      bytesDone,
      // Never above 100 %: a file that grows under a live read is counted as it is read.
      bytesTotal: Math.max(bytesDone, this.get('bytesTotal')),
      filesDone,
      filesTotal: Math.max(filesDone, this.get('filesTotal')),
      growing,
      bytesTransferred: this.get('bytesTransferred'),
    };
  }
}
