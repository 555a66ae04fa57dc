import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TranshipError, type ErrorCode } from '../errors.ts';
import { retrying } from './retrying.ts';
import { waitFor } from './wait.ts';

const { signal } = new AbortController();

function refused(code: ErrorCode, status?: number, reason?: string, message = 'no'): TranshipError {
  return new TranshipError(code, message, {
    details: { ...(status === undefined ? {} : { status }), ...(reason === undefined ? {} : { reason }) },
  });
}

/** Throws these one after the other, then gives their number. */
function failingWith(...errors: unknown[]): () => Promise<number> {
  const left = [...errors];
  return async () => {
    if (left.length > 0) throw left.shift();
    return await Promise.resolve(errors.length);
  };
}

const silent: [string, TranshipError][] = [
  ['no connection', refused('Unreachable', undefined, 'ECONNREFUSED')],
  ['429', refused('Unreachable', 429, 'TooManyRequests')],
  ['500', refused('Unreachable', 500, 'InternalError')],
  ['503', refused('Unreachable', 503, 'ServiceUnavailable')],
  ['504', refused('TimedOut', 504, 'Timeout')],
  ['the deadline of the call', new TranshipError('TimedOut', 'did not finish', { details: {} })],
];

for (const [name, error] of silent) {
  test(`${name}: asked again by waitFor and by retrying`, async () => {
    assert.equal(await waitFor(failingWith(error), { what: 'It did not come', timeoutMs: 60_000, signal, intervalMs: 1 }), 1);
    assert.equal(await retrying(failingWith(error), { timeoutMs: 60_000, signal }), 1);
  });
}

test('retrying: a lost race and a quota that is not counted pass, and each is told', async () => {
  const race = refused('Conflict', 409, 'Conflict', 'the object has been modified');
  const quota = refused('Forbidden', 403, 'Forbidden', 'status unknown for quota: a');
  const told: unknown[] = [];
  assert.equal(await retrying(failingWith(race, quota), { timeoutMs: 60_000, signal, onRetry: (error) => told.push(error) }), 2);
  assert.deepEqual(told, [race, quota]);
});

for (const error of [
  refused('Forbidden', 403, 'Forbidden', 'may not'),
  refused('Forbidden', 403, 'Forbidden', 'exceeded quota: a'),
  refused('Conflict', 409, 'AlreadyExists'),
  new TranshipError('Conflict', 'ours, without a word of the server'),
  new TranshipError('TimedOut', 'a wait of ours'),
  new TypeError('a defect'),
]) {
  test(`retrying: "${error.message}" is thrown at once`, async () => {
    await assert.rejects(retrying(failingWith(error), { timeoutMs: 60_000, signal, onRetry: () => assert.fail('tried again') }), error);
  });
}

test('retrying: throws what it saw last when the time is over', async () => {
  const error = refused('Unreachable', 503);
  await assert.rejects(
    retrying(async () => await Promise.reject(error), { timeoutMs: 1, signal }),
    error,
  );
});

test('retrying: an abort ends the pause', async () => {
  const stop = new AbortController();
  const work = async () => await Promise.reject(refused('Unreachable', 503));
  await assert.rejects(retrying(work, { timeoutMs: 60_000, signal: stop.signal, onRetry: () => stop.abort() }), { name: 'AbortError' });
});

test('waitFor: a kind that is not served is an answer', async () => {
  const error = refused('NotFound', 404, 'NotServed');
  await assert.rejects(waitFor(failingWith(error), { what: 'It did not come', timeoutMs: 60_000, signal, intervalMs: 1 }), error);
});
