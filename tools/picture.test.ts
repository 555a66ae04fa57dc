import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cut, replay, skip, svg, type Cell } from './picture.ts';

const shown = (lines: Cell[][]): string[] => lines.map((line) => line.map((cell) => cell.text).join(''));

test('a line that was drawn again is shown once', () => {
  assert.deepEqual(shown(replay('one\r\n50 %\r\n\u001b[1A\u001b[J100 %\r\ntwo', 80)), ['one', '100 %', 'two']);
  assert.deepEqual(shown(replay('waiting for postgres\r\u001b[2Kready\r\n', 80)), ['ready', '']);
});

test('long lines wrap at the width of the terminal', () => {
  assert.deepEqual(shown(replay('abcdef', 4)), ['abcd', 'ef']);
});

test('colours become classes, and text is escaped', () => {
  const picture = svg(replay('\u001b[32mok\u001b[0m a<b & c', 80), 80);
  assert.match(picture, /<tspan class="green">ok<\/tspan> a&lt;b &amp; c/);
});

test('a part is cut out by its first and last line, and a missing one is an error', () => {
  const lines = replay('Script started on x\r\na\r\nb\r\nc\r\nd', 80);
  assert.deepEqual(shown(cut(lines, 'b', 'c')), ['b', 'c']);
  assert.deepEqual(shown(cut(lines, undefined, undefined)), ['a', 'b', 'c', 'd']);
  assert.throws(() => cut(lines, 'z', undefined), /No line holds "z"/);
});

test('a skipped part is one line that says so', () => {
  const lines = replay('a\r\nb\r\nc\r\nd', 80);
  assert.deepEqual(shown(skip(lines, 'b', 'c')), ['a', '  …', 'd']);
});
