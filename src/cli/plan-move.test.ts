import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CapturedObject } from '../api/captured.ts';
import { exitCodes } from './exit-codes.ts';
import { scriptedEngine } from './testing/engine.ts';
import { terminal } from './testing/terminal.ts';

const plan = ['plan', '--from', 'old', '--to', 'new', '-n', 'shop', '--location', 'dir:/backups'];

const captured = (kind: string, rest: Record<string, unknown>): CapturedObject => ({
  object: { apiVersion: 'v1', kind, metadata: { name: 'web', namespace: 'shop' }, ...rest },
  resource: { group: '', version: 'v1', resource: `${kind.toLowerCase()}s`, kind, namespaced: true, verbs: [], versions: ['v1'] },
  role: 'selected',
  shared: false,
});

const objects = [captured('ServiceAccount', { imagePullSecrets: [{ name: 'registry' }] })];
const blocked = { findings: [{ id: 'X', severity: 'block' as const, message: 'No.', proof: 'read' as const }] };
const start = () => terminal({ hubFile: ':memory:', engine: scriptedEngine({ plan: blocked, captured: { objects } }) });

test('plan --graph prints the graph in each form instead of the plan; what stands against the move is not its question', async () => {
  for (const [form, pattern] of [
    ['text', /^Graph of shop on old: 1 objects move/],
    ['dot', /^digraph "tranship old" \{\n[^]*"ServiceAccount shop\/web" -> "Secret shop\/registry"/],
    ['json', /"id": "ServiceAccount shop\/web"/],
  ] as const) {
    const { code, stdout } = await start().tranship(...plan, '--graph', form);
    assert.match(stdout, pattern);
    assert.equal(code, exitCodes.ok);
  }
  const { code, stderr } = await start().tranship(...plan, '--graph', 'svg');
  assert.equal(code, exitCodes.invalid);
  assert.match(stderr, /text, json/);
});

test('without it the plan is printed, and a blocking finding is its exit code', async () => {
  const { code, stdout } = await start().tranship(...plan);
  assert.equal(code, exitCodes.blocked);
  assert.match(stdout, /^Plan: old → new/);
});
