import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { transformSchema, type Operation } from '../../api/transform.ts';
import { operate } from './operations.ts';
import { Impossible } from './pointer.ts';

const deployment = () => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', labels: { app: 'web', tier: 'front' }, annotations: { 'example.com/a': '1' } },
  spec: {
    replicas: 3,
    selector: { matchLabels: { app: 'web', tier: 'front' } },
    template: {
      metadata: { labels: { app: 'web' } },
      spec: {
        containers: [
          { name: 'web', image: 'docker.io/nginx:1.27', env: [{ name: 'A', value: '1' }] },
          { name: 'log', image: 'quay.io/fluent:3' },
        ],
      },
    },
  },
});

function run(
  operation: object,
  document: object = deployment(),
): { document: ReturnType<typeof deployment>; hits: number; written: number; holds: boolean } {
  // Every operation of these tests goes through the schema that users write against.
  const { json } = transformSchema.parse({ name: 'x', subject: { group: 'apps' }, json: [operation] });
  const { hits, written, holds } = operate(document, (json ?? [])[0] as Operation);
  return { document: document as ReturnType<typeof deployment>, hits, written: written.length, holds };
}
const impossible = (operation: object, message: RegExp, document?: object) =>
  assert.throws(
    () => run(operation, document),
    (error) => error instanceof Impossible && message.test(error.message),
  );

describe('test', () => {
  test('holds where something exists, equals or matches', () => {
    assert.ok(run({ op: 'test', path: '/spec/replicas' }).holds);
    assert.ok(!run({ op: 'test', path: '/spec/paused' }).holds);
    assert.ok(run({ op: 'test', path: '/spec/replicas', value: 3 }).holds);
    assert.ok(!run({ op: 'test', path: '/spec/replicas', value: '3' }).holds);
    assert.ok(run({ op: 'test', path: '/spec/template/spec/containers/0/image', regex: 'nginx' }).holds);
    assert.ok(!run({ op: 'test', path: '/spec/replicas', regex: '3' }).holds);
  });
  test('the order of a map does not count, that of a list does', () => {
    assert.ok(run({ op: 'test', path: '/spec/selector/matchLabels', value: { tier: 'front', app: 'web' } }).holds);
    assert.ok(run({ op: 'test', path: '/l', value: [1, 2] }, { l: [1, 2] }).holds);
    assert.ok(!run({ op: 'test', path: '/l', value: [2, 1] }, { l: [1, 2] }).holds);
  });
  test('with a wildcard every place has to hold', () => {
    assert.ok(run({ op: 'test', path: '/spec/template/spec/containers/*/image', regex: ':' }).holds);
    assert.ok(!run({ op: 'test', path: '/spec/template/spec/containers/*/image', regex: 'nginx' }).holds);
    assert.ok(!run({ op: 'test', path: '/spec/nothing/*' }).holds);
  });
  test('value and regex together are refused when the file is read', () => {
    assert.throws(() => run({ op: 'test', path: '/a', value: 1, regex: 'x' }), /value or regex, not both/);
  });
});

describe('add', () => {
  test('a key of a map is added or replaced', () => {
    assert.equal(
      run({ op: 'add', path: '/metadata/annotations/example.com~1a', value: '2' }).document.metadata.annotations['example.com/a'],
      '2',
    );
    assert.deepEqual(run({ op: 'add', path: '/metadata/labels/new', value: 'x' }).document.metadata.labels, {
      app: 'web',
      tier: 'front',
      new: 'x',
    });
  });
  test('in a list it is put in before the index, or at the end', () => {
    const names = (path: string) =>
      run({ op: 'add', path, value: { name: 'new' } }).document.spec.template.spec.containers.map(({ name }) => name);
    assert.deepEqual(names('/spec/template/spec/containers/0'), ['new', 'web', 'log']);
    assert.deepEqual(names('/spec/template/spec/containers/2'), ['web', 'log', 'new']);
    assert.deepEqual(names('/spec/template/spec/containers/-'), ['web', 'log', 'new']);
    impossible({ op: 'add', path: '/spec/template/spec/containers/3', value: {} }, /no place "3"/);
    impossible({ op: 'add', path: '/spec/template/spec/containers/01', value: {} }, /no place "01"/);
  });
  test('what it is put into must exist', () => {
    impossible({ op: 'add', path: '/spec/strategy/type', value: 'Recreate' }, /\/spec\/strategy does not exist; add it first/);
    impossible({ op: 'add', path: '/spec/replicas/x', value: 1 }, /neither a map nor a list/);
  });
  test('with wildcards it is done at every place that can take it', () => {
    const { document, hits } = run({ op: 'add', path: '/spec/template/spec/containers/*/env/-', value: { name: 'B', value: '2' } });
    assert.equal(hits, 1);
    assert.deepEqual(document.spec.template.spec.containers[0]?.env, [
      { name: 'A', value: '1' },
      { name: 'B', value: '2' },
    ]);
    assert.equal(document.spec.template.spec.containers[1]?.env, undefined);
    assert.equal(run({ op: 'add', path: '/spec/none/*/x', value: 1 }).hits, 0);
  });
  test('each place gets a value of its own', () => {
    const { document } = run({ op: 'add', path: '/spec/template/spec/containers/*/resources', value: { limits: {} } });
    const [one, two] = document.spec.template.spec.containers as { resources?: object }[];
    assert.notEqual(one?.resources, two?.resources);
  });
});

describe('remove', () => {
  test('takes away what is there; what is not there can not be removed', () => {
    assert.equal(run({ op: 'remove', path: '/spec/replicas' }).document.spec.replicas, undefined);
    impossible({ op: 'remove', path: '/spec/paused' }, /\/spec\/paused does not exist/);
    assert.equal(run({ op: 'remove', path: '/spec/none/*' }).hits, 0);
  });
  test('several items of one list are removed without mixing up their indexes', () => {
    assert.deepEqual(run({ op: 'remove', path: '/l/*' }, { l: [1, 2, 3] }).document, { l: [] });
    assert.deepEqual(run({ op: 'remove', path: '/l/*/x' }, { l: [{ x: 1 }, { y: 2 }, { x: 3 }] }).document, { l: [{}, { y: 2 }, {}] });
  });
});

describe('replace', () => {
  test('only what exists', () => {
    assert.equal(run({ op: 'replace', path: '/spec/replicas', value: 1 }).document.spec.replicas, 1);
    impossible({ op: 'replace', path: '/spec/paused', value: true }, /does not exist/);
  });
  test('with a regex: what matches gets the value as a whole, with its groups filled in; the rest stays', () => {
    const images = (operation: object) =>
      run({ op: 'replace', path: '/spec/template/spec/containers/*/image', ...operation }).document.spec.template.spec.containers.map(
        ({ image }) => image,
      );
    assert.deepEqual(images({ regex: '^docker\\.io/(.*)$', value: 'mirror.example/$1' }), [
      'mirror.example/nginx:1.27',
      'quay.io/fluent:3',
    ]);
    assert.deepEqual(images({ regex: 'nginx', value: 'httpd' }), ['httpd', 'quay.io/fluent:3']);
    assert.deepEqual(images({ regex: '(?P<registry>[^/]+)/(?P<rest>.*)', value: 'm/${registry}/$rest' }), [
      'm/docker.io/nginx:1.27',
      'm/quay.io/fluent:3',
    ]);
  });
  test('a text in Go writes groups so: the longest name counts, and two dollars are one', () => {
    const value = (template: string) => run({ op: 'replace', path: '/a', regex: '^(.)(.)', value: template }, { a: 'xyz' }).document;
    assert.deepEqual(value('${1}b-$2'), { a: 'xb-y' });
    assert.deepEqual(value('$1b'), { a: '' });
    assert.deepEqual(value('$$1 $9 $'), { a: '$1  $' });
    assert.deepEqual(value('$0'), { a: 'xy' });
  });
  test('a regex on something that is no text: an error where it was named, passed over below a wildcard', () => {
    impossible({ op: 'replace', path: '/spec/replicas', regex: '3', value: '4' }, /is not a text/);
    assert.deepEqual(run({ op: 'replace', path: '/*', regex: '.', value: 'z' }, { a: 1, b: 'x' }).document, { a: 1, b: 'z' });
  });
  test('a pattern without end for others takes no time here, and one that RE2 does not know is refused', () => {
    assert.equal(run({ op: 'replace', path: '/a', regex: '^(a+)+$', value: 'x' }, { a: `${'a'.repeat(50_000)}!` }).written, 0);
    impossible({ op: 'replace', path: '/a', regex: '(?=x)', value: 'x' }, /RE2/, { a: 'x' });
  });
});

describe('copy and move', () => {
  test('copy keeps the source, move takes it away; the target may be new', () => {
    const copied = run({ op: 'copy', from: '/metadata/labels/app', path: '/metadata/labels/was' }).document.metadata.labels;
    assert.deepEqual(copied, { app: 'web', tier: 'front', was: 'web' });
    const moved = run({ op: 'move', from: '/metadata/labels/app', path: '/metadata/labels/was' }).document.metadata.labels;
    assert.deepEqual(moved, { tier: 'front', was: 'web' });
    impossible({ op: 'copy', from: '/metadata/labels/none', path: '/metadata/labels/was' }, /does not exist/);
    impossible({ op: 'copy', from: '/metadata/labels/app', path: '/spec/none/was' }, /add it first/);
  });
  test('$n of the path is what the n-th wildcard stood for; ** may stand for several levels', () => {
    // The example of the documentation: the labels that a selector wants are put on the pods.
    const { document } = run({ op: 'copy', from: '/**/selector/matchLabels/*', path: '/spec/template/metadata/labels/$2' });
    assert.deepEqual(document.spec.template.metadata.labels, { app: 'web', tier: 'front' });
    const deep = { a: { b: { c: { x: 1 } } } };
    assert.deepEqual(run({ op: 'copy', from: '/**/x', path: '/$1/y' }, deep).document, { a: { b: { c: { x: 1, y: 1 } } } });
    assert.deepEqual(run({ op: 'copy', from: '/m/*', path: '/m/old-$1' }, { m: { a: 1 } }).document, { m: { a: 1, 'old-a': 1 } });
    impossible({ op: 'copy', from: '/**/x', path: '/old-$1' }, /several levels/, deep);
    impossible({ op: 'copy', from: '/m/*', path: '/m/$2' }, /\$2 is named, but from has 1/, { m: { a: 1 } });
    impossible({ op: 'copy', from: '/m/*', path: '/*/x' }, /only \$1/, { m: { a: 1 } });
  });
  test('one source may go to many places; $ is then a letter like any other', () => {
    const { document } = run({ op: 'copy', from: '/metadata/name', path: '/spec/template/spec/containers/*/name' });
    assert.deepEqual(
      document.spec.template.spec.containers.map(({ name }) => name),
      ['web', 'web'],
    );
    assert.deepEqual(run({ op: 'copy', from: '/a', path: '/$1' }, { a: 1 }).document, { a: 1, $1: 1 });
  });
  test('two different values for one place are refused, equal ones are not', () => {
    const of = (x: number, y: number) => ({ l: [{ v: x }, { v: y }] });
    assert.deepEqual(run({ op: 'copy', from: '/l/*/v', path: '/v' }, of(1, 1)).document, { ...of(1, 1), v: 1 });
    impossible({ op: 'copy', from: '/l/*/v', path: '/v' }, /two different values would go to \/v/, of(1, 2));
  });
  test('with a regex only texts that match are carried, as they are or as the value says', () => {
    const labels = { app: 'web', tier: 'front' };
    const copied = (more: object) =>
      run({ op: 'copy', from: '/l/*', path: '/n/$1', regex: '^w(.*)', ...more }, { l: labels, n: {} }).document;
    assert.deepEqual(copied({}), { l: labels, n: { app: 'web' } });
    assert.deepEqual(copied({ value: 'x-$1' }), { l: labels, n: { app: 'x-eb' } });
    assert.throws(() => run({ op: 'copy', from: '/a', path: '/b', value: 'x' }), /only together with regex/);
  });
  test('nothing is moved into itself; onto itself it stays', () => {
    impossible({ op: 'move', from: '/spec', path: '/spec/old' }, /into itself/);
    assert.deepEqual(run({ op: 'move', from: '/spec/replicas', path: '/spec/replicas' }).document.spec.replicas, 3);
  });
  test('items of a list change places', () => {
    assert.deepEqual(run({ op: 'move', from: '/l/0', path: '/l/2' }, { l: [1, 2, 3] }).document, { l: [2, 3, 1] });
  });
});

describe('paths', () => {
  test('~1 is a slash and ~0 a tilde; other tildes are refused', () => {
    assert.deepEqual(run({ op: 'replace', path: '/a~1b~0c', value: 2 }, { 'a/b~c': 1 }).document, { 'a/b~c': 2 });
    assert.throws(() => run({ op: 'remove', path: '/a~2' }), /neither ~0/);
  });
  test('the slash at the beginning may be missing', () => {
    assert.equal(run({ op: 'replace', path: 'spec/replicas', value: 1 }).document.spec.replicas, 1);
  });
  test('* is one level, ** one or more', () => {
    const hits = (path: string) => run({ op: 'test', path }, { a: { x: 1, b: { x: 2, c: { x: 3 } } }, x: 4 }).hits;
    assert.equal(hits('/*/x'), 1);
    assert.equal(hits('/**/x'), 3);
    assert.equal(hits('/a/**'), 5);
    assert.equal(hits('/**/**/x'), 2);
  });
  test('a place is met once, however many ways lead to it, and deep documents end', () => {
    let deep: object = { x: 1 };
    for (let index = 0; index < 200; index += 1) deep = { a: deep };
    assert.equal(run({ op: 'test', path: '/**/**/**/x' }, deep).hits, 1);
  });
  test('a field called __proto__ is a field', () => {
    const { document } = run({ op: 'add', path: '/__proto__', value: { polluted: true } }, {});
    assert.deepEqual(Object.keys(document), ['__proto__']);
    assert.equal(({} as { polluted?: boolean }).polluted, undefined);
    impossible({ op: 'replace', path: '/constructor/name', value: 'x' }, /does not exist/, {});
  });
});
