import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { VolumeStatus } from '../../api/migration.ts';
import { PercentMemory, secondsLeft, volumeLine } from './volume-line.ts';

function volume(more: Partial<NonNullable<VolumeStatus['progress']>>, state: VolumeStatus['state'] = 'CopyingOut'): VolumeStatus {
  return {
    name: 'shop/data',
    target: 'store/data',
    mode: 'Filesystem',
    capacityBytes: 100,
    state,
    rounds: [],
    begun: [],
    notes: [],
    progress: { phase: 'copy', bytesDone: 0, bytesTotal: 0, filesDone: 0, filesTotal: 0, growing: false, bytesPerSecond: 0, ...more },
  };
}

test('a percentage never goes backwards, also when the total grows', () => {
  const memory = new PercentMemory();
  assert.equal(memory.percent(volume({ bytesDone: 50, bytesTotal: 100 })), 50);
  assert.equal(memory.percent(volume({ bytesDone: 60, bytesTotal: 200 })), 50);
  assert.equal(memory.percent(volume({ bytesDone: 150, bytesTotal: 200 })), 75);
});

test('a percentage is never 100 before the phase is done, and begins anew with the next phase', () => {
  const memory = new PercentMemory();
  assert.equal(memory.percent(volume({ bytesDone: 100, bytesTotal: 100 })), 99);
  assert.equal(memory.percent(volume({ bytesDone: 120, bytesTotal: 100 })), 99);
  assert.equal(memory.percent(volume({ bytesDone: 1, bytesTotal: 100 }, 'CopyingIn')), 1);
});

test('while the total still grows there is no percentage and no estimate', () => {
  const growing = volume({ bytesDone: 50, bytesTotal: 60, growing: true, bytesPerSecond: 10, filesDone: 3 });
  assert.equal(new PercentMemory().percent(growing), undefined);
  assert.equal(secondsLeft(growing.progress ?? assert.fail()), undefined);
  assert.equal(volumeLine(growing, new PercentMemory()), 'shop/data  copying out  50 B, 3 files so far  10 B/s');
});

test('a moving volume shows bytes, rate and the estimated end', () => {
  const line = volumeLine(volume({ bytesDone: 1 << 20, bytesTotal: 4 << 20, bytesPerSecond: 1 << 20 }), new PercentMemory());
  assert.equal(line, 'shop/data  copying out  25 %  1.0 MiB of 4.0 MiB  1.0 MiB/s  about 3.0 s left');
});

test('a volume that waits says nothing', () => {
  assert.equal(volumeLine(volume({}, 'Pending'), new PercentMemory()), undefined);
});
