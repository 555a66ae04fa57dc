import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TranshipError } from '../errors.ts';
import { exitCodeOfError, exitCodes, exitCodeTable } from './exit-codes.ts';

test('every exit code is documented once', () => {
  assert.deepEqual(
    exitCodeTable.map((row) => row.code),
    Object.values(exitCodes).toSorted((a, b) => a - b),
  );
});

test('an unknown error is a defect, an abort an interruption', () => {
  assert.equal(exitCodeOfError(new Error('boom')), exitCodes.internal);
  assert.equal(exitCodeOfError(AbortSignal.abort().reason), exitCodes.interrupted);
  assert.equal(exitCodeOfError(new TranshipError('Blocked', 'x')), exitCodes.blocked);
});
