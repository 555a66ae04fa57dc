import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scriptedEngine } from './testing/engine.ts';
import { terminal } from './testing/terminal.ts';

const { tranship } = terminal({ hubFile: '/nowhere/hub.db', engine: scriptedEngine({}) });
const good = ['--from', 'a', '--to', 'b', '-n', 'shop', '--location', 's3://moves'];

const mistakes: readonly { args: string[]; says: RegExp }[] = [
  { args: ['migrate', ...good, '--streams', '17'], says: /--streams.*'17' is invalid\. Use a whole number from 1 to 16\./ },
  { args: ['migrate', ...good, '--existing', 'Merge'], says: /--existing.*'Merge' is invalid\. Use one of Skip, Update, Recreate, Fail\./ },
  { args: ['migrate', ...good, '--strems', '2'], says: /unknown option '--strems'\n\(Did you mean --streams\?\)/ },
  { args: ['migrat', ...good], says: /unknown command 'migrat'\n\(Did you mean migrate\?\)/ },
  { args: ['migrate', ...good.slice(2)], says: /required option '--from <context>' not specified/ },
  { args: ['migrate', ...good, '--map-storage-class', 'fast'], says: /--map-storage-class.*"fast" is not of that form/ },
  {
    args: ['migrate', ...good.slice(0, -1), 'ftp://x', '--yes'],
    says: /location "ftp:\/\/x" is not understood\.\nhint: Use s3:\/\/bucket\/prefix or dir:/,
  },
  { args: ['plan', ...good, '-o', 'yaml'], says: /--output.*'yaml' is invalid\. Use one of text, json\./ },
  { args: ['resume'], says: /missing required argument 'name'/ },
  { args: ['status', '--watch'], says: /--watch needs the name of one migration/ },
];

for (const { args, says } of mistakes) {
  test(`a mistake in "${args[0]} … ${args.at(-1)}" is a sentence with a cure and exit code 2`, async () => {
    const { code, stdout, stderr } = await tranship(...args);
    assert.equal(code, 2);
    assert.equal(stdout, '');
    assert.match(stderr, says);
    assert.match(stderr, /hint: /);
  });
}

test('help is no error and comes on standard output', async () => {
  for (const args of [['--help'], ['help'], ['help', 'migrate'], ['migrate', '--help']]) {
    const { code, stdout, stderr } = await tranship(...args);
    assert.equal(code, 0);
    assert.match(stdout, /Usage: tranship/);
    assert.equal(stderr, '');
  }
});

test('every verb teaches with an example or an exit status', async () => {
  for (const verb of ['plan', 'migrate', 'status', 'logs', 'cancel', 'resume', 'rollback']) {
    assert.match((await tranship('help', verb)).stdout, /Examples?:\n {2}tranship|Exit status:/, verb);
  }
});
