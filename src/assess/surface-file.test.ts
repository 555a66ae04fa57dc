import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sides, deployment, object } from './fixtures/sides.ts';
import { nameless } from './nameless.ts';
import { parseSurfaceFile } from './surface-file.ts';

const good = () => JSON.parse(JSON.stringify(sides({ objects: [deployment({})] }).source)) as Record<string, Record<string, unknown>>; // JSON border
const bytes = (value: unknown) => new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value));
const refuses = (value: unknown, pattern: RegExp) =>
  assert.throws(() => parseSurfaceFile(bytes(value), 'x.json'), { code: 'InvalidInput', message: pattern });

test('what was written is read again', () => {
  const file = parseSurfaceFile(bytes(good()), 'x.json');
  assert.equal(file.application?.objects.length, 1);
  assert.deepEqual(JSON.parse(JSON.stringify(file)), good());
});

test('hostile files are refused with a sentence that names the place', () => {
  refuses('no json', /is not JSON/);
  refuses('[]', /not an object/);
  assert.throws(() => parseSurfaceFile(new Uint8Array([0x7b, 0xff, 0x7d]), 'x.json'), /is not JSON/);
  refuses(JSON.stringify(good()).replace('"side":', '"__proto__":{"a":1},"side":'), /__proto__/);
  refuses({ ...good(), more: 1 }, /more/i);
  refuses({ ...good(), kind: 'List' }, /kind/);
  refuses({ ...good(), surface: { ...good()['surface'], existing: [{ kind: 'Pod' }] } }, /surface\.existing\.0/);
  refuses(
    {
      ...good(),
      facts: { ...good()['facts'], objects: [{ apiVersion: 'v1', kind: 'Node', metadata: { name: 'n', labels: { a: 1 } } }] },
    },
    /facts\.objects\.0/,
  );
  refuses(
    { ...good(), facts: { ...good()['facts'], usage: [{ node: 'n', cpuMillis: -1, memoryBytes: 0, pods: 0 }] } },
    /usage\.0\.cpuMillis/,
  );
  let deep: unknown = 1;
  for (let level = 0; level < 10_000; level += 1) deep = { deep };
  refuses({ ...good(), facts: deep }, /nested more than/);
  assert.throws(() => parseSurfaceFile(bytes({ ...good(), format: 2 }), 'x.json'), { code: 'Unsupported' });
});

test('what an export leaves out does not come back from a file that was made by hand', () => {
  const made = sides({ objects: [object('Secret', 's', { data: { key: Buffer.from('canary-77').toString('base64') } })] }).source;
  const text = JSON.stringify(parseSurfaceFile(bytes(made), 'x.json'));
  assert.ok(!text.includes(Buffer.from('canary-77').toString('base64')));
});

test('without names of nodes none is left, and the same node has the same number everywhere', () => {
  const { source } = sides({
    objects: [deployment({ nodeName: 'one' })],
    source: { facts: { usage: [{ node: 'one', cpuMillis: 1, memoryBytes: 1, pods: 1 }] } },
  });
  const file = nameless(source);
  assert.deepEqual(
    file.facts.objects.filter(({ kind }) => kind === 'Node').map(({ metadata }) => metadata.name),
    ['node-1', 'node-2'],
  );
  assert.equal(file.facts.usage?.[0]?.node, 'node-1');
  assert.match(JSON.stringify(file.application), /"nodeName":"node-1"/);
  assert.ok(!/"(?:one|two)"/.test(JSON.stringify(file)));
});
