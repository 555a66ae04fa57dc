import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TranshipError } from '../../src/errors.ts';
import type { Download } from './pins.ts';
import { etcdRecipe } from './recipes.ts';
import { provideSet, type Sources } from './sets.ts';

const need = { name: 'etcd', wanted: { etcd: '>=3.5.24' }, recipe: etcdRecipe, light: false };

/** Sources that have nothing, and a diary of who was asked. */
function sources(overrides: Partial<Sources>, host: string): { diary: string[]; all: Sources } {
  const diary: string[] = [];
  const pinned: Download = {
    name: 'no-such-entry',
    version: '3.6.14',
    url: `https://${host}/etcd.tar.gz`,
    hash: { algorithm: 'sha256', hex: '0' },
    members: ['etcd'],
  };
  const base: Sources = {
    env: {},
    downloads: { etcd: { [process.arch]: pinned } },
    given: async () => new Map(),
    builtEarlier: async () => undefined,
    download: async () => '/downloaded',
    build: async () => '/built',
    ...overrides,
  };
  const all: Sources = {
    ...base,
    given: (search) => (diary.push('given'), base.given(search)),
    download: (what, work) => (diary.push('download'), base.download(what, work)),
    build: (recipe, work) => (diary.push('build'), base.build(recipe, work)),
  };
  return { diary, all };
}

async function provide(overrides: Partial<Sources>, host: string): Promise<{ origin: string; diary: string[]; said: string[] }> {
  const said: string[] = [];
  const { diary, all } = sources(overrides, host);
  const set = await provideSet(need, { signal: new AbortController().signal, onProgress: (line) => said.push(line) }, all);
  const etcd = set.get('etcd');
  return { origin: `${etcd?.source} ${etcd?.version} ${etcd?.path}`, diary, said };
}

const failing = (code: 'Unreachable' | 'Integrity'): Partial<Sources> => ({
  download: () => Promise.reject(new TranshipError(code, `It is ${code}.`)),
});

test('what the machine has is used and nobody else is asked', async () => {
  const own = { given: async () => new Map([['etcd', { path: '/own/etcd', version: '3.6.1' }]]) };
  assert.deepEqual(await provide(own, 'one.test'), { origin: 'given 3.6.1 /own/etcd', diary: ['given'], said: [] });
});

test('then the download, with the version of its pin', async () => {
  assert.deepEqual(await provide({}, 'two.test'), { origin: 'download 3.6.14 /downloaded/etcd', diary: ['given', 'download'], said: [] });
});

test('then the build, after one line; the silent host is not asked again', async () => {
  const first = await provide(failing('Unreachable'), 'three.test');
  assert.equal(first.origin, `build ${etcdRecipe.version} /built/etcd`);
  assert.deepEqual(first.said, ['It is Unreachable. Building etcd instead.']);
  assert.deepEqual((await provide(failing('Unreachable'), 'three.test')).diary, ['given', 'build']);
});

test('bytes that are not the pinned ones are told and not used', async () => {
  const { origin, said } = await provide(failing('Integrity'), 'four.test');
  assert.equal(origin, `build ${etcdRecipe.version} /built/etcd`);
  assert.deepEqual(said, ['It is Integrity. Building etcd instead.']);
});

test('an earlier build is taken before the network is asked', async () => {
  const { diary } = await provide({ builtEarlier: async () => '/built' }, 'five.test');
  assert.deepEqual(diary, ['given', 'build']);
});

test('without a pin there is no download', async () => {
  assert.deepEqual((await provide({ downloads: {} }, 'six.test')).diary, ['given', 'build']);
});
