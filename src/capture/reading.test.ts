/** Reads from a server on a bad day: what is a refusal, what is waited for, what ends the capture. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import type { KubeObject, ResourceType } from '../api/object.ts';
import { TranshipError } from '../errors.ts';
import { failure, fakeServer, json, type Answer } from '../kube/fake-server.fixture.ts';
import { closeOver } from './closure.ts';
import { listKinds } from './listing.ts';
import { listAll, readOne, type Reader } from './reading.ts';
import { readVolumes } from './volumes.ts';

const type = (resource: string, kind: string, group = '', namespaced = true): ResourceType => ({
  group,
  version: 'v1',
  resource,
  kind,
  namespaced,
  verbs: ['get', 'list', 'create'],
  versions: ['v1'],
});
const claims = type('persistentvolumeclaims', 'PersistentVolumeClaim');
const ingresses = type('ingresses', 'Ingress', 'networking.k8s.io');
const aggregated = type('things', 'Thing', 'things.example.com');

const list: Answer = (_, response) =>
  json(response, 200, { kind: 'List', metadata: { resourceVersion: '1' }, items: [{ metadata: { name: 'data', namespace: 'shop' } }] });

describe('reading', async () => {
  let answer: Answer = list;
  const server = await fakeServer((seen, response, socket) => answer(seen, response, socket));
  const client = server.open();
  after(async () => await server.close());
  const reader = (more: Partial<Reader> = {}): Reader => ({
    client,
    signal: AbortSignal.timeout(240_000),
    broken: new Set(),
    patienceMs: 60_000,
    ...more,
  });
  /** Fails the first times, then works. */
  const failing = (times: number, fail: Answer): Answer => {
    let left = times;
    return (seen, response, socket) => ((left -= 1) >= 0 ? fail(seen, response, socket) : list(seen, response, socket));
  };
  const names = (reading: Awaited<ReturnType<typeof listAll>>) =>
    'value' in reading ? reading.value.map((each) => each.metadata.name) : reading;

  const passing: [string, number, string][] = [
    ['an election of etcd', 500, 'etcdserver: leader changed'],
    ['a slow gateway', 504, 'Gateway Timeout'],
    ['a request that took too long', 408, 'Timeout'],
    ['a crash of the server', 502, 'Bad Gateway'],
    ['an own server that is overloaded', 503, 'service unavailable'],
  ];
  for (const [name, status, message] of passing) {
    test(`${name} (${status}) is waited for: no object is missing`, async () => {
      answer = failing(2, (_, response) => failure(response, status, 'X', message));
      assert.deepEqual(names(await listAll(reader(), claims, 'shop')), ['data']);
    });

    test(`${name} (${status}) that does not end is thrown, and is never an empty list`, async () => {
      answer = (_, response) => failure(response, status, 'X', message);
      await assert.rejects(listKinds(reader({ patienceMs: 1 }), [ingresses, claims], ['shop']), TranshipError);
      await assert.rejects(
        readOne(reader({ patienceMs: 1 }), type('persistentvolumes', 'PersistentVolume', '', false), 'pv'),
        TranshipError,
      );
    });
  }

  test('a connection that is cut again and again is thrown', async () => {
    answer = (_, __, socket) => void socket.destroy();
    await assert.rejects(listKinds(reader({ patienceMs: 1 }), [ingresses], ['shop']), (error: unknown) => {
      assert.ok(error instanceof TranshipError && error.code === 'Unreachable');
      return true;
    });
  });

  test('a list that breaks off between two pages begins again: every object once', async () => {
    let calls = 0;
    answer = (seen, response, socket) => {
      calls += 1;
      if (!seen.url.includes('continue=')) {
        return json(response, 200, { metadata: { continue: 'two' }, items: [{ metadata: { name: 'a', namespace: 'shop' } }] });
      }
      return calls === 2 ? failure(response, 500, 'InternalError', 'etcdserver: leader changed') : list(seen, response, socket);
    };
    assert.deepEqual(names(await listAll(reader(), claims, 'shop')), ['a', 'data']);
  });

  test('what we may not list is a finding; of a kind that decides about data it stands against the move', async () => {
    answer = (_, response) => failure(response, 403, 'Forbidden');
    const { listed, findings } = await listKinds(reader(), [ingresses, claims], ['shop']);
    assert.deepEqual(
      listed.map(({ objects }) => objects.length),
      [0, 0],
    );
    assert.deepEqual(findings.map(({ severity, message }) => `${severity} ${/list (\S+) in/.exec(message)?.[1]}`).toSorted(), [
      'block persistentvolumeclaims',
      'unknown ingresses.networking.k8s.io',
    ]);
  });

  test('a kind that is not served, or cannot be listed, is a finding', async () => {
    for (const status of [404, 405]) {
      answer = (_, response) => failure(response, status, 'X');
      const { findings } = await listKinds(reader(), [ingresses], ['shop']);
      assert.deepEqual(
        findings.map(({ id, severity }) => [id, severity]),
        [['KindNotReadable', 'unknown']],
      );
    }
  });

  test('503 is a finding only where the discovery says that the server behind the group is gone', async () => {
    answer = (seen, response) =>
      seen.url === '/apis' || seen.url === '/api' ? json(response, 200, { kind: 'APIGroupDiscoveryList' }) : failure(response, 503, 'X');
    const known = await listKinds(reader({ broken: new Set(['things.example.com']) }), [aggregated], ['shop']);
    assert.deepEqual(
      known.findings.map(({ id }) => id),
      ['KindNotReadable'],
    );
    await assert.rejects(listKinds(reader({ patienceMs: 1 }), [aggregated], ['shop']), TranshipError);
    answer = (seen, response) => {
      if (!seen.url.startsWith('/apis') || seen.url.includes('things')) return failure(response, 503, 'X');
      const versions = [{ version: 'v1', freshness: 'Stale' }];
      return json(response, 200, { kind: 'APIGroupDiscoveryList', items: [{ metadata: { name: 'things.example.com' }, versions }] });
    };
    // The server of the group went after the discovery was read: it is read again before we give up.
    const answered = answer;
    answer = (seen, response, socket) => (seen.url === '/api' ? json(response, 200, {}) : answered(seen, response, socket));
    const late = await listKinds(reader({ patienceMs: 1 }), [aggregated], ['shop']);
    assert.deepEqual(
      late.findings.map(({ id }) => id),
      ['KindNotReadable'],
    );
  });

  test('an abort ends the waiting', async () => {
    const stop = new AbortController();
    answer = (_, response) => {
      failure(response, 500, 'InternalError');
      stop.abort();
    };
    await assert.rejects(listAll(reader({ signal: stop.signal }), claims, 'shop'));
  });

  const claim: KubeObject = {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: 'data', namespace: 'shop' },
    spec: { volumeName: 'pv-1' },
    status: { phase: 'Bound' },
  };
  const captured = { object: claim, resource: claims, role: 'selected' as const, shared: false };

  test('a volume that we may not read, or that is not there, stands against the move; a failing server is thrown', async () => {
    answer = (_, response) => failure(response, 403, 'Forbidden');
    assert.deepEqual(
      (await readVolumes(reader(), [captured], [])).findings.map(({ id, severity }) => [id, severity]),
      [['VolumeNotReadable', 'block']],
    );
    answer = (_, response) => failure(response, 404, 'NotFound', 'persistentvolumes "pv-1" not found');
    assert.deepEqual(
      (await readVolumes(reader(), [captured], [])).findings.map(({ id, severity }) => [id, severity]),
      [['VolumeMissing', 'block']],
    );
    answer = (_, response) => failure(response, 500, 'InternalError');
    await assert.rejects(readVolumes(reader({ patienceMs: 1 }), [captured], []), TranshipError);
  });

  test('the closure tells what it may not read, and throws what fails', async () => {
    const types = [type('clusterrolebindings', 'ClusterRoleBinding', 'rbac.authorization.k8s.io', false)];
    answer = (_, response) => failure(response, 403, 'Forbidden');
    const closure = await closeOver(reader(), [captured], ['shop'], types);
    assert.deepEqual(
      closure.findings.map(({ id }) => id),
      ['KindForbidden'],
    );
    answer = (_, response) => failure(response, 500, 'InternalError', 'etcdserver: leader changed');
    await assert.rejects(closeOver(reader({ patienceMs: 1 }), [captured], ['shop'], types), TranshipError);
  });
});
