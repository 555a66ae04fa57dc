import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dnsNamesOf, rewriteNames } from './dns-names.ts';
import { planOf, stepOf } from './fixtures/shop.ts';

const names = dnsNamesOf(
  new Map([
    ['shop', 'store'],
    ['same', 'same'],
  ]),
  ['db.shop', 'web.shop', 'api.same'],
);

for (const [text, expected] of [
  ['db.shop.svc', 'db.store.svc'],
  ['postgres://u:p@db.shop.svc.cluster.local:5432/shop', 'postgres://u:p@db.store.svc.cluster.local:5432/shop'],
  ['db-0.db.shop.svc,db-1.db.shop.svc', 'db-0.db.store.svc,db-1.db.store.svc'],
  ['http://web.shop:8080', 'http://web.store:8080'],
  ['*.shop.svc', '*.store.svc'],
  ['$(POD).shop.svc ${HOST}.shop.svc', '$(POD).store.svc ${HOST}.store.svc'],
  ['unknown.shop.svc', 'unknown.store.svc'],
  ['web.shop.', 'web.store.'],
  ['web.shop.example.com', 'web.shop.example.com'],
  ['my-shop.svc', 'my-shop.svc'],
  ['db.my-shop.svc', 'db.my-shop.svc'],
  ['shop.svc', 'shop.svc'],
  ['unknown.shop', 'unknown.shop'],
  ['old-web.shop', 'old-web.shop'],
  ['db.shop.svcs', 'db.shop.svcs'],
  ['web.shopping', 'web.shopping'],
  ['api.same.svc', 'api.same.svc'],
] as const) {
  test(`${text} → ${expected}`, () => assert.equal(rewriteNames(text, names).text, expected));
}

test('two names that are swapped are each rewritten once', () => {
  const swap = dnsNamesOf(
    new Map([
      ['a', 'b'],
      ['b', 'a'],
    ]),
    ['x.a', 'x.b'],
  );
  assert.equal(rewriteNames('x.a.svc x.b.svc x.a x.b', swap).text, 'x.b.svc x.a.svc x.b x.a');
});

const pod = (value: string) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace: 'shop' },
  spec: { template: { spec: { containers: [{ name: 'a', env: [{ name: 'DSN', value }] }] } } },
});

test('the report names the service, never the text around it', () => {
  const step = stepOf(planOf([pod('postgres://app:pass-word@db.shop.svc/x')]), 'Deployment.apps store/web');
  assert.ok(JSON.stringify(step.manifest).includes('db.store.svc'));
  assert.deepEqual(
    step.changes.filter(({ rule }) => rule === 'ServiceName'),
    [{ rule: 'ServiceName', path: '/spec/template/spec/containers/0/env/0/value', from: 'db.shop.svc', to: 'db.store.svc' }],
  );
});

test('switched off, nothing is rewritten and a finding says so', () => {
  const plan = planOf([pod('db.shop.svc')], { mapping: { dnsNames: false } });
  assert.ok(JSON.stringify(plan.steps[0]?.manifest).includes('db.shop.svc'));
  assert.ok(plan.findings.some(({ id }) => id === 'ServiceNameNotRewritten'));
});

test('a Secret that names a service is not rewritten, and the finding tells its key, not its value', () => {
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'db', namespace: 'shop' },
    data: { dsn: Buffer.from('pg://u:hidden@db.shop.svc').toString('base64') },
  };
  const plan = planOf([secret]);
  const finding = plan.findings.find(({ id }) => id === 'ServiceNameNotRewritten');
  assert.match(finding?.message ?? '', /\/data\/dsn/);
  assert.ok(!JSON.stringify(plan.findings).includes('hidden'));
  assert.deepEqual(plan.steps[0]?.manifest.data, secret.data);
});

test('calls to a namespace that stays behind are told', () => {
  const { findings } = planOf([pod('http://api.billing.svc')], { source: { namespaces: ['shop', 'billing'] } });
  assert.match(findings.find(({ id }) => id === 'CallsOtherNamespace')?.message ?? '', /billing/);
});
