import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { openJournal, readJournal } from './journal.ts';

const directory = mkdtempSync(join(tmpdir(), 'journal-'));
after(() => rmSync(directory, { recursive: true, force: true }));
const event = (message: string) => ({ time: 't', level: 'info' as const, message });

test('events of several runs come back in order, a broken line is passed over', async () => {
  const path = join(directory, 'a', 'x.jsonl');
  openJournal(path).append(event('one'));
  appendFileSync(path, '{"time":"killed in the mid\n');
  openJournal(path).append(event('two'));
  const read = [];
  for await (const line of readJournal(path, { follow: false, signal: new AbortController().signal })) read.push(line.message);
  assert.deepEqual(read, ['one', 'two']);
  assert.equal(statSync(path).mode & 0o077, 0, 'only for the user');
});

test('following sees what is written later, and ends with the signal', async () => {
  const path = join(directory, 'y.jsonl');
  const journal = openJournal(path);
  journal.append(event('one'));
  const stop = new AbortController();
  const read = [];
  for await (const line of readJournal(path, { follow: true, signal: stop.signal })) {
    read.push(line.message);
    if (line.message === 'one') journal.append(event('two'));
    else stop.abort();
  }
  assert.deepEqual(read, ['one', 'two']);
});

test('a migration that never ran has no events', async () => {
  for await (const line of readJournal(join(directory, 'none'), { follow: false, signal: new AbortController().signal }))
    assert.fail(line.message);
});
