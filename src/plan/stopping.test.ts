import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { UnstoppablePod } from '../api/captured.ts';
import { ids, shop, toStore } from './fixtures/shop.ts';
import { makePlan } from './plan.ts';

const ref = (group: string, kind: string, name: string) => ({ group, kind, namespace: 'shop', name });

function planWith(...unstoppable: UnstoppablePod[]) {
  const base = shop();
  return makePlan({ ...base, captured: { ...base.captured, unstoppable }, mapping: toStore, options: { migration: 'm' } });
}

test('a pod that nobody can stop stands against the move, with its owners and the cure', () => {
  const plan = planWith({
    pod: ref('', 'Pod', 'db-0'),
    owners: [ref('apps', 'StatefulSet', 'db'), ref('postgres.example.com', 'Cluster', 'db')],
    reason: 'OwnerNotStoppable',
    claims: ['data'],
  });
  assert.deepEqual(ids(plan, 'block'), ['PodCannotBeStopped']);
  const finding = plan.findings.find(({ id }) => id === 'PodCannotBeStopped');
  assert.equal(finding?.subject?.name, 'db-0');
  assert.match(
    finding.message,
    /^Pod shop\/db-0 belongs to StatefulSet\.apps shop\/db, which belongs to Cluster\.postgres\.example\.com shop\/db, .*It mounts data\.$/,
  );
  assert.match(finding.fix ?? '', /Let Cluster\.postgres\.example\.com shop\/db scale its pods down .*tranship\.io\/exclude=true/);
});

test('each reason has a sentence and a cure of its own', () => {
  const owners = [ref('apps', 'StatefulSet', 'db')];
  const reasons = ['NoController', 'OwnerNotStoppable', 'OwnerNotSelected', 'OwnerUnknown', 'ExcludedWithClaim'] as const;
  const plan = planWith(
    ...reasons.map((reason) => ({
      pod: ref('', 'Pod', reason.toLowerCase()),
      owners: reason === 'NoController' ? [] : owners,
      reason,
      claims: ['data'],
    })),
  );
  const found = plan.findings.filter(({ id }) => id === 'PodCannotBeStopped');
  assert.equal(new Set(found.map(({ fix }) => fix)).size, reasons.length);
  assert.ok(found.every(({ message }) => message.includes('data') && !message.includes('undefined')));
});

test('a capture that says nothing of it stands against nothing', () => {
  assert.deepEqual(ids(planWith(), 'block'), []);
});
