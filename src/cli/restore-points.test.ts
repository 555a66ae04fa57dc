import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, describe, test } from 'node:test';
import { parse } from 'yaml';
import { jobConditions } from '../api/condition.ts';
import { hubNamespace } from '../api/meta.ts';
import { openArchive } from '../archive/index.ts';
import { leftovers, lineageOn, type LineageRig } from '../archive/testing/lineage-rig.ts';
import { TranshipError } from '../errors.ts';
import { openEmbeddedHub } from '../hub/index.ts';
import { openLocation } from '../location/index.ts';
import { wrapLocation } from '../location/testing/wrap.ts';
import { exitCodes } from './exit-codes.ts';
import { objectsOf } from './objects.ts';
import { deletionLines } from './render/restore-points.ts';
import { emptyStatus, scriptedEngine } from './testing/engine.ts';
import { terminal } from './testing/terminal.ts';

const base = mkdtempSync(join(tmpdir(), 'cli-points-'));
after(() => rmSync(base, { recursive: true, force: true }));

let hubFile: string;
let store: string;
let rig: LineageRig;
let number = 0;

/** A finished migration `shop-to-new` with the restore points p0 and p1, as the engine leaves it. */
beforeEach(async () => {
  const directory = join(base, String(number++));
  hubFile = join(directory, 'hub.db');
  store = join(directory, 'store');
  const location = openLocation({ kind: 'directory', path: store });
  rig = await lineageOn(location);
  await rig.copy(location, 'shop/db', 0, undefined, { a: ['1', '2'], b: ['shared'] });
  await rig.commit(location, 'p0', { 'shop/db': 0 });
  await rig.copy(location, 'shop/db', 1, 0, { a: ['3', '4'], b: ['shared'] });
  await rig.commit(location, 'p1', { 'shop/db': 1 });
  await setState('succeeded', 'Succeeded');
});

async function setState(state: 'succeeded' | 'running', reason: string): Promise<void> {
  const objects = objectsOf({ from: 'old', to: 'new', namespace: ['shop'], location: `dir:${store}`, dnsNames: true }, {});
  const hub = openEmbeddedHub({ file: hubFile });
  try {
    if ((await hub.get('Location', hubNamespace, 'shop-to-new')) === undefined) {
      await hub.create(objects.location);
      await hub.create(objects.migration);
      const metadata = { name: 'shop-to-new-archive-key', namespace: hubNamespace };
      await hub.create({ apiVersion: 'v1', kind: 'Secret', metadata, stringData: { lineage: rig.lineage, key: rig.key } });
    }
    const migration = await hub.get('Migration', hubNamespace, 'shop-to-new');
    assert.ok(migration !== undefined);
    const conditions = jobConditions([], { state, reason, message: 'x', generation: 1 }, new Date().toISOString());
    await hub.updateStatus({ ...migration, status: { ...emptyStatus(), restorePoint: 'p1', conditions } });
  } finally {
    await hub.close();
  }
}

const shell = (answer?: string) => terminal({ hubFile, engine: scriptedEngine({}), ...(answer === undefined ? {} : { answer }) }).tranship;
const location = () => openLocation({ kind: 'directory', path: store });
const filesIn = () => readdirSync(store, { recursive: true, encoding: 'utf8' }).toSorted();

describe('tranship restore-points', () => {
  test('list shows sizes and what each one frees, as a table, JSON and YAML', async () => {
    const plain = await shell()('restore-points', 'list');
    assert.equal(plain.code, exitCodes.ok, plain.stderr);
    assert.match(plain.stdout, /^NAME +CREATED +CLUSTER +NAMESPACES +VOLUMES +HOLDS +FREES +STATE\np0 .* Ready\np1 .* Ready\n/);
    const json = JSON.parse((await shell()('restore-points', 'list', '-o', 'json')).stdout);
    assert.deepEqual(parse((await shell()('restore-points', 'list', '-o', 'yaml')).stdout), json);
    assert.deepEqual(
      json.restorePoints.map((point: { name: string }) => point.name),
      ['p0', 'p1'],
    );
    assert.ok(json.restorePoints[1].uniqueBytes > 0 && json.restorePoints[1].uniqueBytes < json.restorePoints[1].bytes);
    assert.ok(!JSON.stringify(json).includes(rig.key));
  });

  test('show has the volumes, and names what there is when the name is wrong', async () => {
    const { stdout, code } = await shell()('restore-points', 'show', 'p1');
    assert.equal(code, exitCodes.ok);
    assert.match(stdout, /shop\/db +1 +1\.0 GiB/);
    const wrong = await shell()('restore-points', 'show', 'p9');
    assert.equal(wrong.code, exitCodes.invalid);
    assert.match(wrong.stderr, /no restore point named "p9"[^]*Known: p0, p1/);
  });

  test('a dry run leaves the store as it is and says the bytes that the deletion then frees', async () => {
    const before = filesIn();
    const dry = JSON.parse((await shell()('restore-points', 'delete', 'p0', 'p1', '--dry-run', '-o', 'json')).stdout);
    assert.deepEqual(filesIn(), before);
    assert.deepEqual(
      dry.restorePoints.map((point: { name: string; bytes: number }) => [point.name, point.bytes > 0]),
      [
        ['p0', true],
        ['p1', true],
      ],
    );
    const real = JSON.parse((await shell()('restore-points', 'delete', 'p0', 'p1', '--yes', '-o', 'json')).stdout);
    assert.deepEqual([real.bytes, real.objects], [dry.bytes, dry.objects]);
    assert.deepEqual(await leftovers(location(), rig), []);
    assert.match((await shell()('restore-points', 'list')).stdout, /There are no restore points/);
  });

  test('delete asks, and anything but yes changes nothing', async () => {
    const before = filesIn();
    const no = await shell('n')('restore-points', 'delete', 'p0');
    assert.equal(no.code, exitCodes.ok);
    assert.match(no.stderr, /p0 .*would be deleted[^]*Delete this for good[^]*Nothing was changed/);
    assert.deepEqual(filesIn(), before);
    assert.equal((await shell()('restore-points', 'delete', 'p0')).code, exitCodes.invalid);
    const yes = await shell('y')('restore-points', 'delete', 'p0');
    assert.equal(yes.code, exitCodes.ok, yes.stderr);
    assert.match(yes.stdout, /p0 +deleted/);
    assert.deepEqual(await rig.checkAll(location()), ['p1']);
  });

  test('one wrong name among right ones deletes nothing', async () => {
    const before = filesIn();
    const { code, stderr } = await shell()('restore-points', 'delete', 'p0', 'p9', '--yes');
    assert.equal(code, exitCodes.invalid);
    assert.match(stderr, /p9/);
    assert.deepEqual(filesIn(), before);
  });

  test('the restore point that a running migration moves is refused', async () => {
    await setState('running', 'Verify');
    const { code, stderr } = await shell()('restore-points', 'delete', 'p1', '--yes');
    assert.equal(code, exitCodes.conflict, stderr);
    assert.match(stderr, /has not ended[^]*tranship resume shop-to-new/);
    assert.deepEqual(await rig.checkAll(location()), ['p0', 'p1']);
  });

  test('prune keeps young copies and the papers of a migration, and removes old copies', async () => {
    const dying = wrapLocation(location(), {
      before: async ({ verb, name }) => {
        if (verb === 'put' && name.includes('/rounds/')) throw new Error('killed');
        await Promise.resolve();
      },
    });
    await assert.rejects(rig.copy(dying, 'shop/db', 2, 1, { a: ['lost'] }), /killed/);
    const archive = await openArchive({ location: location(), ...rig });
    await archive.writeSection('shop-to-new', 'plan', { a: 1 });
    await archive.writeSection('never', 'plan', { a: 1 });
    const before = filesIn();
    const young = await shell()('restore-points', 'prune', '--yes');
    assert.equal(young.code, exitCodes.ok, young.stderr);
    assert.match(young.stdout, /0 B in 0 objects/);
    assert.deepEqual(filesIn(), before);
    for (const name of before) utimesSync(join(store, name), 0, Date.now() / 1000 - 3 * 86_400);
    const longer = await shell()('restore-points', 'prune', '--yes', '--safe-age', '100h');
    assert.match(longer.stdout, /0 B in 0 objects/);
    const old = await shell()('restore-points', 'prune', '--yes', '--safe-age', '48h', '-o', 'json');
    assert.equal(old.code, exitCodes.ok, old.stderr);
    // The packs of the lost copy, and the section of a restore point that never came.
    assert.equal(JSON.parse(old.stdout).objects, before.filter((name) => name.includes('/packs/000002/')).length + 1);
    assert.deepEqual(
      filesIn().filter((name) => name.includes('/packs/000002/')),
      [],
    );
    assert.deepEqual(await archive.readSection('shop-to-new', 'plan'), { a: 1 });
    assert.deepEqual(await rig.checkAll(location()), ['p0', 'p1']);
  });

  test('what the store refuses, what is in use and what is damaged is named with its cure', () => {
    const error = new TranshipError('Forbidden', 'Cannot delete lineages/x: access denied.');
    const lines = deletionLines(
      [
        {
          points: [{ name: 'p1', finished: false }],
          objects: 3,
          bytes: 4096,
          inUse: [{ volume: 'shop/db', round: 3, by: 'the copy of round 4, which has not ended' }],
          refused: Array.from({ length: 12 }, (_, index) => ({ object: `lineages/x/${index}`, bytes: 1, error })),
          damaged: [{ volume: 'shop/files', error: new TranshipError('Integrity', 'The stored object y is damaged.') }],
        },
      ],
      false,
    ).join('\n');
    assert.match(lines, /p1 +not finished\n4\.0 KiB in 3 objects freed/);
    assert.match(lines, /round 3 of shop\/db is used by the copy of round 4[^]*--safe-age/);
    assert.match(lines, /refused to delete 12 objects:\n {2}lineages\/x\/0: Cannot delete[^]*s3:DeleteObject[^]*prune/);
    assert.match(lines, /Nothing of shop\/files was deleted[^]*y is damaged/);
  });

  test('an archive that cannot be opened is an error of its own', async () => {
    rmSync(store, { recursive: true });
    const { code, stderr } = await shell()('restore-points', 'list');
    assert.equal(code, exitCodes.invalid);
    assert.match(stderr, /archive of "shop-to-new"/);
  });
});
