/** How the demo speaks: headings, one line that says what is going on now, and results. Plain lines when nobody watches. */
import type { Check } from './checks.ts';

const watched = process.stdout.isTTY;
const colours = watched && (process.env['NO_COLOR'] ?? '') === '';
const paint = (code: number, text: string): string => (colours ? `\u001b[${code}m${text}\u001b[0m` : text);
const clear = '\r\u001b[2K';
let shown = '';
let last = '';

export const bold = (text: string): string => paint(1, text);
export const dim = (text: string): string => paint(2, text);
export const good = (text: string): string => paint(32, text);
export const bad = (text: string): string => paint(31, text);

/** A whole line. */
export function say(text = ''): void {
  process.stdout.write(`${shown === '' ? '' : clear}${text}\n`);
  shown = '';
  last = '';
}

/** What is going on: replaced by the next one where a terminal can do that, printed when it changed where it cannot. */
export function now(text: string): void {
  if (text === last || text === '') return;
  last = text;
  if (watched) process.stdout.write(`${clear}${dim(`  ${text.slice(0, (process.stdout.columns ?? 80) - 4)}`)}`);
  else process.stdout.write(`  ${text}\n`);
  shown = watched ? text : '';
}

let part = 0;
export function heading(text: string): void {
  part += 1;
  say();
  say(bold(`${part}. ${text}`));
}

/** One check: what was compared and how it ended; at most eight differences, then how many more. */
export function showCheck(check: Check): void {
  const failed = check.differences.length > 0;
  say(`  ${failed ? bad('FAIL') : good(' ok ')}  ${check.title}: ${check.compared}`);
  for (const difference of check.differences.slice(0, 8)) say(`        ${bad(difference)}`);
  if (check.differences.length > 8) say(`        and ${check.differences.length - 8} more`);
}

/** Columns by their widest cell; numbers in the right-hand column are aligned right. */
export function showTable(rows: readonly (readonly [string, string])[]): void {
  const left = Math.max(...rows.map(([cell]) => cell.length));
  const right = Math.max(...rows.map(([, cell]) => cell.length));
  for (const [cell, value] of rows) say(`  ${cell.padEnd(left)}  ${value.padStart(right)}`);
}

export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

export function mib(bytes: number): string {
  return `${(bytes / 1048576).toFixed(1)} MiB`;
}
