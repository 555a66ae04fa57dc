import assert from 'node:assert/strict';
import { test } from 'node:test';
import { captured, shop } from '../plan/fixtures/shop.ts';
import { deployment, object } from './fixtures/sides.ts';
import { hostsIn, hostText } from './host-names.ts';
import { reduceCaptured, reduceObject } from './reduce.ts';

const canary = 'canary-5f1d';
const base64 = (text: string) => Buffer.from(text).toString('base64');

test('nothing of a Secret is left but the hosts that it names', () => {
  const secret = object('Secret', 's', {
    metadata: {
      annotations: {
        'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify({ apiVersion: 'v1', kind: 'Secret', data: { a: canary } }),
      },
    },
    data: {
      url: base64(`postgres://user:${canary}@db.example.com:5432/shop?sslmode=${canary}`),
      plain: base64(canary),
      jwt: base64(`${canary}.aaaa.bbbb`),
      'config.ini': base64(`[db]\nhost = db.shop\npassword = ${canary}\n`),
      bad: base64(`postgres://user:${canary}/with/slash@db:5432/`),
    },
  });
  const reduced = reduceObject(secret);
  const data = Object.fromEntries(
    Object.entries(reduced['data'] as Record<string, string>).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]),
  );
  assert.deepEqual(data, { url: 'any://db.example.com:5432', plain: '', jwt: '', 'config.ini': 'any://db.shop', bad: '' });
  assert.ok(!JSON.stringify(reduced).includes(canary));
  assert.deepEqual(reduceObject(reduced), reduced);
});

test('passwords in addresses, variables and arguments go; names of Secrets stay', () => {
  const web = deployment({
    containers: [
      {
        name: 'main',
        image: 'x:v1',
        args: [`--db-password=${canary}`, `--url=https://me:${canary}@api.example.com/x`],
        env: [
          { name: 'DB_PASSWORD', value: canary },
          { name: 'TOKEN', valueFrom: { secretKeyRef: { name: 'tokens', key: 'password' } } },
          { name: 'DB_HOST', value: 'db.example.com' },
        ],
      },
    ],
    volumes: [{ name: 'v', secret: { secretName: 'files' } }],
  });
  const text = JSON.stringify(reduceObject(web));
  assert.ok(!text.includes(canary), text);
  for (const kept of ['tokens', '"key":"password"', 'files', 'db.example.com', 'api.example.com']) assert.ok(text.includes(kept), kept);
  assert.deepEqual(reduceObject(reduceObject(web)), reduceObject(web));
});

test('ConfigMaps and custom resources', () => {
  const map = reduceObject(
    object('ConfigMap', 'c', { data: { 'app.yaml': `apiToken: ${canary}\nbackend: https://api.example.com/v1\n` } }),
  );
  assert.deepEqual(map['data'], { 'app.yaml': 'any://api.example.com' });
  const custom = reduceObject(
    object('Database', 'd', { spec: { password: canary, existingSecret: 'db', secretName: 'db', clientToken: canary } }, 'example.com/v1'),
  );
  assert.deepEqual(custom['spec'], { password: '(redacted)', existingSecret: 'db', secretName: 'db', clientToken: '(redacted)' });
});

test('a whole application: the given one stays as it was, twice is once, a large object is told once', () => {
  const { captured: app } = shop();
  const large = captured(object('Secret', 'large', { data: { file: base64('x'.repeat(1_000_000)) } }));
  const given = { ...app, objects: [...app.objects, large] };
  const before = structuredClone(given);
  const once = reduceCaptured(given);
  assert.deepEqual(given, before);
  assert.deepEqual(reduceCaptured(once), once);
  assert.deepEqual(
    once.findings.filter(({ id }) => id === 'ObjectLarge').map(({ subject }) => subject?.name),
    ['large'],
  );
});

test('hosts inside texts', () => {
  const of = (text: string, key = '') => hostsIn(text, key).map(hostText);
  assert.deepEqual(of('amqp://a:b@one.example.com:5672,two.example.com:5672/v'), ['one.example.com:5672', 'two.example.com:5672']);
  assert.deepEqual(
    of('see db-0.db.shop.svc.cluster.local:5432 and web.shop.svc'),
    ['db-0.db.shop.svc.cluster.local:5432', 'web.shop.svc'].map((each) => each.replace('db-0.', '')),
  );
  assert.deepEqual(of('db.example.com', 'DB_HOST'), ['db.example.com']);
  assert.deepEqual(of('db.example.com', 'COLOR'), []);
  assert.deepEqual(of('just words, and 3.14'), []);
  assert.deepEqual(of('http://[fd00::1]:8080/'), ['[fd00::1]:8080']);
  assert.deepEqual(of('http://bad_host!.x/ http://x:99999/'), []);
});
