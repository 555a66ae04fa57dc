/**
 * An application that writes all the time is moved from snapshots in two warm rounds and a last one. Its volumes are snapshotted together, a
 * ReadWriteOncePod volume among them, and each later round carries what changed, not what is there.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noBed, runCli } from '../support/bed.ts';
import { openScene } from '../support/scene.ts';
import { deploy, leftovers, smallApp, stateOf, waitRunning } from '../support/small-app.ts';
import { statusOf } from '../support/status.ts';
import { storageIsAsBefore, storageOf } from '../support/storage.ts';

test('moved by snapshots in three rounds, each in proportion to the change', { skip: noBed, timeout: 600_000 }, async (t) => {
  const { bed, source, target, name, from, to, hubFile, env, args } = openScene(t, 'warm');
  const empty = storageOf(bed, 'source');
  await deploy(source, smallApp(from, { storageClass: 'bulk', accessMode: 'ReadWriteOncePod' }));
  const before = await stateOf(source, from, await waitRunning(source, from, t.signal));
  const held = storageOf(bed, 'source');

  const moved = await runCli(['migrate', ...args, '--map-storage-class', 'bulk=gold', '--warm-rounds', '2', '--yes'], env);
  assert.equal(moved.code, 0, moved.stderr);
  const after = await stateOf(target, to, await waitRunning(target, to, t.signal));
  assert.deepEqual(
    after.lines,
    after.lines.map((_, index) => index + 1),
  );
  assert.ok(after.lines.length > before.lines.length);
  assert.equal(after.markerHash, before.markerHash);
  assert.equal(after.block, before.block);

  const volumes = (await statusOf(hubFile, name))?.volumes ?? [];
  const roundsOf = (claim: string) => volumes.find((volume) => volume.name === `${from}/${claim}`)?.rounds ?? [];
  const [first, second, last] = roundsOf('data');
  assert.ok(first !== undefined && second !== undefined && last !== undefined);
  assert.ok(first.bytesChanged > 3_000_000, `the first round is everything, not ${first.bytesChanged} bytes`);
  for (const { round, bytesChanged, bytesStored, bytesWritten = 0, bytesTargetRead } of [second, last]) {
    // The marker of 3 MB does not change; the file of lines has some kilobytes.
    assert.ok(bytesChanged > 0 && bytesChanged < 100_000, `round ${round} changed ${bytesChanged} bytes`);
    assert.ok(bytesStored < 200_000, `round ${round} stored ${bytesStored} bytes`);
    assert.ok(bytesWritten <= 1.1 * bytesChanged, `round ${round} wrote ${bytesWritten} bytes for ${bytesChanged}`);
    assert.equal(bytesTargetRead, 0, `round ${round} read the target`);
  }
  assert.deepEqual(
    roundsOf('raw').map(({ bytesChanged }) => bytesChanged > 0),
    [true, false, false],
  );
  // No second pod can be beside the one that has a ReadWriteOncePod volume.
  assert.deepEqual(
    [roundsOf('data'), roundsOf('raw')].map((rounds) => rounds.map(({ read }) => read)),
    [
      ['Snapshot', 'Snapshot', 'Snapshot'],
      ['Snapshot', 'Snapshot', 'Direct'],
    ],
  );
  const logs = await runCli(['logs', name], env);
  assert.equal(logs.stdout.match(/group snapshot .* of 2 volumes is ready/g)?.length, 2, logs.stdout);

  assert.deepEqual(await leftovers(source, name), []);
  assert.deepEqual(await leftovers(target, name), []);
  assert.deepEqual(storageOf(bed, 'source').snapshots, empty.snapshots, 'no snapshot is left in the storage system');
  await storageIsAsBefore(bed, 'source', held, t.signal);
});
