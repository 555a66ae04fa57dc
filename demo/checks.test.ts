import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkAcknowledged, checkFiles, checkLedger, checkTables, checkWeb } from './checks.ts';
import type { DataFacts, FileFact, WebFacts } from './facts.ts';

const file = (path: string): FileFact => ({
  path,
  type: 'file',
  mode: '0644',
  owner: '0:0',
  size: 5,
  mtime: '1',
  linkedWith: '',
  links: 1,
  holes: false,
  pointsTo: '',
  sha256: 'aa',
  xattrs: '',
});

function facts(): DataFacts {
  return {
    database: {
      tables: [
        { table: 'orders', rows: 10, checksum: 'o' },
        { table: 'sales', rows: 300, checksum: 's' },
      ],
      ticks: 20,
      ticksCounted: 20,
      orders: 10,
      ordersCounted: 10,
      bytes: 1,
    },
    files: [{ ...file(''), type: 'directory', sha256: '' }, file('a'), file('hex:e9')],
    ledger: { bytes: 32, entries: 7, counted: 7, sha256: 'cc', zeroBehind: true },
  };
}

const limits = { ticks: 20, orders: 10, entries: 7 };
const acknowledged = { orders: 10, ticks: 20, entries: 7 };

test('equal facts pass every check', () => {
  const [a, b] = [facts(), facts()];
  for (const check of [checkTables(a, b), checkFiles(a, b), checkLedger(a, b), checkAcknowledged(acknowledged, a, b, limits)]) {
    assert.deepEqual(check.differences, [], check.title);
  }
});

test('a changed, missing or extra table is a difference', () => {
  for (const change of [
    (tables: DataFacts['database']['tables']) => (tables[1]!.checksum = 'x'),
    (tables: DataFacts['database']['tables']) => (tables[1]!.rows = 299),
    (tables: DataFacts['database']['tables']) => tables.pop(),
    (tables: DataFacts['database']['tables']) => tables.push({ table: 'new', rows: 1, checksum: 'n' }),
  ]) {
    const changed = facts();
    change(changed.database.tables);
    assert.equal(checkTables(facts(), changed).differences.length, 1);
  }
});

test('every attribute of a file counts', () => {
  const other: Partial<FileFact> = {
    type: 'fifo',
    mode: '0600',
    owner: '1:1',
    size: 6,
    mtime: '2',
    linkedWith: 'b',
    links: 2,
    holes: true,
    pointsTo: 'x',
    sha256: 'bb',
    xattrs: 'user.a=00',
  };
  for (const field of Object.keys(file('')).filter((key) => key !== 'path')) {
    const changed = facts();
    changed.files[1] = { ...changed.files[1]!, [field]: other[field as keyof FileFact] };
    const { differences } = checkFiles(facts(), changed);
    assert.equal(differences.length, 1, field);
    assert.match(differences[0]!, new RegExp(`"a": ${field} `));
  }
});

test('a file that is missing or was added is a difference', () => {
  const less = facts();
  less.files.pop();
  assert.equal(checkFiles(facts(), less).differences.length, 1);
  assert.equal(checkFiles(less, facts()).differences.length, 1);
});

test('an empty source proves nothing', () => {
  const empty = facts();
  empty.files = [];
  empty.database.tables = [];
  assert.equal(checkFiles(empty, empty).differences.length, 1);
  assert.equal(checkTables(empty, empty).differences.length, 1);
  assert.equal(checkAcknowledged({ ...acknowledged, orders: 0 }, empty, empty, limits).differences.length, 1);
});

test('a lost acknowledged write is counted', () => {
  const changed = facts();
  changed.database.ordersCounted = 8;
  const check = checkAcknowledged(acknowledged, facts(), changed, limits);
  assert.match(check.compared, /lost: 2$/);
  assert.deepEqual(check.differences, ['2 of 10 acknowledged orders are not on the target']);
  assert.equal(checkAcknowledged({ ...acknowledged, ticks: 21 }, facts(), facts(), limits).differences.length, 1);
  assert.equal(checkAcknowledged({ ...acknowledged, entries: 8 }, facts(), facts(), limits).differences.length, 1);
  const gap = facts();
  gap.database.ticksCounted = 19;
  assert.equal(checkAcknowledged(acknowledged, facts(), gap, limits).differences.length, 1);
});

test('the block device is compared by hash, length and what lies behind it', () => {
  for (const change of [{ sha256: 'dd' }, { entries: 6 }, { bytes: 31 }, { zeroBehind: false }]) {
    const changed = facts();
    Object.assign(changed.ledger, change);
    assert.equal(checkLedger(facts(), changed).differences.length, 1, JSON.stringify(change));
  }
});

test('the application must answer with its data and with its rights in the new namespace', () => {
  const web: WebFacts = {
    url: 'http://a:1',
    health: true,
    checksum: { rows: 1000, checksum: 'c' },
    nodes: 1,
    uploads: 9,
    settings: { namespace: 'shop-new', settings: { DATABASE_HOST: 'postgres.shop-new.svc' } },
  };
  const failures = (target: WebFacts) => checkWeb(web, target, 'shop-new').flatMap((check) => check.differences).length;
  assert.equal(failures(web), 0);
  assert.equal(failures({ ...web, health: false }), 1);
  assert.equal(failures({ ...web, checksum: undefined }), 1);
  assert.equal(failures({ ...web, uploads: 8 }), 1);
  assert.equal(failures({ ...web, nodes: 0 }), 1);
  assert.equal(failures({ ...web, settings: undefined }), 2);
  assert.equal(failures({ ...web, settings: { namespace: 'shop-new', settings: { DATABASE_HOST: 'postgres.shop.svc' } } }), 1);
});
