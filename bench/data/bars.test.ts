import assert from 'node:assert/strict';
import { test } from 'node:test';
import { barsTable, median } from '../verdict.ts';
import { summaries, verdicts } from './bars.ts';
import { mebibyte, sizesAt } from './content.ts';
import type { Figures } from './measure.ts';
import { figuresTable } from './table.ts';
import type { Row } from './works.ts';

const figures = (more: Partial<Figures>): Figures => ({
  seconds: 1,
  flushSeconds: 0,
  cpuSeconds: 1,
  peakMebibytes: 100,
  readBytes: 0,
  writtenBytes: 0,
  otherCores: 0,
  ...more,
});
const row = (work: Row['work'], step: Row['step'], tool: string, more: Partial<Figures>, extra: Partial<Row> = {}): Row => ({
  work,
  step,
  tool,
  repetition: 0,
  figures: figures(more),
  ...extra,
});
const sizes = sizesAt(1);
const verdict = (rows: Row[], work: string, bar: RegExp) => {
  const found = verdicts(rows, sizes).filter((one) => one.work === work && bar.test(one.bar));
  assert.equal(found.length, 1, `one bar ${work} ${bar}`);
  return { value: found[0]?.value, met: found[0]?.met };
};

test('the median of an even number is between the middle two', () => {
  assert.equal(median([9, 1, 5]), 5);
  assert.equal(median([4, 1, 2, 100]), 3);
});

test('the faster peer counts, also when it is one with another setting', () => {
  const rows = [
    row('big', 'first round', 'ours-2', { seconds: 10 }),
    row('big', 'first round', 'restic', { seconds: 40 }),
    row('big', 'first round', 'kopia', { seconds: 25 }),
  ];
  assert.deepEqual(verdict(rows, 'big: first round', /faster/), { value: 2.5, met: true });
  rows.push(row('big', 'first round', 'restic-off', { seconds: 19 }));
  assert.deepEqual(verdict(rows, 'big: first round', /faster/), { value: 1.9, met: false });
  // cp is no peer of this bar.
  rows.push(row('big', 'first round', 'cp', { seconds: 9 }));
  assert.deepEqual(verdict(rows, 'big: first round', /faster/), { value: 1.9, met: false });
  assert.deepEqual(verdict(rows, 'big: first round', /cp/), { value: 10 / 9, met: true });
});

test('what was not measured is neither met nor missed', () => {
  for (const one of verdicts([], sizes)) assert.deepEqual([one.value, one.met], [undefined, undefined], one.bar);
  assert.match(barsTable(verdicts([], sizes)).join('\n'), /not measured/);
});

test('in place: bytes that the kernel saw count, not what the mover says of itself', () => {
  const change = 164 * mebibyte;
  const said = { targetWritten: change, targetRead: 0, explainedReads: 2 * change };
  const apply = (more: Partial<Figures>): Row => row('inplace', 'apply the change', 'ours-2', more, { said });
  const good = [apply({ writtenBytes: change * 1.05, readBytes: 2 * change + 4 * mebibyte })];
  assert.equal(verdict(good, 'in place: apply', /written/).met, true);
  assert.equal(verdict(good, 'in place: apply', /by the mover/).met, true);
  assert.deepEqual(verdict(good, 'in place: apply', /kernel/), { value: 4, met: true });
  const bad = [apply({ writtenBytes: change * 1.2, readBytes: 2 * change + 100 * mebibyte })];
  assert.equal(verdict(bad, 'in place: apply', /written/).met, false);
  assert.equal(verdict(bad, 'in place: apply', /kernel/).met, false);
});

test('in place: the whole round is send and apply together', () => {
  const rows = [
    row('inplace', 'send the change', 'ours-2', { seconds: 9 }, { stored: 100 * mebibyte }),
    row('inplace', 'apply the change', 'ours-2', { seconds: 1 }),
    row('inplace', 'send the change', 'restic', { seconds: 20 }),
    row('inplace', 'apply the change', 'restic', { seconds: 9 }),
  ];
  assert.deepEqual(verdict(rows, 'in place: whole round', /restic/), { value: 2.9, met: false });
  assert.deepEqual(verdict(rows, 'in place: apply', /restic/), { value: 9, met: false });
  assert.equal(verdict(rows, 'in place: whole round', /stored/).met, true);
});

test('memory: the highest of every repetition and work, at four streams', () => {
  const rows = [
    row('big', 'restore', 'ours-4', { peakMebibytes: 200 }),
    row('small', 'restore', 'ours-4', { peakMebibytes: 240 }),
    row('million', 'restore', 'ours-4', { peakMebibytes: 270 }),
    row('big', 'restore', 'ours-2', { peakMebibytes: 999 }),
  ];
  assert.deepEqual(verdict(rows, 'memory', /4 streams/), { value: 270, met: false });
  assert.deepEqual(verdict(rows, 'memory', /million/), { value: 270 / 240, met: false });
});

test('a summary is the median of the times, the highest peak, and how many were quiet', () => {
  const rows = [3, 1, 2].map((seconds, repetition) =>
    row('s3', 'restore', 'kopia', { seconds, peakMebibytes: 10 * seconds, otherCores: repetition * 0.2, storeCpuSeconds: seconds }),
  );
  const [one] = summaries(rows);
  assert.deepEqual([one?.median, one?.least, one?.most, one?.peakMebibytes, one?.quiet, one?.storeCpuSeconds], [2, 1, 3, 30, 2, 2]);
  assert.match(figuresTable(rows, new Map([['kopia', 'kopia 1']])).join('\n'), /kopia 1 +2\.00 \(1\.00\.\.3\.00\).* 2\/3 +S3 server 2\.0/);
});
