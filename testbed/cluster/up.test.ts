import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderEnv } from './files.ts';
import { together } from './together.ts';
import { differences } from './up.ts';
import type { TestBed } from './bed.ts';

function running(source: string, target: string): TestBed {
  const cluster = (version: string) => ({ version }) as TestBed['clusters']['source'];
  return { provider: 'native', clusters: { source: cluster(source), target: cluster(target) } } as TestBed;
}

test('a running bed is used when provider and minor versions are the wanted ones', () => {
  assert.deepEqual(differences(running('1.36.3', '1.36.3'), {}, 'native'), []);
  assert.deepEqual(differences(running('1.34.4', '1.36.3'), { sourceVersion: 'v1.34.2' }, 'native'), []);
  assert.equal(differences(running('1.34.4', '1.36.3'), {}, 'native').length, 1);
  assert.equal(differences(running('1.36.3', '1.36.3'), { targetVersion: '1.34' }, 'native').length, 1);
  assert.equal(differences(running('1.36.3', '1.36.3'), {}, 'kind').length, 1);
});

test('one failure stops the other tasks, and is thrown only when they have ended', async () => {
  let ended = false;
  const failing = together(new AbortController().signal, (signal) => [
    Promise.reject(new Error('first')),
    new Promise<void>((resolve) => {
      signal.addEventListener('abort', () => setImmediate(() => resolve(void (ended = true))));
    }),
  ]);
  await assert.rejects(failing, /first/);
  assert.equal(ended, true);
});

test('the environment file is read by a shell as it was meant', () => {
  const text = renderEnv("/it's/kubeconfig", {
    endpoint: 'http://10.0.0.1:7070',
    region: 'r',
    bucket: 'b',
    accessKeyId: 'k',
    secretAccessKey: 's',
  });
  assert.match(text, /^export KUBECONFIG='\/it'\\''s\/kubeconfig'$/m);
  assert.match(text, /^export AWS_ENDPOINT_URL_S3='http:\/\/10\.0\.0\.1:7070'$/m);
});
