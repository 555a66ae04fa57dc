import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { codeOf, type TranshipError } from '../errors.ts';
import { runMover } from './client.ts';
import type { MoverJob, MoverResult } from './protocol.ts';
import { portrait, rigOn } from './rig.ts';
import { removeXattr } from './sys.ts';
import { makeTorture } from './torture.ts';

/** What the mover's container has, and no more. */
const few = '-all,+chown,+dac_override,+fowner,+fsetid,+mknod,+setfcap';
const able = spawnSync('setpriv', ['--bounding-set', few, 'true']).status === 0;

async function runWith(capabilities: string, job: MoverJob): Promise<MoverResult> {
  const program = join(import.meta.dirname, 'main.ts');
  const child = spawn('setpriv', ['--bounding-set', capabilities, process.execPath, program, 'run'], { stdio: ['pipe', 'pipe', 'pipe'] });
  try {
    return await runMover(child, job);
  } finally {
    child.kill('SIGKILL');
  }
}

describe('with the capabilities of its container', { skip: able ? false : 'needs root and setpriv' }, () => {
  it('carries everything but trusted attributes, and is not silent about those', async () => {
    const base = mkdtempSync(join(tmpdir(), 'tranship-capabilities-'));
    const source = { mode: 'Filesystem' as const, path: join(base, 'source') };
    const target = { mode: 'Filesystem' as const, path: join(base, 'target') };
    for (const { path } of [source, target]) mkdirSync(path);
    makeTorture(source.path);
    const rig = await rigOn(join(base, 'store'));
    await runWith(`${few},+sys_admin`, rig.job({ op: 'copy-out', round: 0, source }));
    await assert.rejects(runWith(few, rig.job({ op: 'copy-in', round: 0, fresh: true, target, verify: 'All' })), (error) => {
      const { paths } = (error as TranshipError).details as { paths: { path: string }[] };
      assert.deepEqual(
        paths.map(({ path }) => path),
        ['dangling'],
      );
      return codeOf(error) === 'Incomplete';
    });
    const { notes } = await runWith(few, rig.job({ op: 'copy-out', round: 1, source }));
    assert.match(notes[0]?.note ?? '', /trusted/);
    await runWith(few, rig.job({ op: 'copy-in', round: 1, fresh: false, target, verify: 'All' }));
    removeXattr(join(source.path, 'dangling'), 'trusted.on-link');
    assert.deepEqual(portrait(target.path), portrait(source.path));
    rmSync(base, { recursive: true });
  });
});
