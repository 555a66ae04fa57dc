/** Where a figure stands against its bar. Pure. */
export interface Verdict {
  work: string;
  bar: string;
  /** Absent: not measured in this run. */
  value?: number;
  limit: number;
  sense: 'at least' | 'at most';
  unit: string;
  met?: boolean;
}

export function atLeast(work: string, bar: string, limit: number, value: number | undefined, unit: string): Verdict {
  return { work, bar, limit, sense: 'at least', unit, ...(value === undefined ? {} : { value, met: value >= limit }) };
}

export function atMost(work: string, bar: string, limit: number, value: number | undefined, unit: string): Verdict {
  return { work, bar, limit, sense: 'at most', unit, ...(value === undefined ? {} : { value, met: value <= limit }) };
}

/** Undefined when a side was not measured. */
export function ratio(over: number | undefined, under: number | undefined): number | undefined {
  return over === undefined || under === undefined || under === 0 ? undefined : over / under;
}

/** NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2;
}

/** Undefined of nothing. */
export function worst(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : Math.max(...values);
}

export function barsTable(verdicts: readonly Verdict[]): string[] {
  const number = (value: number): string => (value >= 100 ? value.toFixed(0) : value.toFixed(2));
  return verdicts.map(({ work, bar, limit, sense, unit, value, met }) => {
    const state = met === undefined ? '-     ' : met ? 'met   ' : 'MISSED';
    const stands = value === undefined ? 'not measured' : `${number(value)}${unit}`;
    return `  ${state}  ${work.padEnd(22)} ${bar.padEnd(52)} ${stands.padStart(13)}   bar: ${sense} ${number(limit)}${unit}`;
  });
}
