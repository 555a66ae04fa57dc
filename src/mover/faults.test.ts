import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import { chmodSync, globSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { openArchive } from '../archive/index.ts';
import { codeOf } from '../errors.ts';
import { openLocation } from '../location/index.ts';
import { runMover, type MoverChannel } from './client.ts';
import type { MoverJob, MoverResult } from './protocol.ts';
import { portrait, type Rig, rigOn, runHere } from './rig.ts';

function start(): ChildProcess & MoverChannel {
  return spawn(process.execPath, ['--disable-warning=ExperimentalWarning', join(import.meta.dirname, 'main.ts'), 'run'], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
}

async function runProcess(job: MoverJob, killAfter?: (kill: () => void) => void): Promise<MoverResult> {
  const child = start();
  killAfter?.(() => child.kill('SIGKILL'));
  try {
    return await runMover(child, job);
  } finally {
    child.kill('SIGKILL');
  }
}

/** Kills when the store or the target has grown past a random mark: in the middle, however fast the machine is. */
function killAt(pattern: string, bytes: number): (kill: () => void) => void {
  return (kill) => {
    const look = setInterval(() => {
      let sum = 0;
      for (const path of globSync(pattern)) sum += lstatSync(path, { throwIfNoEntry: false })?.size ?? 0;
      if (sum < bytes) return;
      clearInterval(look);
      kill();
    }, 5);
    look.unref();
    setTimeout(() => clearInterval(look), 20_000).unref();
  };
}

describe('faults', () => {
  const base = mkdtempSync(join(tmpdir(), 'tranship-faults-'));
  const source = { mode: 'Filesystem' as const, path: join(base, 'source') };
  const target = { mode: 'Filesystem' as const, path: join(base, 'target') };
  const total = 96 << 20;
  const fifth = Math.floor(total / 5);
  let rig: Rig;
  before(async () => {
    for (const path of [source.path, target.path]) mkdirSync(path);
    for (let number = 0; number < 6; number++) {
      mkdirSync(join(source.path, `d${number}`));
      writeFileSync(join(source.path, `d${number}`, 'big'), randomBytes(16 << 20));
      for (let small = 0; small < 40; small++) writeFileSync(join(source.path, `d${number}`, `s${small}`), `${number} ${small}`);
    }
    rig = await rigOn(join(base, 'store'));
  });
  after(() => rmSync(base, { recursive: true }));

  it('goes on after SIGKILL in a copy-out, and uses what was stored', async () => {
    const job = rig.job({ op: 'copy-out', round: 0, source });
    const pattern = join(base, 'store/lineages/*/volumes/*/packs/*/*');
    for (let kill = 0; kill < 4; kill++) {
      const mark = fifth * kill + randomInt(1, fifth);
      await runProcess(job, killAt(pattern, mark)).catch((error: unknown) => assert.equal(codeOf(error), 'Unreachable'));
    }
    const stored = globSync(pattern).reduce((sum, path) => sum + lstatSync(path).size, 0);
    const result = await runProcess(job);
    assert.ok(
      result.bytesTransferred < total - stored + (1 << 20) || result.bytesTransferred === 0,
      `${result.bytesTransferred} bytes sent, ${stored} were there`,
    );
    assert.equal(result.files, 246);
    // Nothing was stored twice but what a kill left in a half-filled pack.
    const afterwards = globSync(pattern).reduce((sum, path) => sum + lstatSync(path).size, 0);
    assert.ok(afterwards < total * 1.1, `${afterwards} bytes in packs`);
  });

  it('goes on after SIGKILL in a copy-in, and ends the same', async () => {
    for (let kill = 0; kill < 4; kill++) {
      const mark = fifth * kill + randomInt(1, fifth);
      const job = rig.job({ op: 'copy-in', round: 0, fresh: true, target, verify: 'None' });
      await runProcess(job, killAt(join(target.path, '*/*'), mark)).catch((error: unknown) => assert.equal(codeOf(error), 'Unreachable'));
    }
    await runProcess(rig.job({ op: 'copy-in', round: 0, fresh: true, target, verify: 'All' }));
    assert.deepEqual(portrait(target.path), portrait(source.path));
  });

  it('goes on after SIGKILL in a delta, by what was begun', async () => {
    for (let number = 0; number < 6; number++) writeFileSync(join(source.path, `d${number}`, 'big'), randomBytes(8 << 20), { flag: 'r+' });
    rmSync(join(source.path, 'd3'), { recursive: true });
    symlinkSync('d4', join(source.path, 'd3'));
    await rig.run({ op: 'copy-out', round: 1, parent: 0, source });
    const job = rig.job({ op: 'copy-in', round: 1, have: 0, begun: [1], fresh: false, target, verify: 'Touched' });
    const untouched = portrait(target.path).join('\n');
    /** A path that goes away while we look is a change as well. */
    const isUntouched = (): boolean => {
      try {
        return portrait(target.path).join('\n') === untouched;
      } catch {
        return false;
      }
    };
    for (let kill = 0; kill < 2; kill++) {
      await runProcess(job, (stop) => {
        const look = setInterval(() => {
          if (isUntouched()) return;
          clearInterval(look);
          stop();
        }, 1);
        look.unref();
      }).catch((error: unknown) => assert.equal(codeOf(error), 'Unreachable'));
    }
    const result = await runProcess(job);
    assert.equal(result.bytesTargetRead, 0);
    assert.deepEqual(portrait(target.path), portrait(source.path));
  });

  it('detects every bit flip in the store', async () => {
    const objects = globSync(join(base, 'store/lineages/*/volumes/**/*')).filter((path) => lstatSync(path).isFile());
    const fresh = { mode: 'Filesystem' as const, path: join(base, 'flipped') };
    const right: string[][] = [];
    for (const round of [0, 1]) {
      rmSync(fresh.path, { recursive: true, force: true });
      mkdirSync(fresh.path);
      await rig.run({ op: 'copy-in', round, fresh: true, target: fresh, verify: 'None' });
      right.push(portrait(fresh.path));
    }
    let detected = 0;
    for (const path of objects.slice(0, 8)) {
      const bytes = readFileSync(path);
      const flipped = Buffer.from(bytes);
      // In the middle of the object: chunks, not the index at the end, which only a resumed copy reads.
      const at = randomInt(4, Math.max(5, Math.floor(bytes.length * 0.9)));
      flipped[at] = (flipped[at] ?? 0) ^ (1 << randomInt(8));
      chmodSync(path, 0o600);
      writeFileSync(path, flipped);
      rmSync(fresh.path, { recursive: true, force: true });
      mkdirSync(fresh.path);
      const round = path.includes('/packs/000001/') || path.endsWith('/rounds/000001') ? 1 : 0;
      const outcome = await rig.run({ op: 'copy-in', round, fresh: true, target: fresh, verify: 'None' }).then(
        () => 'done',
        (error: unknown) => codeOf(error),
      );
      writeFileSync(path, bytes);
      // A pack of a killed run may hold chunks that no manifest names: then the result must be right.
      if (outcome === 'done') assert.deepEqual(portrait(fresh.path), right[round], `flip in ${path} at ${at}`);
      else assert.equal(outcome, 'Integrity', `flip in ${path} at ${at}`);
      if (outcome !== 'done') detected++;
    }
    assert.ok(detected > 0);
  });

  it('says nothing secret, whatever goes wrong', async () => {
    const job = rig.job({ op: 'copy-out', round: 7, source: { mode: 'Filesystem', path: join(base, 'missing') } });
    job.archive.location = {
      kind: 's3',
      bucket: 'bucket',
      prefix: '',
      region: 'x',
      pathStyle: true,
      endpoint: 'http://127.0.0.1:1',
      credentials: { accessKeyId: 'AKIDSECRET', secretAccessKey: 'VERYSECRET' },
    };
    const surprised: MoverJob = Object.assign({}, job, { surprise: job.archive.key });
    for (const wrong of [job, { ...job, streams: 99 }, surprised]) {
      const child = start();
      let said = '';
      for (const stream of [child.stdout, child.stderr]) stream.on('data', (piece: Buffer) => (said += piece.toString()));
      await assert.rejects(runMover(child, wrong), (error: Error) => {
        const text = JSON.stringify(error, Object.getOwnPropertyNames(error));
        for (const secret of ['VERYSECRET', 'AKIDSECRET', job.archive.key]) assert.ok(!`${said}${text}`.includes(secret));
        return ['Unreachable', 'InvalidInput'].includes(codeOf(error));
      });
      child.kill('SIGKILL');
    }
  });

  it('stops when the controller goes away', async () => {
    const child = start();
    const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
    child.stdout.once('data', () => child.stdin.end());
    assert.equal(await ended, 1);
  });

  it('is canceled by a signal', async () => {
    const stop = new AbortController();
    const job = rig.job({ op: 'copy-out', round: 9, source, bytesPerSecondPerStream: 1 << 20 });
    await assert.rejects(runHere(job, { signal: stop.signal, onProgress: () => stop.abort() }), (error) => codeOf(error) === 'Canceled');
  });

  it('keeps sections and restore points, and gives them to the right key only', async () => {
    const location = openLocation(rig.spec);
    const archive = await openArchive({ location, lineage: rig.lineage, key: rig.key });
    await archive.writeSection('p1', 'objects', [{ kind: 'Secret' }]);
    await archive.writeSection('p1', 'objects', [{ kind: 'Secret' }]);
    await assert.rejects(archive.writeSection('p1', 'objects', []), (error) => codeOf(error) === 'Conflict');
    assert.deepEqual(await archive.restorePoints(), []);
    const point = {
      name: 'p1',
      lineage: rig.lineage,
      createdAt: '2026-01-01T00:00:00Z',
      cluster: { id: 'i', name: 'n', version: 'v' },
      namespaces: ['shop'],
      objects: 1,
      volumes: [],
    };
    await archive.commit(point);
    assert.deepEqual(await archive.restorePoints(), [point]);
    assert.deepEqual(await archive.readSection('p1', 'objects'), [{ kind: 'Secret' }]);
    await assert.rejects(archive.readSection('p1', 'none'), (error) => codeOf(error) === 'NotFound');
    assert.ok((await archive.usage()).bytes > total);
    const wrong = randomBytes(32).toString('base64');
    await assert.rejects(openArchive({ location, lineage: rig.lineage, key: wrong }), (error) => codeOf(error) === 'Unauthorized');
    await assert.rejects(openArchive({ location, lineage: 'abcdefgh', key: wrong }), (error) => codeOf(error) === 'NotFound');
  });
});
