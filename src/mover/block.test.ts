import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, ftruncateSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { codeOf } from '../errors.ts';
import { type Rig, rigOn } from './rig.ts';

function attach(path: string): string | undefined {
  try {
    return execFileSync('losetup', ['--find', '--show', path], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return undefined;
  }
}

const base = mkdtempSync(join(tmpdir(), 'tranship-block-'));
const size = 67 << 20;
const files = ['source', 'target', 'small'].map((name) => join(base, name));
for (const path of files) {
  const fd = openSync(path, 'w');
  ftruncateSync(fd, path.endsWith('small') ? 1 << 20 : size);
  closeSync(fd);
}
const devices = files.map(attach);
const [source = '', target = '', small = ''] = devices;
const skip = devices.includes(undefined) ? 'needs root and loop devices' : false;
after(() => {
  for (const device of devices) if (device !== undefined) execFileSync('losetup', ['--detach', device]);
  rmSync(base, { recursive: true });
});

describe('block device', { skip }, () => {
  let rig: Rig;
  const ends = { source: { mode: 'Block' as const, path: source }, target: { mode: 'Block' as const, path: target } };
  const equal = (): void => assert.ok(readFileSync(source).equals(readFileSync(target)), 'devices differ');
  const write = (device: string, at: number, bytes: Buffer): void => {
    const fd = openSync(device, 'r+');
    writeSync(fd, bytes, 0, bytes.length, at);
    closeSync(fd);
  };
  before(async () => {
    rig = await rigOn(join(base, 'store'));
    write(source, 0, randomBytes(20 << 20));
    write(source, (50 << 20) + 4096, Buffer.from('island'));
    write(source, size - 10, Buffer.from('at the end'));
  });

  it('is copied in full onto a device that holds garbage: fresh is never believed of a device', async () => {
    writeFileSync(target, randomBytes(60 << 20));
    const out = await rig.run({ op: 'copy-out', round: 0, source: ends.source });
    assert.equal(out.bytes, 22 << 20);
    const result = await rig.run({ op: 'copy-in', round: 0, fresh: true, target: ends.target, verify: 'All' });
    assert.equal(result.manifestHash, out.manifestHash);
    assert.equal(result.bytesTargetRead, 0);
    equal();
  });
  it('gets only changed chunks, and reads nothing back', async () => {
    write(source, 5 << 20, randomBytes(100));
    write(source, 10 << 20, Buffer.alloc(1 << 20));
    write(source, 60 << 20, Buffer.from('new'));
    const out = await rig.run({ op: 'copy-out', round: 1, parent: 0, source: ends.source });
    assert.equal(out.bytesChanged, 2 << 20);
    const result = await rig.run({ op: 'copy-in', round: 1, have: 0, fresh: false, target: ends.target, verify: 'Touched' });
    assert.equal(result.bytesChanged, 2 << 20);
    assert.equal(result.bytesTargetRead, 0);
    equal();
  });
  it('is healed when nothing is known of it', async () => {
    write(target, 3 << 20, randomBytes(5000));
    write(target, 40 << 20, randomBytes(5000));
    await assert.rejects(rig.run({ op: 'verify', round: 1, target: ends.target }), (error) => codeOf(error) === 'Incomplete');
    const result = await rig.run({ op: 'copy-in', round: 1, fresh: false, target: ends.target, verify: 'All' });
    assert.equal(result.bytesChanged, 1 << 20);
    equal();
  });
  it('refuses a smaller device before it writes', async () => {
    await assert.rejects(
      rig.run({ op: 'copy-in', round: 1, fresh: true, target: { mode: 'Block', path: small }, verify: 'None' }),
      (error) => codeOf(error) === 'NoSpace',
    );
    assert.ok(readFileSync(small).equals(Buffer.alloc(1 << 20)));
  });
});
