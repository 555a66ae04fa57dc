import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TranshipError } from '../errors.ts';
import { passingReason } from '../kube/index.ts';
import { Pace } from './pace.ts';
import { failureReason } from './passing.ts';

const refused = (status: number, reason: string, message: string) =>
  new TranshipError('Conflict', message, { details: { status, reason } });

for (const [error, passing, failure] of [
  [refused(500, 'InternalError', 'failed calling webhook "a": no endpoints available'), 'WebhookNotUp', 'WebhookNotUp'],
  [
    refused(403, 'Forbidden', 'unable to create new content in namespace a because it is being terminated'),
    'NamespaceTerminating',
    'NamespaceTerminating',
  ],
  [refused(403, 'Forbidden', 'status unknown for quota: a, resources: pods'), 'QuotaRecalculation', 'QuotaRecalculation'],
  [refused(403, 'Forbidden', 'exceeded quota: a, requested: pods=1'), undefined, 'QuotaExceeded'],
  [refused(400, 'BadRequest', 'admission webhook "a.example.com" denied the request: no'), undefined, 'AdmissionDenied'],
  [refused(403, 'Forbidden', 'pods "a" is forbidden: violates PodSecurity "restricted"'), undefined, 'PodSecurity'],
  [refused(403, 'Forbidden', 'may not create'), undefined, 'Forbidden'],
  [refused(422, 'Invalid', 'spec.x: Required value'), undefined, 'Invalid'],
  [refused(404, 'NotFound', 'namespaces "shop" not found.'), 'NamespaceNotYetThere', 'NamespaceNotYetThere'],
  [refused(429, 'TooManyRequests', 'slow down'), 'ServerBusy', 'ServerBusy'],
  [new Error('ours'), undefined, 'Internal'],
] as const) {
  test(`${error.message}: ${passing === undefined ? 'final' : 'passes'}`, () => {
    assert.equal(passingReason(error), passing);
    assert.equal(failureReason(error), failure);
  });
}

test('the pace never lets more through than its limit, halves when turned away, and grows again', async () => {
  const pace = new Pace();
  const start = pace.limit;
  let [running, most] = [0, 0];
  const work = async () => {
    running += 1;
    most = Math.max(most, running);
    await new Promise(setImmediate);
    running -= 1;
  };
  await Promise.all(Array.from({ length: 200 }, async () => await pace.run(work)));
  assert.ok(most >= start && most <= pace.limit + 1, `${most} at once`);
  const grown = pace.limit;
  assert.ok(grown > start);
  pace.turnedAway();
  assert.equal(pace.limit, Math.floor(grown / 2));
  pace.turnedAway(); // of the same round: counts once
  assert.equal(pace.limit, Math.floor(grown / 2));
});

test('a failed request gives its place back', async () => {
  const pace = new Pace();
  const failures = Array.from({ length: 100 }, async () => await pace.run(async () => await Promise.reject(new Error('no'))));
  const results = await Promise.allSettled(failures);
  assert.equal(results.length, 100);
  assert.equal(await pace.run(async () => await Promise.resolve('still works')), 'still works');
});
