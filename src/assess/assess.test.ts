import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assess } from './assess.ts';
import { noAnswers, parseAnswers } from './answers.ts';
import { assessCase, deployment, found, object, sides, thing } from './fixtures/sides.ts';
import { answersTemplate, QUESTIONS } from './questions.ts';

const head = 'apiVersion: tranship.io/v1alpha1\nkind: AssessmentAnswers\n';
const answered = `${head}answers:
  downtime-budget: 15m
  same-backends: yes
  old-address-known: yes
  old-url-known: yes
  token-issuer-known: yes
  never-twice: none
`;
const mapping = { namespaces: {}, storageClasses: {}, nodePorts: 'Reset' as const, dnsNames: true, existing: 'Fail' as const };

test('the verdict: blocked by a finding, open by a question or an unknown, clear by answers', () => {
  const map = object('ConfigMap', 'c');
  const schemas = { kinds: { '/v1/ConfigMap': 'any' }, trees: { any: { open: true as const } }, unread: [] };
  const target = { facts: { schemas } };
  assert.equal(assessCase({ objects: [map], target }).verdict, 'open');
  assert.equal(assessCase({ objects: [map], target, answers: answered }).verdict, 'clear');
  assert.equal(
    assessCase({ objects: [map], target, answers: answered.replace('same-backends: yes', 'same-backends: no') }).verdict,
    'blocked',
  );
  const image = deployment({});
  assert.equal(assessCase({ objects: [image], target, answers: answered }).verdict, 'open');
  assert.equal(
    assessCase({ objects: [image], target, answers: `${answered}registries: { registry.example.com: reachable }` }).verdict,
    'clear',
  );
  assert.equal(assessCase({ objects: [deployment({ nodeName: 'x' })], target, answers: answered }).verdict, 'blocked');
});

test('what blocks cannot be accepted, everything else can, and is told apart', () => {
  const objects = [deployment({ nodeName: 'x' }, {}, 'one'), deployment({ containers: [{ name: 'm', image: 'web' }] }, {}, 'two')];
  const answers = `${head}accepted:\n  - { finding: ImageNotPinned, reason: rebuilt every night }\n  - { finding: NodeNameFixed, reason: why not }\n`;
  const result = assessCase({ objects, answers });
  assert.deepEqual(
    result.findings.filter(({ accepted }) => accepted !== undefined).map(({ id }) => id),
    ['ImageNotPinned'],
  );
  assert.equal(result.counts.accepted, 1);
  assert.equal(result.verdict, 'blocked');
});

test('findings of the plan are part of it, with their rule; what was not proven is said', () => {
  const result = assessCase({ objects: [deployment({ volumes: [{ name: 'v', secret: { secretName: 'gone' } }] })] });
  assert.equal(result.findings.find(({ id }) => id === 'ReferenceMissing')?.rule, 'DEP-1');
  assert.ok(result.findings.every(({ rule }) => rule !== 'OTHER'));
  assert.ok(result.notProven.some(({ rule }) => rule === 'ADM-1'));
  assert.ok(result.passed.some(({ rule }) => rule === 'API-4') && !result.passed.some(({ rule }) => rule === 'ADM-1'));
});

test('same files, same assessment: the order of objects and facts does not matter', () => {
  const files = sides({ objects: [deployment({ nodeName: 'x' }, {}, 'a'), deployment({ nodeName: 'y' }, {}, 'b')] });
  const made = (turn: boolean) => {
    const source = structuredClone(files.source);
    if (turn) source.application?.objects.reverse();
    return JSON.stringify(assess({ source, target: files.target, mapping, answers: noAnswers, read: 'Snapshot' }).assessment);
  };
  assert.equal(made(true), made(false));
});

test('an object that was read in a version that only the source prefers is looked at in one of both', () => {
  const scaler = object('HorizontalPodAutoscaler', 'web', { spec: { maxReplicas: 2 } }, 'autoscaling/v2');
  const type = {
    group: 'autoscaling',
    version: 'v2',
    resource: 'horizontalpodautoscalers',
    kind: 'HorizontalPodAutoscaler',
    namespaced: true,
    verbs: ['list'],
    versions: ['v2', 'v1'],
  };
  const objects = [{ object: scaler, resource: type, role: 'selected' as const, shared: false }];
  const target = { surface: { resources: [{ ...type, version: 'v1', versions: ['v1'] }] } };
  assert.equal(found(assessCase({ objects, target }), 'ApiVersionNotServed'), '');
  const none = { surface: { resources: [{ ...type, version: 'v3', versions: ['v3'] }] } };
  assert.equal(found(assessCase({ objects, target: none }), 'ApiVersionNotServed'), 'block ApiVersionNotServed');
});

test('rights that are missing, and facts that were refused', () => {
  const facts = {
    rights: [{ verb: 'create', group: '', resource: 'pods', allowed: false }],
    unread: [{ group: '', resource: 'nodes', message: 'no' }],
  };
  const result = assessCase({ target: { facts } });
  assert.equal(found(result, 'RightMissing'), 'block RightMissing');
  assert.equal(found(result, 'FactNotReadable'), 'unknown FactNotReadable');
  assert.equal(found(assessCase({}), 'RightMissing'), '');
  assert.equal(found(assessCase({}), 'FactNotReadable'), '');
});

test('answers: the template can be read, each question judges, wrong files name the place', () => {
  const template = parseAnswers(answersTemplate(), 'template');
  assert.deepEqual(
    Object.keys(template.answers),
    QUESTIONS.map(({ id }) => id),
  );
  const result = (id: string, value: string) =>
    assessCase({ answers: `${head}answers: { ${id}: ${value} }` }).questions.find((each) => each.id === id)?.result;
  assert.equal(result('downtime-budget', '15m'), 'pass');
  assert.equal(result('downtime-budget', '0s'), 'block');
  assert.equal(result('downtime-budget', 'soon'), 'block');
  assert.equal(result('data-loss-budget', '0s'), 'warn');
  assert.equal(result('configuration-owner', 'git'), 'warn');
  assert.equal(result('never-twice', 'none'), 'pass');
  assert.equal(result('keep-source', '1h'), 'warn');
  assert.equal(result('approver', 'me'), 'pass');
  assert.equal(result('old-url-known', '"no"'), 'block');
  assert.throws(() => parseAnswers(`${head}answers: { nonsense: 1 }`, 'a.yaml'), { message: /answers\.nonsense is no question/ });
  assert.throws(() => parseAnswers(`${head}endpoints: { a: maybe }`, 'a.yaml'), { message: /endpoints\.a/ });
  assert.throws(() => parseAnswers('a: [', 'a.yaml'), { code: 'InvalidInput' });
  assert.throws(() => parseAnswers('x'.repeat(2 ** 20 + 1), 'a.yaml'), { message: /larger/ });
});

test('a file without an application cannot be the source', () => {
  const { source, target } = sides({ objects: [thing('Namespace', 'shop')] });
  delete source.application;
  assert.throws(() => assess({ source, target, mapping, answers: noAnswers, read: 'Snapshot' }), { code: 'InvalidInput' });
});
