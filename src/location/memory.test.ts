import assert from 'node:assert/strict';
import { createDecipheriv } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { alignedBuffer, giveBack, openLocation } from './index.ts';

test('memory given back twice is lent once', () => {
  const first = alignedBuffer(3 << 20);
  const again = Buffer.from(first.buffer, 0, 10);
  giveBack(first);
  giveBack(again);
  const [one, other] = [alignedBuffer(3 << 20), alignedBuffer(3 << 20)];
  assert.notEqual(one.buffer, other.buffer);
  giveBack(one);
  giveBack(other);
});

test('a part of memory that others hold is left alone', () => {
  const small = Buffer.from('kept'); // in the pool of Node
  giveBack(small, true);
  assert.equal(small.toString(), 'kept');
  const large = Buffer.alloc(1 << 20, 7);
  giveBack(large.subarray(0, 1000));
  assert.equal(large[5], 7);
  const sealed = createDecipheriv('aes-256-ctr', Buffer.alloc(32), Buffer.alloc(16)).update(large);
  giveBack(sealed);
  assert.equal(sealed.length, 0);
});

test('ranges of any alignment come back as they were stored, from aligned and other memory', async () => {
  const root = mkdtempSync(join(tmpdir(), 'tranship-direct-'));
  try {
    const location = openLocation({ kind: 'directory', path: root });
    const plain = Buffer.alloc((2 << 20) + 777, 'some text that does not repeat at blocks, ');
    const aligned = alignedBuffer(plain.length);
    plain.copy(aligned);
    await location.put('aligned', aligned, { ifAbsent: true });
    await location.put('other', plain, { ifAbsent: true });
    for (const name of ['aligned', 'other']) {
      for (const [offset, length] of [
        [0, plain.length],
        [4095, (1 << 20) + 2],
        [plain.length - (300 << 10), 300 << 10],
        [1 << 20, 1 << 20],
      ] as const) {
        const read = await location.getRange(name, offset, length);
        assert.ok(plain.subarray(offset, offset + length).equals(read), `${name} ${offset} ${length}`);
        giveBack(read);
      }
      await assert.rejects(location.getRange(name, 1 << 20, 2 << 20), { code: 'Integrity' });
    }
  } finally {
    rmSync(root, { recursive: true });
  }
});
