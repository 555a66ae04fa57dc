import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { hubNamespace } from '../api/meta.ts';
import { migrationSchema } from '../api/migration.ts';
import { TranshipError } from '../errors.ts';
import { openEmbeddedHub } from '../hub/index.ts';
import { exitCodes } from './exit-codes.ts';
import { emptyStatus, scriptedEngine, success, type Script } from './testing/engine.ts';
import { terminal } from './testing/terminal.ts';

let directory: string;
let hubFile: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'cli-'));
  hubFile = join(directory, 'hub.db');
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const move = ['migrate', '--from', 'old', '--to', 'new', '-n', 'shop', '--map-namespace', 'shop=store', '--location', 'dir:/backups'];

function start(script: Script, answer?: string) {
  const engine = scriptedEngine(script);
  return { engine, ...terminal({ hubFile, engine, ...(answer === undefined ? {} : { answer }) }) };
}

async function stored(kind: 'Migration' | 'Cluster' | 'Location') {
  const hub = openEmbeddedHub({ file: hubFile });
  try {
    return await hub.list(kind, hubNamespace);
  } finally {
    await hub.close();
  }
}

const blocked = {
  findings: [
    {
      id: 'StorageClassMissing',
      severity: 'block' as const,
      message: 'Storage class "fast" is not on new.',
      fix: 'Use --map-storage-class fast=…',
      proof: 'read' as const,
    },
  ],
};

describe('tranship migrate', () => {
  test('writes the objects, runs the engine and ends with the summary on standard output', async () => {
    const { tranship, engine } = start({});
    const { code, stdout } = await tranship(...move, '--yes');
    assert.equal(code, exitCodes.ok);
    assert.match(stdout, /shop-to-new: Succeeded/);
    assert.match(stdout, /without service\s+4\.2 s/);
    assert.deepEqual(engine.runs, ['shop-to-new']);
    const [migration] = await stored('Migration');
    assert.deepEqual(migrationSchema.parse(migration).spec.mapping.namespaces, [{ from: 'shop', to: 'store' }]);
    assert.equal((await stored('Cluster')).length, 2);
    assert.equal((await stored('Location')).length, 1);
  });

  test('without a terminal and without --yes it refuses, with the cure, before anything is read', async () => {
    const { tranship } = start({ planError: new TranshipError('Internal', 'the plan must not be asked for') });
    const { code, stderr } = await tranship(...move);
    assert.equal(code, exitCodes.invalid);
    assert.match(stderr, /there is no terminal to ask on.*\n.*--yes/);
    assert.equal((await stored('Migration')).length, 0);
  });

  test('a person who does not say yes changes nothing', async () => {
    const { tranship, engine } = start({}, 'n');
    const { code, stderr } = await tranship(...move);
    assert.equal(code, exitCodes.ok);
    assert.match(stderr, /namespace shop → store[\s\S]*Nothing was changed/);
    assert.deepEqual(engine.runs, []);
    assert.equal((await stored('Migration')).length, 0);
  });

  test('a person who says yes starts it', async () => {
    const { tranship, engine } = start({}, 'yes');
    assert.equal((await tranship(...move)).code, exitCodes.ok);
    assert.deepEqual(engine.runs, ['shop-to-new']);
  });

  test('a blocked plan ends with its own code, the finding and its cure; nothing is stored', async () => {
    const { tranship, engine } = start({ plan: blocked });
    const { code, stderr } = await tranship(...move, '--yes');
    assert.equal(code, exitCodes.blocked);
    assert.match(stderr, /BLOCK\s+StorageClassMissing\s+Storage class "fast" is not on new\. → Use --map-storage-class/);
    assert.deepEqual(engine.runs, []);
    assert.equal((await stored('Migration')).length, 0);
  });

  test('an error of the engine is its sentence, its hint and the code of its kind', async () => {
    const { tranship } = start({
      planError: new TranshipError('NotFound', 'Context "old" is not in the kubeconfig.', { hint: 'Known contexts: a, b.' }),
    });
    const { code, stderr } = await tranship(...move, '--yes');
    assert.equal(code, exitCodes.invalid);
    assert.equal(stderr, 'error: Context "old" is not in the kubeconfig.\nhint: Known contexts: a, b.\n');
  });

  test('called again after a failure it goes on without planning anew', async () => {
    let attempt = 0;
    const { tranship, engine } = start({
      run: async (_options, _migration, report) => {
        attempt += 1;
        await report({
          steps: emptyStatus().steps.map((step) => (step.name === 'Seed' ? { ...step, state: 'Running', attempts: attempt } : step)),
        });
        if (attempt === 1) throw new TranshipError('TimedOut', 'The mover did not start.');
        return success;
      },
    });
    const first = await tranship(...move, '--yes');
    assert.equal(first.code, exitCodes.failed);
    assert.match(first.stderr, /The mover did not start/);
    const second = await tranship(...move);
    assert.equal(second.code, exitCodes.ok, second.stderr);
    assert.match(second.stderr, /Going on with the migration "shop-to-new"/);
    assert.equal(engine.runs.length, 2);
  });

  test('other settings under the same name are a conflict once something was touched, and name the field', async () => {
    const { tranship } = start({
      run: async (_options, _migration, report) => {
        await report({ steps: emptyStatus().steps.map((step) => (step.name === 'Prepare' ? { ...step, state: 'Done' } : step)) });
        throw new TranshipError('TimedOut', 'later');
      },
    });
    await tranship(...move, '--yes');
    const { code, stderr } = await tranship(...move, '--yes', '--streams', '4');
    assert.equal(code, exitCodes.conflict);
    assert.match(stderr, /begun with other settings: transfer\.streams/);
    const elsewhere = await tranship(...move.slice(0, -1), 'dir:/elsewhere', '--yes');
    assert.equal(elsewhere.code, exitCodes.conflict);
    assert.match(elsewhere.stderr, /the location/);
  });

  test('a wrong flag can be corrected under the same name while nothing was touched', async () => {
    let attempt = 0;
    const { tranship } = start({
      run: async (_options, migration) => {
        attempt += 1;
        if (attempt === 1) throw new TranshipError('Blocked', 'blocked');
        assert.equal(migration.spec.transfer.streams, 4);
        return success;
      },
    });
    assert.equal((await tranship(...move, '--yes')).code, exitCodes.blocked);
    assert.equal((await tranship(...move, '--yes', '--streams', '4')).code, exitCodes.ok);
  });

  test('-o json prints the object on standard output and nothing else there', async () => {
    const { tranship } = start({});
    const { stdout } = await tranship(...move, '--yes', '-o', 'json');
    assert.equal((JSON.parse(stdout) as { kind: string }).kind, 'Migration');
  });

  test('objects that could not be carried end with the code for incomplete', async () => {
    const failed = [{ target: 'Secret store/x', reason: 'AdmissionDenied', message: 'policy' }];
    const { tranship } = start({ run: async () => ({ ...success, more: { failedObjects: failed } }) });
    const { code, stdout } = await tranship(...move, '--yes');
    assert.equal(code, exitCodes.incomplete);
    assert.match(stdout, /Secret store\/x: AdmissionDenied: policy/);
  });

  test('the first Ctrl-C writes the wish to cancel, and the engine undoes', async () => {
    const self = start({
      run: async (options, _migration, report) => {
        await report({ phase: 'Seed' });
        self.send('SIGINT');
        for await (const event of options.hub.watch('Migration', AbortSignal.any([options.signal]))) {
          if ((event.object['spec'] as { cancel: boolean }).cancel) break;
        }
        return { state: 'failed', reason: 'Canceled', message: 'Everything was undone.' };
      },
    });
    const { code, stderr } = await self.tranship(...move, '--yes');
    assert.equal(code, exitCodes.undone);
    assert.match(stderr, /Cancelling: what was begun is undone/);
  });

  test('the second Ctrl-C ends at once and says how to go on', async () => {
    const self = start({
      run: async (options, _migration, report) => {
        await report({ phase: 'Seed' });
        self.send('SIGINT');
        self.send('SIGINT');
        options.signal.throwIfAborted();
        return success;
      },
    });
    const { code, stderr } = await self.tranship(...move, '--yes');
    assert.equal(code, exitCodes.interrupted);
    assert.match(stderr, /hint: "tranship resume shop-to-new" finishes the undoing/);
  });

  test('--dry-run shows the plan and stores nothing', async () => {
    const { tranship, engine } = start({ plan: blocked });
    const { code, stdout } = await tranship(...move, '--dry-run');
    assert.equal(code, exitCodes.blocked);
    assert.match(stdout, /BLOCK/);
    assert.deepEqual(engine.runs, []);
  });
});

describe('the verbs on a stored migration', () => {
  test('status lists it, shows it, and prints the object as JSON', async () => {
    const { tranship } = start({});
    await tranship(...move, '--yes');
    assert.match((await tranship('status')).stdout, /NAME.*STATE[\s\S]*shop-to-new\s+shop→store.*Succeeded/);
    assert.match((await tranship('status', 'shop-to-new')).stdout, /Activate|Start the application on the target/);
    const object = JSON.parse((await tranship('status', 'shop-to-new', '-o', 'json')).stdout) as { metadata: { name: string } };
    assert.equal(object.metadata.name, 'shop-to-new');
  });

  test('an unknown name is answered with the known ones', async () => {
    const { tranship } = start({});
    await tranship(...move, '--yes');
    const { code, stderr } = await tranship('status', 'nope');
    assert.equal(code, exitCodes.invalid);
    assert.match(stderr, /There is no migration named "nope"\.\nhint: Known: shop-to-new\./);
  });

  test('logs prints what the engine recorded', async () => {
    const { tranship } = start({
      run: async (options) => {
        options.journal.append({ time: '2026-01-01T00:00:00Z', level: 'warn', step: 'Seed', volume: 'shop/data', message: 'slow' });
        return success;
      },
    });
    await tranship(...move, '--yes');
    assert.equal((await tranship('logs', 'shop-to-new')).stdout, '2026-01-01T00:00:00Z  WARN [Seed shop/data] slow\n');
  });

  test('cancel of a failed migration runs the engine with the wish written down', async () => {
    let attempt = 0;
    const { tranship } = start({
      run: async (_options, migration) => {
        attempt += 1;
        if (attempt === 1) throw new TranshipError('TimedOut', 'later');
        assert.equal(migration.spec.cancel, true);
        return { state: 'failed', reason: 'Canceled', message: 'Everything was undone.' };
      },
    });
    await tranship(...move, '--yes');
    const { code, stdout } = await tranship('cancel', 'shop-to-new');
    assert.equal(code, exitCodes.ok);
    assert.match(stdout, /Canceled\. Everything was undone/);
    assert.equal((await tranship('resume', 'shop-to-new')).code, exitCodes.invalid);
  });

  test('cancel of a finished move is refused with the way to do it', async () => {
    const { tranship } = start({});
    await tranship(...move, '--yes');
    const { code, stderr } = await tranship('cancel', 'shop-to-new');
    assert.equal(code, exitCodes.invalid);
    assert.match(stderr, /tranship rollback shop-to-new/);
  });

  test('rollback needs consent, and success is the application on the source', async () => {
    const { tranship } = start({
      run: async (_options, migration) =>
        migration.spec.rollback ? { state: 'failed', reason: 'RolledBack', message: 'Back on the source.' } : success,
    });
    await tranship(...move, '--yes');
    assert.equal((await tranship('rollback', 'shop-to-new')).code, exitCodes.invalid);
    assert.equal((await tranship('rollback', 'shop-to-new', '--yes')).code, exitCodes.ok);
    assert.equal((await tranship('rollback', 'shop-to-new', '--yes')).code, exitCodes.ok, 'a second call is the same');
  });

  test('rollback of a move that did not start the application is refused', async () => {
    const { tranship } = start({
      run: async () => {
        throw new TranshipError('TimedOut', 'later');
      },
    });
    await tranship(...move, '--yes');
    const { code, stderr } = await tranship('rollback', 'shop-to-new', '--yes');
    assert.equal(code, exitCodes.invalid);
    assert.match(stderr, /nothing to roll back/);
  });
});
