import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { KubeObject } from '../api/object.ts';
import { codeOf } from '../errors.ts';
import { transformObject } from '../plan/index.ts';
import { parseTransforms } from './index.ts';

const refused = (text: string, message: RegExp) =>
  assert.throws(
    () => parseTransforms(text, 'a.yaml'),
    (error) => codeOf(error) === 'InvalidInput' && message.test((error as Error).message),
  );

describe('files with transforms', () => {
  const set = `
apiVersion: tranship.io/v1alpha1
kind: TransformSet
metadata: {name: mirror}
spec:
  transforms:
    - name: images
      subject: {resource: deployments}
      json:
        - {op: replace, path: /spec/template/spec/containers/*/image, regex: "^docker.io/(.*)$", value: mirror.example/$1}
`;
  test('a set, several documents and a plain list are read in order', () => {
    assert.deepEqual(
      parseTransforms(set, 'a.yaml').map(({ name }) => name),
      ['images'],
    );
    const list = `- {name: one, subject: {name: a}, json: [{op: remove, path: /x}]}\n`;
    assert.deepEqual(
      parseTransforms(`${set}\n---\n${list}---\n`, 'a.yaml').map(({ name }) => name),
      ['images', 'one'],
    );
  });
  test('a set of Kasten K10 is read, whatever its cluster has added; empty fields of a subject mean any', () => {
    const kasten = `
apiVersion: config.kio.kasten.io/v1alpha1
kind: TransformSet
metadata: {name: x, namespace: kasten-io, uid: abc, generation: 3}
spec:
  comment: from the old cluster
  transforms:
    - name: zone
      subject: {group: "", version: "", resource: persistentvolumeclaims, name: ""}
      json: [{op: replace, path: /spec/storageClassName, value: standard}]
status: {validation: Success}
`;
    assert.deepEqual(parseTransforms(kasten, 'a.yaml')[0]?.subject, { resource: 'persistentvolumeclaims' });
  });
  test('what is wrong is said with its place', () => {
    refused(set.replace('op: replace', 'op: swap'), /a\.yaml can't be used: spec\.transforms\.0\.json\.0/);
    refused(
      set.replace('subject: {resource: deployments}', 'subject: {resources: deployments}'),
      /spec\.transforms\.0\.subject.*resources/,
    );
    refused(set.replace('value:', 'valeu:'), /valeu|value/);
    refused('a: [', /a\.yaml can't be used/);
    refused('', /holds no transforms/);
    refused('{apiVersion: v1, kind: Pod}', /its kind is Pod, not TransformSet/);
    refused('just text', /neither a TransformSet nor a list/);
  });
  test('a file that would grow without end when it is read is refused', () => {
    const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c,*c,*c,*c]\n`;
    refused(bomb, /alias/i);
    refused(`# ${'x'.repeat(1024 * 1024)}\n`, /larger than 1 MiB/);
  });
});

describe("Velero's resource modifiers", () => {
  const claim: KubeObject = {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: 'mysql-data', namespace: 'shop', labels: { app: 'db' } },
    spec: { storageClassName: 'premium', resources: { requests: { storage: '1Gi' } } },
  };
  const identity = { group: '', version: 'v1', resource: 'persistentvolumeclaims', name: 'mysql-data', namespace: 'shop' };
  const applied = (text: string, object = claim) => transformObject(object, identity, parseTransforms(text, 'm.yaml'));
  const rules = (conditions: string, patches: string) => `
version: v1
resourceModifierRules:
- conditions: {groupResource: persistentvolumeclaims, ${conditions}}
  ${patches}
`;
  const patch = 'patches: [{operation: replace, path: /spec/storageClassName, value: standard}]';
  const classOf = (text: string) => (applied(text).object.spec as { storageClassName: string }).storageClassName;

  test('conditions are the subject', () => {
    assert.equal(
      classOf(rules('resourceNameRegex: "^mysql.*$", namespaces: [shop, foo], labelSelector: {matchLabels: {app: db}}', patch)),
      'standard',
    );
    for (const other of [
      'namespaces: [foo]',
      'resourceNameRegex: "^db"',
      'labelSelector: {matchLabels: {app: web}}',
      'matches: [{path: /spec/storageClassName, value: standard}]',
    ]) {
      assert.equal(classOf(rules(other, patch)), 'premium', other);
    }
    assert.equal(classOf(rules('namespaces: ["*"], matches: [{path: /spec/storageClassName, value: premium}]', patch)), 'standard');
  });
  test('a failed test undoes its rule, and no other', () => {
    const tested = `patches: [{operation: replace, path: /spec/storageClassName, value: standard}, {operation: test, path: /spec/storageClassName, value: slow}]`;
    const { object, problem } = applied(rules('', tested));
    assert.deepEqual(object, claim);
    assert.equal(problem, undefined);
  });
  test('the type of a value is guessed as Velero does', () => {
    const value = (text: string) =>
      applied(rules('', `patches: [{operation: add, path: /spec/x, value: ${JSON.stringify(text)}}]`)).object.spec as { x?: unknown };
    for (const [text, type] of [
      ['3', 3],
      ['"3"', '3'],
      ['true', true],
      ['null', null],
      ['{"a":[1]}', { a: [1] }],
      ['10Gi', '10Gi'],
      ['', ''],
    ] as const) {
      assert.deepEqual(value(text).x, type, text);
    }
  });
  test('merge and strategic patches hold YAML or JSON', () => {
    const merged = applied(rules('', `mergePatches: [{patchData: '{"metadata":{"labels":{"app":null,"new":"x"}}}'}]`)).object;
    assert.deepEqual(merged.metadata.labels, { new: 'x' });
    const strategic = applied(rules('', `strategicPatches: [{patchData: "metadata:\\n  finalizers: [a]"}]`)).object;
    assert.deepEqual(strategic.metadata.finalizers, ['a']);
  });
  test('the ConfigMap that Velero reads is taken as it is', () => {
    const map = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'm', namespace: 'velero' }, data: { 'm.yaml': rules('', patch) } };
    assert.equal(classOf(JSON.stringify(map)), 'standard');
    refused(JSON.stringify({ ...map, data: { ...map.data, other: 'x' } }), /exactly one entry/);
  });
  test('what can not be taken over is refused', () => {
    refused(rules('', `${patch}\n  mergePatches: [{patchData: "{}"}]`), /exactly one of/);
    refused(rules('', 'patches: [{operation: replace, path: /spec/*, value: x}]'), /wildcard/);
    refused(rules('unknown: x', patch), /unknown/);
    refused(rules('', patch).replace('version: v1', 'version: v2'), /version/);
  });
});
