import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { lockVolume } from './lock.ts';
import { tryLock } from './sys.ts';

it('waits for the mover that holds the volume, goes on when it is gone, and leaves nothing behind', async (t) => {
  const path = mkdtempSync(join(tmpdir(), 'tranship-lock-'));
  t.after(() => rmSync(path, { recursive: true }));
  const other = openSync(path, 'r');
  assert.ok(tryLock(other, 'exclusive'));
  let locked = false;
  const waiting = lockVolume({ mode: 'Filesystem', path }, 'exclusive', t.signal).then((unlock) => {
    locked = true;
    return unlock;
  });
  for (let round = 0; round < 100; round++) await turn();
  assert.equal(locked, false, 'two movers never write one volume');
  closeSync(other);
  const unlock = await waiting;
  const third = openSync(path, 'r');
  assert.equal(tryLock(third, 'shared'), false);
  unlock();
  assert.ok(tryLock(third, 'exclusive'));
  closeSync(third);
  assert.deepEqual(readdirSync(path), []);
});

it('ends the wait when it is told to', async (t) => {
  const path = mkdtempSync(join(tmpdir(), 'tranship-lock-'));
  t.after(() => rmSync(path, { recursive: true }));
  const other = openSync(path, 'r');
  t.after(() => closeSync(other));
  assert.ok(tryLock(other, 'exclusive'));
  await assert.rejects(lockVolume({ mode: 'Filesystem', path }, 'shared', AbortSignal.abort(new Error('told to end'))), /told to end/);
});
