import assert from 'node:assert/strict';
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { allLedgers, Ledger, type Header, type LedgerRecord } from './ledger.ts';
import { bootId, gone, isAlive, ownProcess, startRecorded, startTimeOf } from './process.ts';
import { whyStale } from './stale.ts';
import { undo } from './undo.ts';

const scratch = mkdtempSync(join(tmpdir(), 'ledger-'));
mkdirSync(join(scratch, 'testbed'));
writeFileSync(join(scratch, 'testbed', 'main.ts'), '');
after(() => rmSync(scratch, { recursive: true, force: true }));

function header(changes: Partial<Header> = {}): Header {
  const fixed = { kind: 'bed', id: 'abc123', level: 'nodes', name: '', owned: false, ranges: [], firstPort: 0 } as const;
  return { ...fixed, checkout: scratch, boot: bootId(), launcher: ownProcess(), ...changes };
}

function begun(id: string, changes: Partial<Header> = {}): Ledger {
  const ledger = new Ledger(id, scratch);
  ledger.begin(header({ id, ...changes }));
  return ledger;
}

test('half a last line is left out, and what is written after it is read', () => {
  const ledger = begun('half');
  ledger.write({ kind: 'link', name: 'tsb-abc123' });
  appendFileSync(ledger.path, '\n{"kind":"path","pa');
  assert.deepEqual(
    ledger.read().map((record) => record.kind),
    ['bed', 'link'],
  );
  ledger.write({ kind: 'ready' });
  assert.deepEqual(
    ledger.read().map((record) => record.kind),
    ['bed', 'link', 'ready'],
  );
});

test('a ledger that was never begun is found and counts as stale', () => {
  mkdirSync(join(scratch, 'never'));
  const found = allLedgers(scratch).find(({ id }) => id === 'never');
  assert.ok(found);
  assert.equal(whyStale(found.read()), 'it was never begun');
});

test('a program has written itself down before it runs', async () => {
  const ledger = begun('program');
  const id = startRecorded(ledger, { what: 'sleeper', argv: ['sleep', '1000'], env: { PATH: '/usr/bin:/bin' }, log: join(scratch, 'log') });
  while (!ledger.read().some((record) => record.kind === 'process')) await delay(5);
  assert.deepEqual(
    ledger.read().find((record) => record.kind === 'process'),
    { kind: 'process', what: 'sleeper', ...id },
  );
  await undo(ledger, AbortSignal.timeout(10_000));
  assert.equal(isAlive(id), false);
  assert.equal(existsSync(ledger.directory), false);
});

test('a program is not started when its ledger is gone', async () => {
  const ledger = begun('removed');
  ledger.remove();
  const mark = join(scratch, 'mark');
  const id = startRecorded(ledger, { what: 'late', argv: ['touch', mark], env: { PATH: '/usr/bin:/bin' }, log: join(scratch, 'log') });
  await gone([id]);
  assert.equal(existsSync(mark), false);
});

test('undo deletes what is named, spares a process that has only the same number, and can be repeated', async () => {
  const ledger = begun('undo');
  const file = join(scratch, 'made');
  writeFileSync(file, '');
  ledger.write({ kind: 'path', path: file });
  ledger.write({ kind: 'path', path: join(scratch, 'never-made') });
  ledger.write({ kind: 'process', what: 'us-before', pid: process.pid, started: '1' });
  await undo(ledger, AbortSignal.timeout(10_000));
  await undo(ledger, AbortSignal.timeout(10_000));
  assert.equal(existsSync(file), false);
  assert.notEqual(startTimeOf(process.pid), undefined);
});

test('why a bed is stale', () => {
  const dead = { pid: process.pid, started: '1' };
  const ready: LedgerRecord = { kind: 'ready' };
  const node = (id: { pid: number; started: string }): LedgerRecord => ({ kind: 'process', what: 'node-source', ...id });
  assert.equal(whyStale([header()]), undefined);
  assert.equal(whyStale([header({ boot: 'other' })]), 'the machine was started again');
  assert.match(whyStale([header({ checkout: '/not/there' })]) ?? '', /is gone/);
  assert.equal(whyStale([header({ launcher: dead })]), 'its start was interrupted');
  assert.equal(whyStale([header({ launcher: dead }), node(ownProcess()), ready]), undefined);
  assert.equal(whyStale([header({ launcher: dead }), node(dead), ready]), 'its node-source ended');
  assert.equal(whyStale([header({ launcher: dead, owned: true }), node(ownProcess()), ready]), 'the process it belonged to ended');
});
