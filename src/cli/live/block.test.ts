import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LiveBlock } from './block.ts';

// The screen is told by control characters: they are what is tested.
/* oxlint-disable no-control-regex */

/** Understands newline, "up N lines" and "clear to the end", as far as the block uses them. */
function screen() {
  const lines: string[] = [''];
  const output = {
    columns: 20,
    write(text: string) {
      for (const part of text.split(/(\u001b\[\d+A|\u001b\[J|\n)/)) {
        const up = /^\u001b\[(\d+)A$/.exec(part);
        if (up !== null) lines.length -= Number(up[1]);
        else if (part === '\u001b[J') lines[lines.length - 1] = '';
        else if (part === '\n') lines.push('');
        else lines[lines.length - 1] += part;
      }
      return true;
    },
  };
  return { output, text: () => lines.filter((line) => line !== '') };
}

test('the block is drawn again in place, finished lines stay above it', () => {
  const { output, text } = screen();
  const block = new LiveBlock(output);
  block.show(['one 10 %', 'two 5 %']);
  block.show(['one 20 %', 'two 6 %']);
  block.print('done: zero');
  assert.deepEqual(text(), ['done: zero', 'one 20 %', 'two 6 %']);
  block.show(['two 7 %']);
  assert.deepEqual(text(), ['done: zero', 'two 7 %']);
  block.close();
  assert.deepEqual(text(), ['done: zero']);
});

test('what others write meanwhile is kept, with the block below it', () => {
  const { output, text } = screen();
  const block = new LiveBlock(output);
  block.show(['live']);
  output.write('a warning\n');
  assert.deepEqual(text(), ['a warning', 'live']);
  block.show(['live 2']);
  assert.deepEqual(text(), ['a warning', 'live 2']);
  block.close();
});

test('a line that is longer than the terminal is cut, because a wrapped one could not be erased', () => {
  const { output, text } = screen();
  const block = new LiveBlock(output);
  block.show(['x'.repeat(100)]);
  assert.equal(text()[0]?.length, 19);
  block.close();
});

test('after the end the output writes as before', () => {
  const { output, text } = screen();
  const block = new LiveBlock(output);
  block.show(['live']);
  block.close();
  output.write('plain\n');
  assert.deepEqual(text(), ['plain']);
});
