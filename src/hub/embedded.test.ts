import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, it } from 'node:test';
import type { TestContext } from 'node:test';
import { TranshipError } from '../errors.ts';
import { openEmbeddedHub } from './embedded.ts';
import { hubContract } from './hub.contract.ts';
import { defaultHubFile, explained } from './schema.ts';

hubContract('embedded', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'hub-'));
  const file = join(directory, 'hub.db');
  const a = openEmbeddedHub({ file });
  const b = openEmbeddedHub({ file });
  return {
    a,
    b,
    async close() {
      await a.close();
      await b.close();
      await rm(directory, { recursive: true });
    },
  };
});

async function scratch(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'hub-'));
  t.after(() => rm(directory, { recursive: true }));
  return directory;
}

function failsWith(code: string, words: RegExp): (error: unknown) => boolean {
  return (error) => error instanceof TranshipError && error.code === code && words.test(error.message);
}

describe('embedded hub file', () => {
  it('is made for its owner only, with its directory', async (t) => {
    const file = join(await scratch(t), 'state', 'deep', 'hub.db');
    const hub = openEmbeddedHub({ file });
    await hub.create({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'a', namespace: 'tranship' } });
    assert.equal((await stat(join(file, '..'))).mode & 0o777, 0o700);
    for (const part of ['', '-wal', '-shm']) assert.equal((await stat(file + part)).mode & 0o777, 0o600, part);
    await hub.close();
  });

  it('closes a file that others could read', async (t) => {
    const file = join(await scratch(t), 'hub.db');
    await openEmbeddedHub({ file }).close();
    await chmod(file, 0o644);
    await openEmbeddedHub({ file }).close();
    assert.equal((await stat(file)).mode & 0o777, 0o600);
  });

  it('refuses a damaged file, a foreign one and one of a newer version, each with its sentence', async (t) => {
    const directory = await scratch(t);
    const damaged = join(directory, 'damaged.db');
    await writeFile(damaged, 'this is no database, but long enough to look like one'.repeat(100));
    assert.throws(() => openEmbeddedHub({ file: damaged }), failsWith('Integrity', /damaged/));

    const foreign = join(directory, 'foreign.db');
    const other = new DatabaseSync(foreign);
    other.exec('CREATE TABLE photos (id INTEGER)');
    other.close();
    assert.throws(() => openEmbeddedHub({ file: foreign }), failsWith('InvalidInput', /not a Tranship hub/));

    const newer = join(directory, 'newer.db');
    await openEmbeddedHub({ file: newer }).close();
    const db = new DatabaseSync(newer);
    db.exec('PRAGMA user_version = 99');
    db.close();
    assert.throws(() => openEmbeddedHub({ file: newer }), failsWith('Unsupported', /newer Tranship \(format 99/));
  });

  it('names a full disk, and writes nothing of the change', async (t) => {
    const file = join(await scratch(t), 'hub.db');
    await openEmbeddedHub({ file }).close();
    // A page limit is how SQLite can be told that the disk is this small: the same result code as a full disk.
    const db = new DatabaseSync(file);
    db.exec('PRAGMA max_page_count = 5');
    const fill = (): unknown => db.prepare("INSERT INTO objects VALUES ('Secret', 'a', 'b', 'c', 1, ?)").run('x'.repeat(100_000));
    assert.throws(() => explained(file, fill), failsWith('NoSpace', /disk.*full/));
    db.close();
    const hub = openEmbeddedHub({ file });
    assert.deepEqual(await hub.list('Secret'), []);
    await hub.close();
  });

  it('keeps what was committed when the process is killed', { timeout: 240_000 }, async (t) => {
    const file = join(await scratch(t), 'hub.db');
    const script = `
      import { openEmbeddedHub } from ${JSON.stringify(new URL('./embedded.ts', import.meta.url).href)};
      const hub = openEmbeddedHub({ file: ${JSON.stringify(file)} });
      for (let n = 0; ; n++) {
        await hub.create({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'n' + n, namespace: 'tranship' } });
        process.stdout.write(n + '\\n');
      }`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    let last = -1;
    for await (const text of child.stdout.setEncoding('utf8')) {
      last = Number(String(text).trim().split('\n').at(-1));
      if (last > 20) break;
    }
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    const hub = openEmbeddedHub({ file });
    const names = new Set((await hub.list('Secret')).map((object) => object.metadata.name));
    for (let n = 0; n <= last; n++) assert.ok(names.has(`n${n}`), `n${n} of ${last}`);
    await hub.close();
  });

  it('answers after close with Canceled', async (t) => {
    const hub = openEmbeddedHub({ file: join(await scratch(t), 'hub.db') });
    await hub.close();
    await hub.close();
    await assert.rejects(hub.list('Secret'), failsWith('Canceled', /closed/));
  });
});

describe('defaultHubFile', () => {
  it('follows TRANSHIP_HUB, then XDG_STATE_HOME, then HOME', () => {
    assert.equal(defaultHubFile({ TRANSHIP_HUB: '/a/b.db', XDG_STATE_HOME: '/x', HOME: '/h' }), '/a/b.db');
    assert.equal(defaultHubFile({ XDG_STATE_HOME: '/x', HOME: '/h' }), '/x/tranship/hub.db');
    assert.equal(defaultHubFile({ HOME: '/h' }), '/h/.local/state/tranship/hub.db');
  });
});
