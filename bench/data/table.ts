/** The figures as text. Pure. */
import { type Summary, summaries } from './bars.ts';
import { mebibyte, type Sizes } from './content.ts';
import { quietBelow } from './measure.ts';
import type { Row } from './works.ts';

export function figuresTable(rows: readonly Row[], labels: ReadonlyMap<string, string>): string[] {
  const lines: string[] = [];
  for (const group of Map.groupBy(summaries(rows), ({ work, step }) => `${work}: ${step}`).entries()) {
    const [title, tools] = group;
    lines.push('', title.padEnd(28) + header);
    for (const one of tools) lines.push(line(labels.get(one.tool) ?? one.tool, one));
  }
  return lines;
}

const header = '  wall s (least..most)     CPU s  peak MiB  stored MiB    read MiB written MiB  quiet';

function line(label: string, one: Summary): string {
  const mib = (bytes: number): string => (bytes / mebibyte).toFixed(bytes < 10 * mebibyte ? 1 : 0);
  const store = one.storeCpuSeconds === undefined ? '' : `  S3 server ${one.storeCpuSeconds.toFixed(1)} CPU s`;
  return [
    `  ${label.padEnd(26)}`,
    `${one.median.toFixed(2).padStart(7)} ${`(${one.least.toFixed(2)}..${one.most.toFixed(2)})`.padEnd(16)}`,
    one.cpuSeconds.toFixed(2).padStart(7),
    one.peakMebibytes.toFixed(0).padStart(10),
    (one.stored === 0 ? '-' : mib(one.stored)).padStart(12),
    mib(one.readBytes).padStart(12),
    mib(one.writtenBytes).padStart(12),
    `${one.quiet}/${one.repetitions}`.padStart(7),
    store,
  ].join('');
}

/** What the sizes were, for the top of the table. */
export function sizesLine({ big, small, large, million }: Sizes): string {
  return `big ${big} MiB, small ${small} files of 0.5 to 16 KiB, large ${large} MiB (1 % = ${Math.max(1, Math.round(large / 100))} blocks), ${million} empty files`;
}

/** How much to trust the wall times. */
export function quietLine(rows: readonly Row[]): string {
  const quiet = rows.filter((row) => row.figures.otherCores < quietBelow).length;
  return `  ${quiet} of ${rows.length} steps were quiet: everybody else on the machine used less than ${quietBelow} cores`;
}
