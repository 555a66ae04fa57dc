import assert from 'node:assert/strict';
import { test } from 'node:test';
import { importsOf, violations } from './arrows.ts';

test('an import against the arrow is named with both rooms', () => {
  assert.deepEqual(violations('kube/client.ts', "import { plan } from '../plan/index.ts';\n"), [
    'src/kube/client.ts: kube may not import plan (../plan/index.ts).',
  ]);
  assert.deepEqual(violations('mover/run.ts', "import { connect } from '../kube/index.ts';"), [
    'src/mover/run.ts: mover may not import kube (../kube/index.ts).',
  ]);
});

test('an import with the arrow passes, through the index only', () => {
  assert.deepEqual(violations('migration/run.ts', "import { makePlan } from '../plan/index.ts';"), []);
  assert.deepEqual(violations('migration/run.ts', "import { makePlan } from '../plan/make.ts';"), [
    'src/migration/run.ts: ../plan/make.ts goes past the door, import plan/index.ts.',
  ]);
});

test('types may come from the contract file of a room below, values may not', () => {
  assert.deepEqual(violations('volumes/run.ts', "import type { Location } from '../location/location.ts';"), []);
  assert.equal(violations('volumes/run.ts', "import { open } from '../location/location.ts';").length, 1);
});

test('the room plan may not do input or output', () => {
  assert.deepEqual(violations('plan/names.ts', "import { readFileSync } from 'node:fs';"), [
    'src/plan/names.ts: plan is pure and may not import node:fs.',
  ]);
  assert.deepEqual(violations('plan/hash.ts', "import { createHash } from 'node:crypto';"), []);
});

test('the control side reads the protocol of the mover, never the program', () => {
  assert.deepEqual(violations('volumes/channel.ts', "import { protocolVersion } from '../mover/protocol.ts';"), []);
  assert.equal(violations('volumes/channel.ts', "import { copyOut } from '../mover/copy-out.ts';").length, 1);
});

test('imports over several lines, re-exports and dynamic imports are seen', () => {
  const source =
    "import {\n  a,\n  b,\n} from './x.ts';\nexport type { C } from './y.ts';\nexport * from './w.ts';\nconst z = await import('../z/index.ts');\nimport './side.ts';";
  assert.deepEqual(
    importsOf(source).map((line) => [line.specifier, line.typeOnly]),
    [
      ['./x.ts', false],
      ['./y.ts', true],
      ['./w.ts', false],
      ['../z/index.ts', false],
      ['./side.ts', false],
    ],
  );
});

test('tests and fakes may look into other rooms', () => {
  assert.deepEqual(violations('plan/plan.test.ts', "import { fake } from '../kube/fake.ts';"), []);
});
