import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { hubNamespace } from '../api/meta.ts';
import { migrationSchema } from '../api/migration.ts';
import { openEmbeddedHub } from '../hub/index.ts';
import { exitCodes } from './exit-codes.ts';
import { resourceOf } from './test-transforms.ts';
import { scriptedEngine } from './testing/engine.ts';
import { terminal } from './testing/terminal.ts';

let directory: string;
before(() => {
  directory = mkdtempSync(join(tmpdir(), 'transforms-'));
});
after(() => rmSync(directory, { recursive: true, force: true }));

function file(name: string, content: string): string {
  const path = join(directory, name);
  writeFileSync(path, content);
  return path;
}

const web = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web', namespace: 'shop' }, spec: { replicas: 3 } };
const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'db', namespace: 'shop', annotations: {} }, data: { p: 'Y2FuYXJ5' } };
let files = 0;
const set = (...transforms: unknown[]) =>
  file(
    `set-${(files += 1)}.yaml`,
    JSON.stringify({ apiVersion: 'tranship.io/v1alpha1', kind: 'TransformSet', metadata: { name: 's' }, spec: { transforms } }),
  );
const one = {
  name: 'one',
  subject: { resource: 'deployments' },
  json: [
    { op: 'test', path: '/spec/replicas' },
    { op: 'replace', path: '/spec/replicas', value: 1 },
  ],
};
const object = () => file('objects.yaml', JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [web, secret] }));
const call = async (...args: string[]) =>
  await terminal({ hubFile: join(directory, 'hub.db'), engine: scriptedEngine({}) }).tranship('transform', 'test', ...args);

test('shows per operation what it met and changed', async () => {
  const { code, stdout } = await call('-f', set(one), '--object', object());
  assert.equal(code, exitCodes.ok);
  assert.equal(
    stdout,
    `Transform one: fits 1 object
  Deployment.apps shop/web
    test /spec/replicas  holds at 1 place
    replace /spec/replicas  1 place, 1 changed
      /spec/replicas: 3 → 1

2 objects tried, 1 changed.
`,
  );
});

test('for programs: the results and the objects as they would be written', async () => {
  const { code, stdout } = await call('-f', set(one), '--object', object(), '-o', 'json');
  assert.equal(code, exitCodes.ok);
  const { transforms, objects } = JSON.parse(stdout) as { transforms: unknown; objects: { object: unknown }[] };
  assert.deepEqual(transforms, [{ name: 'one', objects: 1 }]);
  assert.deepEqual(
    objects.map((each) => each.object),
    [{ ...web, spec: { replicas: 1 } }],
  );
});

test('a transform that fits nothing and an operation that can not be done have exit codes of their own', async () => {
  const unused = await call('-f', set(one, { ...one, name: 'two', subject: { name: 'other' } }), '--object', object());
  assert.equal(unused.code, exitCodes.failed);
  assert.match(unused.stdout, /Transform two: fits 0 objects/);
  const failed = await call('-f', set({ ...one, json: [{ op: 'remove', path: '/spec/none' }] }), '--object', object());
  assert.equal(failed.code, exitCodes.blocked);
  assert.match(failed.stdout, /remove \/spec\/none {2}FAILED: \/spec\/none does not exist/);
  assert.match(failed.stdout, /a move would not start/);
});

test('wrong files and flags are named, before anything is done', async () => {
  for (const [args, message] of [
    [['-f', join(directory, 'none.yaml'), '--object', object()], /none\.yaml does not exist/],
    [['-f', set(one)], /either --object FILE or --migration NAME/],
    [['-f', set(one), '--object', file('x.yaml', 'kind: Pod')], /no object of Kubernetes/],
    [['-f', set({ ...one, json: [{ op: 'add', path: '/x' }] }), '--object', object()], /transforms\.0\.json\.0/],
  ] as const) {
    const { code, stderr } = await call(...args);
    assert.equal(code, exitCodes.invalid);
    assert.match(stderr, message);
  }
});

test('no value of a Secret is printed, wherever a transform has put it', async () => {
  const leak = { name: 'leak', subject: { resource: 'secrets' }, json: [{ op: 'copy', from: '/data/p', path: '/metadata/annotations/p' }] };
  for (const output of ['text', 'json']) {
    const { code, stdout } = await call('-f', set(leak), '--object', object(), '-o', output);
    assert.equal(code, exitCodes.ok);
    assert.doesNotMatch(stdout, /Y2FuYXJ5|canary/);
    assert.match(stdout, /\/metadata\/annotations\/p/);
  }
});

test('a restore point is tried as the move would have it: with its mapping, names of the source in subjects', async () => {
  const hubFile = join(directory, 'stored.db');
  const hub = openEmbeddedHub({ file: hubFile });
  const spec = {
    source: { cluster: 'a' },
    target: { cluster: 'b' },
    namespaces: ['shop'],
    location: 'l',
    mapping: { namespaces: [{ from: 'shop', to: 'store' }] },
  };
  const metadata = { name: 'shop-to-new', namespace: hubNamespace };
  await hub.create({ ...migrationSchema.parse({ apiVersion: 'tranship.io/v1alpha1', kind: 'Migration', metadata, spec }), metadata });
  await hub.close();
  const resource = {
    group: 'apps',
    version: 'v1',
    resource: 'deployments',
    kind: 'Deployment',
    namespaced: true,
    verbs: [],
    versions: ['v1'],
  };
  const engine = scriptedEngine({ captured: { objects: [{ object: web, resource, role: 'selected', shared: false }] } });
  const inShop = { name: 'n', subject: { namespaces: ['shop'] }, json: [{ op: 'copy', from: '/metadata/namespace', path: '/spec/in' }] };
  const { code, stdout } = await terminal({ hubFile, engine }).tranship(
    'transform',
    'test',
    '-f',
    set(inShop),
    '--migration',
    'shop-to-new',
  );
  assert.equal(code, exitCodes.ok);
  assert.match(stdout, /\/spec\/in: \(nothing\) → "store"/);
});

test('migrate writes the transforms of its files into the migration, and plans nothing when one is wrong', async () => {
  const hubFile = join(directory, 'other.db');
  const engine = scriptedEngine({});
  const migrate = ['migrate', '--from', 'old', '--to', 'new', '-n', 'shop', '--location', 'dir:/b', '--yes'];
  const wrong = await terminal({ hubFile, engine }).tranship(...migrate, '--transforms', set({ ...one, subject: {} }));
  assert.equal(wrong.code, exitCodes.invalid);
  assert.deepEqual(engine.runs, []);
  const right = await terminal({ hubFile, engine }).tranship(
    ...migrate,
    '--transforms',
    set(one),
    '--transforms',
    set({ ...one, name: 'two' }),
  );
  assert.equal(right.code, exitCodes.ok);
  const hub = openEmbeddedHub({ file: hubFile });
  const [stored] = await hub.list('Migration', hubNamespace);
  await hub.close();
  assert.deepEqual(
    migrationSchema.parse(stored).spec.transforms.map(({ name }) => name),
    ['one', 'two'],
  );
});

test('the plural of a kind is that of the API', () => {
  for (const [kind, plural] of [
    ['Deployment', 'deployments'],
    ['Ingress', 'ingresses'],
    ['NetworkPolicy', 'networkpolicies'],
    ['Gateway', 'gateways'],
    ['Endpoints', 'endpoints'],
    ['StorageClass', 'storageclasses'],
    ['Proxy', 'proxies'],
  ] as const) {
    assert.equal(resourceOf(kind), plural);
  }
});
