import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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

test('a file with rules for further kinds is written into the migration and used; a wrong one is named', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'rules-'));
  try {
    const path = join(directory, 'rules.yaml');
    const rule = { kind: 'ServiceAccount', references: [{ path: 'vault', to: ['Secret'], edge: 'uses-secret' }] };
    const write = (spec: object) =>
      writeFileSync(path, JSON.stringify({ apiVersion: 'tranship.io/v1alpha1', kind: 'KindRules', metadata: { name: 'mine' }, spec }));
    const vault = terminal({
      hubFile: ':memory:',
      engine: scriptedEngine({ captured: { objects: [captured('ServiceAccount', { vault: 'v' })] } }),
    });
    write({ kinds: [rule] });
    assert.match(
      (await vault.tranship(...plan, '--rules', path, '--graph', 'text')).stdout,
      /uses-secret {3}Secret v {2}\[MISSING\] {2}\/vault/,
    );
    assert.doesNotMatch((await vault.tranship(...plan, '--graph', 'text')).stdout, /Secret v/);
    write({ kinds: [{ ...rule, script: 'rm -rf /' }] });
    const { code, stderr } = await vault.tranship(...plan, '--rules', path);
    assert.equal(code, exitCodes.invalid);
    assert.match(stderr, /rules\.yaml can't be used: spec\.kinds\.0: .*script/);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});
