import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { CATALOGUE, ruleOf } from './catalogue.ts';

const src = join(import.meta.dirname, '..');

/** Every id that a source file of capture, plan or assess gives to a finding. */
function idsInSources(): string[] {
  const files = globSync('{capture,plan,assess}/**/*.ts', { cwd: src }).filter((file) => !/\.test\.ts$|fixtures\//.test(file));
  const texts = files.map((file) => readFileSync(join(src, file), 'utf8'));
  const ids = texts.flatMap((text) =>
    [...text.matchAll(/\bid: (?:[\w.()= !]+\? )?'([A-Z][A-Za-z]+)'(?: : '([A-Z][A-Za-z]+)')?/g)].flatMap(([, one, two]) => [one, two]),
  );
  return [...new Set(ids.filter((id) => id !== undefined))].toSorted();
}

test('every finding of capture, plan and assessment belongs to exactly one rule', () => {
  const ids = idsInSources();
  assert.ok(ids.length > 80, `only ${ids.length} ids were found in the sources`);
  const rules = (id: string) => CATALOGUE.filter((rule) => rule.findings.includes(id)).map((rule) => rule.id);
  assert.deepEqual(
    ids.filter((id) => rules(id).length !== 1).map((id) => `${id}: ${rules(id).join(', ')}`),
    [],
  );
});

test('ids are unique, and every rule says why it is there and what to do', () => {
  assert.equal(new Set(CATALOGUE.map(({ id }) => id)).size, CATALOGUE.length);
  for (const { id, title, reads, fix, reason, findings } of CATALOGUE) {
    assert.match(id, /^[A-Z]{3}-\d$/);
    for (const text of [title, reads, fix, reason]) assert.ok(text.length > 10, id);
    for (const finding of findings) assert.equal(ruleOf(finding)?.id, id);
  }
});

test('every finding of the catalogue stands in a test', () => {
  const tests = globSync('**/*.test.ts', { cwd: src })
    .map((file) => readFileSync(join(src, file), 'utf8'))
    .join('\n');
  const untested = CATALOGUE.flatMap(({ findings }) => findings).filter((id) => !new RegExp(`\\b${id}\\b`).test(tests));
  assert.deepEqual(untested, []);
});
