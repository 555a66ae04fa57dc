/**
 * A hand-over that is killed before and after each of its writes, on a real API server with the controllers of volumes: a second call
 * finishes it, and the sweep instead of a second call leaves no volume behind that nobody claims.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fieldAt } from '../api/fields.ts';
import { migrationLabel } from '../api/meta.ts';
import type { KubeObject } from '../api/object.ts';
import { loadKubeconfig, openKube, resources, type KubeClient } from '../kube/index.ts';
import { moveVolume } from './claim.ts';
import { ownLabels } from './marks.ts';
import { stagingNamespace } from './names.ts';
import { sweep } from './sweep.ts';

const path = process.env['TRANSHIP_TEST_KUBECONFIGS']?.split(':')[0] ?? '';
const skip = path === '' ? 'TRANSHIP_TEST_KUBECONFIGS is not set: no API server to try' : false;
const { persistentVolumeClaims: claims, persistentVolumes: volumes, namespaces } = resources;
const run = randomBytes(3).toString('hex');
const signal = AbortSignal.timeout(840_000);

class Killed extends Error {}

/** The client of a process that is killed at its n-th write: before it reaches the server, or before the answer reaches us. */
function killedAt(client: KubeClient, at: number, when: 'before' | 'after'): { client: KubeClient; writes: () => number } {
  let writes = 0;
  const deadly = async <T>(write: () => Promise<T>): Promise<T> => {
    writes += 1;
    if (writes === at && when === 'before') throw new Killed();
    const done = await write();
    if (writes === at) throw new Killed();
    return done;
  };
  const wrapped: KubeClient = {
    ...client,
    get: async (...args) => await client.get(...args),
    list: (...args) => client.list(...args),
    create: async (...args) => await deadly(async () => await client.create(...args)),
    patch: async (...args) => await deadly(async () => await client.patch(...args)),
    delete: async (...args) => await deadly(async () => await client.delete(...args)),
  };
  return { client: wrapped, writes: () => writes };
}

describe('a hand-over that is killed', { skip, timeout: 850_000 }, () => {
  let kube: KubeClient;
  const app = `moved-${run}`;

  before(async () => {
    const config = loadKubeconfig({ path });
    kube = openKube(config.access(config.currentContext ?? ''));
    await kube.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: app } });
  });
  after(async () => {
    await kube.delete(namespaces, app);
    await kube.close();
  });

  /** A filled staging claim of migration `name.1`, bound to a volume whose storage the cluster's own controller can delete. */
  async function filled(name: string) {
    const mark = `${name}.1`;
    const staging = stagingNamespace(name);
    const volume = `pv-${name}`;
    const common = { accessModes: ['ReadWriteOnce'], storageClassName: '' };
    await kube.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: staging, labels: ownLabels(mark) } });
    await kube.create(volumes, {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: volume },
      spec: {
        ...common,
        capacity: { storage: '1Mi' },
        persistentVolumeReclaimPolicy: 'Delete',
        hostPath: { path: `/tmp/tranship-${run}-${name}` },
        claimRef: { namespace: staging, name: 'filled' },
      },
    });
    const claim = (namespace: string, metadata: Partial<KubeObject['metadata']>): KubeObject => ({
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'filled', namespace, ...metadata },
      spec: { ...common, resources: { requests: { storage: '1Mi' } } },
    });
    await kube.create(claims, claim(staging, { labels: ownLabels(mark) }));
    while (fieldAt(await kube.get(claims, 'filled', staging), 'status', 'phase') !== 'Bound') await delay(50, undefined, { signal });
    const move = {
      migration: mark,
      from: { namespace: staging, name: 'filled' },
      to: claim(app, { name, annotations: { [migrationLabel]: mark } }),
      timeoutMs: 120_000,
      signal,
    };
    return { name, mark, staging, volume, move };
  }

  /** Every death of a hand-over has its own migration; all run side by side. */
  async function atEachWrite(what: string, then: (at: Awaited<ReturnType<typeof filled>>) => Promise<void>): Promise<void> {
    const whole = await filled(`${what}-whole`);
    const counted = killedAt(kube, 0, 'before');
    await moveVolume(counted.client, whole.move);
    assert.ok(counted.writes() >= 5, `a hand-over is ${counted.writes()} writes`);
    const deaths = Array.from({ length: counted.writes() }, (_, index) => index + 1).flatMap((at) => [
      { at, when: 'before' as const },
      { at, when: 'after' as const },
    ]);
    await Promise.all(
      deaths.map(async ({ at, when }) => {
        const scene = await filled(`${what}-${when}-${at}`);
        await assert.rejects(moveVolume(killedAt(kube, at, when).client, scene.move), Killed);
        await then(scene);
      }),
    );
    await sweep(kube, whole.mark, { staging: whole.name, timeoutMs: 120_000, signal });
  }

  test('is finished by a second call', async () => {
    await atEachWrite('again', async ({ name, mark, volume, move }) => {
      assert.deepEqual(await moveVolume(kube, move), { volume });
      const moved = await kube.get(claims, name, app);
      assert.equal(fieldAt(moved, 'spec', 'volumeName'), volume);
      const there = await kube.get(volumes, volume);
      assert.equal(fieldAt(there, 'spec', 'persistentVolumeReclaimPolicy'), 'Delete');
      assert.equal(fieldAt(there, 'spec', 'claimRef', 'uid'), moved?.metadata.uid);
      assert.equal(there?.metadata.labels?.[migrationLabel], undefined);
      assert.deepEqual(
        Object.keys(there?.metadata.annotations ?? {}).filter((key) => key.startsWith('tranship.io/')),
        [],
      );
      await sweep(kube, mark, { staging: name, timeoutMs: 120_000, signal });
      assert.equal(fieldAt(await kube.get(volumes, volume), 'status', 'phase'), 'Bound', 'the sweep does not touch what was handed over');
    });
  });

  test('leaves nothing that nobody claims when it is swept instead', async () => {
    await atEachWrite('sweep', async ({ name, mark, staging, volume }) => {
      await sweep(kube, mark, { staging: name, timeoutMs: 120_000, signal });
      assert.equal(await kube.get(namespaces, staging), undefined);
      const moved = await kube.get(claims, name, app);
      const there = await kube.get(volumes, volume);
      // The application's claim is there from the fourth write on; what it is bound to is not ours any more.
      assert.equal(there === undefined, moved === undefined, `volume ${volume} ${there === undefined ? 'is gone' : 'is there'}`);
    });
  });
});
