import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { tail } from './logs.ts';

const directory = mkdtempSync(join(tmpdir(), 'tranship-logs-'));
after(() => rmSync(directory, { recursive: true }));

describe('tail', () => {
  it('puts what a program died of before its last lines', () => {
    const log = join(directory, 'log');
    writeFileSync(log, 'I1121 begin\nF1121 10:00:00 hooks.go:204] the hook failed\nI1121 one\nI1121 two\n');
    assert.equal(tail(log, 2), 'F1121 10:00:00 hooks.go:204] the hook failed\nI1121 one\nI1121 two');
  });

  it('says that there is no log', () => {
    assert.equal(tail(join(directory, 'none')), '(no log)');
  });
});
