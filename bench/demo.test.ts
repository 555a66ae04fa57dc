import assert from 'node:assert/strict';
import { test } from 'node:test';
import { migrationSchema } from '../src/api/migration.ts';
import { figuresOf, tableOf } from './demo.ts';

const round = (number: number, bytes: number) => ({
  round: number,
  read: 'Snapshot',
  files: 1,
  bytes,
  bytesChanged: 1,
  bytesStored: 1,
  copyOutMs: 1500,
  copyInMs: 500,
  manifestHash: 'aa',
});

test('the figures come from the report: content of the last round, steps that have ended', () => {
  const report = migrationSchema.parse({
    apiVersion: 'tranship.io/v1alpha1',
    kind: 'Migration',
    metadata: { name: 'demo', namespace: 'tranship' },
    spec: { source: { cluster: 'a' }, target: { cluster: 'b' }, namespaces: ['shop'], location: 'demo' },
    status: {
      storeBytes: 1048576,
      steps: [
        { name: 'Seed', state: 'Done', startedAt: '2026-01-01T00:00:00.000Z', finishedAt: '2026-01-01T00:00:02.500Z' },
        { name: 'Freeze', state: 'Running', startedAt: '2026-01-01T00:00:03Z' },
      ],
      volumes: [
        { name: 'shop/data', target: 'new/data', mode: 'Block', capacityBytes: 9, state: 'Bound', rounds: [round(0, 100), round(1, 200)] },
      ],
    },
  });
  const figures = figuresOf(report);
  assert.equal(figures.contentBytes, 200);
  assert.deepEqual(figures.steps, [{ name: 'Seed', seconds: 2.5 }]);
  assert.deepEqual(
    figures.rounds.map((one) => [one.round, one.copyOutSeconds, one.copyInSeconds]),
    [
      [0, 1.5, 0.5],
      [1, 1.5, 0.5],
    ],
  );
  const table = tableOf({
    at: '',
    kubernetes: { source: '', target: '' },
    machine: { cpus: 2, load: 0 },
    totalSeconds: 9,
    downtimeSeconds: 3,
    checksPassed: false,
    ...figures,
  });
  assert.match(table.join('\n'), /bytes in the store +1\.0 MiB/);
  assert.match(table.join('\n'), /checks +FAILED/);
});
