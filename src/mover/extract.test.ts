import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { portrait, rigOn } from './rig.ts';
import { makeTorture } from './torture.ts';

const program = join(import.meta.dirname, '../../docs/extract.py');
const python = spawnSync('python3', ['-c', 'import cryptography'], { stdio: 'ignore' }).status === 0;
const skip = process.getuid?.() !== 0 ? 'needs root' : python ? false : 'needs python3 with the package cryptography';

describe('the independent extractor', { skip }, () => {
  it('restores a round that Tranship has written, attribute by attribute', async () => {
    const base = mkdtempSync(join(tmpdir(), 'tranship-extract-'));
    const [source, target] = [join(base, 'source'), join(base, 'target')];
    mkdirSync(source);
    mkdirSync(target);
    makeTorture(source);
    writeFileSync(
      join(source, 'many-chunks'),
      Buffer.concat(Array.from({ length: 140 }, (_, number) => Buffer.alloc(1 << 20, `${number} `))),
    );
    const rig = await rigOn(join(base, 'store'));
    await rig.run({ op: 'copy-out', round: 0, source: { mode: 'Filesystem', path: source } });
    writeFileSync(join(source, 'later'), 'second round');
    await rig.run({ op: 'copy-out', round: 1, parent: 0, source: { mode: 'Filesystem', path: source } });
    const extract = (key: string): ReturnType<typeof spawnSync> =>
      spawnSync('python3', [program, join(base, 'store'), rig.lineage, 'shop/data', '1', target], {
        env: { ...process.env, TRANSHIP_KEY: key },
        encoding: 'utf8',
      });
    const wrong = extract(Buffer.alloc(32).toString('base64'));
    assert.match(String(wrong.stderr), /not the key/);
    const right = extract(rig.key);
    assert.equal(right.stderr, '');
    assert.equal(right.status, 0);
    assert.deepEqual(portrait(target), portrait(source));
    rmSync(base, { recursive: true });
  });
});
