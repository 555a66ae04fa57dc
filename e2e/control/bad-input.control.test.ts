/** Every mistake is answered by its own sentence and exit code, and changes nothing on either cluster. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { resources } from '../../src/kube/index.ts';
import { freshHub, runCli, type Finished } from '../support/bed.ts';
import { contents, noPlanes, planeOf, planes, type Plane } from './planes.ts';
import { light } from '../../testbed/index.ts';
import { putApplication, run, type Application } from './application.ts';
import { freePort, startStore, type Store } from './store.ts';

const signal = AbortSignal.timeout(900_000);

describe('bad input', { skip: noPlanes }, () => {
  let source: Plane;
  let target: Plane;
  let store: Store;
  let readOnly: Store;
  let app: Application;
  /** Both clusters before the first mistake. */
  let untouched: string[][];
  const bothContents = async () => await Promise.all([contents(source.client, signal), contents(target.client, signal)]);

  before(async () => {
    [source, target] = planes();
    [store, readOnly] = await Promise.all([startStore({ readOnly: false, signal }), startStore({ readOnly: true, signal })]);
    app = await putApplication(source.client, target.client, signal);
    untouched = await bothContents();
  });
  after(async () => {
    await app?.remove();
    await Promise.all([store?.close(), readOnly?.close(), source?.client.close(), target?.client.close()]);
  });

  /** Flags of a good call, of which a case changes one thing. */
  interface Change {
    from?: string;
    to?: string;
    namespace?: string;
    location?: string;
    store?: Store;
    env?: Record<string, string>;
    more?: string[];
  }

  async function migrate(change: Change): Promise<Finished> {
    const at = change.store ?? store;
    const args = ['migrate', '--yes', '--from', change.from ?? source.context, '--to', change.to ?? target.context];
    args.push('-n', change.namespace ?? app.namespace, '--location', change.location ?? `s3://${at.bucket}/${run}`, ...(change.more ?? []));
    return await runCli(args, {
      ...process.env,
      KUBECONFIG: `${source.kubeconfig}:${target.kubeconfig}`,
      TRANSHIP_HUB: freshHub(),
      AWS_ACCESS_KEY_ID: at.accessKeyId,
      AWS_SECRET_ACCESS_KEY: at.secretAccessKey,
      AWS_ENDPOINT_URL_S3: at.endpoint,
      AWS_REGION: 'us-east-1',
      ...change.env,
    });
  }

  const cases: { name: string; change: () => Change | Promise<Change>; code: number; says: () => RegExp }[] = [
    {
      name: 'an unknown context',
      change: () => ({ from: 'nowhere' }),
      code: 2,
      says: () => /Context "nowhere" is not in the kubeconfig\.\nhint: Known contexts: /,
    },
    {
      name: 'a namespace that does not exist',
      change: () => ({ namespace: 'no-such-namespace' }),
      code: 2,
      says: () => /Namespace "no-such-namespace" does not exist on .*\nhint: Namespaces there: /,
    },
    {
      name: 'the same cluster and the same namespace',
      change: () => ({ to: source.context }),
      code: 2,
      says: () => /same cluster.*onto itself\.\nhint: .*--map-namespace/,
    },
    {
      name: 'a storage class that the target does not have',
      change: () => ({ more: ['--map-namespace', `${app.namespace}=${app.namespace}-new`] }),
      code: 3,
      says: () => new RegExp(`BLOCK\\s+\\w+.*"?${app.storageClass}"?`),
    },
    {
      name: 'no snapshot class for the driver of a volume',
      change: () => ({ more: ['--map-storage-class', `${app.storageClass}=${app.targetStorageClass}`] }),
      code: 3,
      says: () => /BLOCK\s+\w+.*snapshot class.*csi\.example\.com|BLOCK\s+\w+.*csi\.example\.com.*snapshot class/i,
    },
    {
      name: 'a target namespace that already holds such objects',
      change: () => ({ more: ['--map-namespace', `${app.namespace}=${app.takenNamespace}`] }),
      code: 3,
      says: () => new RegExp(`BLOCK\\s+ObjectsExist.*${app.takenNamespace}.*already holds`),
    },
    {
      name: 'a bucket that does not exist',
      change: () => ({ location: 's3://no-such-bucket' }),
      code: 2,
      says: () => /bucket.*no-such-bucket.*does not exist/i,
    },
    {
      name: 'a bucket that cannot be written',
      change: () => ({ store: readOnly }),
      code: 77,
      says: () => /s3:\/\/moves.*not writable|may not.*write/i,
    },
    {
      name: 'a directory that cannot be written',
      change: () => ({ location: 'dir:/sys/tranship' }),
      code: 77,
      says: () => /\/sys\/tranship/,
    },
    {
      name: 'wrong credentials',
      change: () => ({ env: { AWS_SECRET_ACCESS_KEY: 'canary-wrong' } }),
      code: 77,
      says: () => /credential/i,
    },
    {
      name: 'an unknown access key',
      change: () => ({ env: { AWS_ACCESS_KEY_ID: 'canary-nobody' } }),
      code: 77,
      says: () => /credential/i,
    },
    {
      name: 'a store that does not answer',
      change: async () => ({ env: { AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${await freePort()}` } }),
      code: 69,
      says: () => /does not answer|cannot be reached/i,
    },
    {
      name: 'an unknown value of a flag',
      change: () => ({ more: ['--existing', 'Merge'] }),
      code: 2,
      says: () => /--existing.*'Merge' is invalid\. Use one of/,
    },
    {
      name: 'streams outside of 1 to 16',
      change: () => ({ more: ['--streams', '17'] }),
      code: 2,
      says: () => /--streams.*'17' is invalid\. .*1 to 16/,
    },
    {
      name: 'a map that is none',
      change: () => ({ more: ['--map-namespace', 'shop'] }),
      code: 2,
      says: () => /--map-namespace.*"shop" is not of that form/,
    },
  ];

  for (const { name, change, code, says } of cases) {
    test(name, { timeout: 240_000 }, async () => {
      const end = await migrate(await change());
      assert.match(end.stderr, says());
      assert.equal(end.code, code, end.stderr);
      assert.doesNotMatch(end.stdout + end.stderr, /canary|defect/);
      assert.doesNotMatch(end.stdout + end.stderr, new RegExp(store.secretAccessKey));
      assert.deepEqual(await bothContents(), untouched, 'nothing was changed');
    });
  }

  test('a kind that the target does not serve', { timeout: 480_000 }, async () => {
    const bed = await light(1, { signal, apiserverFlags: ['--runtime-config=policy/v1=false'] });
    try {
      const poor = planeOf(bed.clusters[0]?.kubeconfig ?? '');
      const found = await contents(poor.client, signal);
      const end = await migrate({
        from: target.context,
        to: poor.context,
        env: { KUBECONFIG: `${poor.kubeconfig}:${target.kubeconfig}` },
        namespace: app.takenNamespace,
      });
      assert.match(end.stderr, /BLOCK\s+\w+.*PodDisruptionBudget/);
      assert.equal(end.code, 3, end.stderr);
      assert.deepEqual(await contents(poor.client, signal), found, 'nothing was changed');
      await poor.client.close();
    } finally {
      await bed.close();
    }
  });

  test('all that stands against a plan is told at once', async () => {
    const end = await migrate({});
    assert.equal(end.code, 3, end.stderr);
    assert.ok((end.stderr.match(/^ +BLOCK /gm) ?? []).length >= 2, end.stderr);
    assert.match(end.stderr, /nothing will be changed/i);
  });

  test('the namespace of the application is still there', async () => {
    assert.notEqual(await source.client.get(resources.namespaces, app.namespace), undefined);
  });
});
