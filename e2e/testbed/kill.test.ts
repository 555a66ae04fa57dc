/** The user's story: `make testbed` is killed in the middle, `make testbed-down` leaves the machine as it was. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { bedId } from '../../testbed/cluster/addresses.ts';
import { bedDirectory, checkoutPath } from '../../testbed/cluster/bed.ts';
import { leftovers } from '../../testbed/cluster/leftovers.ts';
import { Ledger, type LedgerRecord } from '../../testbed/cluster/ledger.ts';

const skip = process.env['TRANSHIP_E2E'] === undefined ? 'TRANSHIP_E2E is not set: clusters with nodes are not started' : false;
if (skip !== false) console.error(`SKIPPED e2e/testbed/kill.test.ts: ${skip}`);

const name = `kill-${process.pid}`;
const id = bedId(checkoutPath(), name);
const state = join(bedDirectory(checkoutPath(), name), 'state');
const ledger = new Ledger(id);

function run(...args: string[]) {
  const main = join(checkoutPath(), 'testbed', 'main.ts');
  const env = { ...process.env, TRANSHIP_TESTBED_NAME: name };
  return spawn(process.execPath, ['--disable-warning=ExperimentalWarning', main, ...args], { env, stdio: ['ignore', 'pipe', 'inherit'] });
}

async function end(): Promise<void> {
  const child = run('down');
  child.stdout.resume();
  const [code] = await once(child, 'exit');
  assert.equal(code, 0);
}

type Moment = (list: readonly LedgerRecord[], printed: string) => boolean;
const wrote =
  (kind: LedgerRecord['kind'], what?: string): Moment =>
  (list) =>
    list.some((record) => record.kind === kind && (what === undefined || (record.kind === 'process' && record.what === what)));
const said =
  (words: string): Moment =>
  (_, printed) =>
    printed.includes(words);

const moments: Readonly<Record<string, Moment>> = {
  'the ledger is begun': (list) => list.length > 0,
  'the machine is prepared': wrote('sysctl'),
  'the bridge is written down': wrote('link'),
  'the control groups are written down': wrote('cgroup'),
  'the first node is written down': wrote('process', 'node-source'),
  'both APIs are ready': (_, printed) => printed.includes('source: API') && printed.includes('target: API'),
  'a node is Ready': said('node Ready'),
  'storage and DNS are ready': said('DNS and storage ready'),
};

describe('a test bed whose start is killed', { skip }, () => {
  after(end);

  for (const [moment, reached] of Object.entries(moments)) {
    test(`leaves nothing after down when ${moment}`, async () => {
      const child = run('up');
      const ended = once(child, 'exit');
      let printed = '';
      child.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString('utf8')));
      while (!reached(ledger.read(), printed)) {
        assert.equal(child.exitCode, null, `up ended before it could be killed: ${printed}`);
        await delay(2);
      }
      child.kill('SIGKILL');
      await ended;
      // The check itself must be able to see a bed.
      if (wrote('process', 'node-source')(ledger.read(), '')) assert.notDeepEqual(leftovers(id, state), []);
      await end();
      assert.deepEqual(ledger.read(), []);
      assert.deepEqual(leftovers(id, state), []);
    });
  }

  test('starts after a kill without any cleaning by hand, and Ctrl-C takes back what was made', async () => {
    const killed = run('up');
    killed.stdout.resume();
    const dead = once(killed, 'exit');
    while (!wrote('process', 'node-target')(ledger.read(), '')) await delay(2);
    killed.kill('SIGKILL');
    await dead;

    const stopped = run('up');
    let printed = '';
    const over = once(stopped, 'exit');
    stopped.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString('utf8')));
    while (!printed.includes('API ready')) {
      assert.equal(stopped.exitCode, null, printed);
      await delay(2);
    }
    stopped.kill('SIGINT');
    const [code] = await over;
    assert.equal(code, 130);
    assert.deepEqual(ledger.read(), []);
    assert.deepEqual(leftovers(id, state), []);
  });
});
