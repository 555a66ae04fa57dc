/** How an apply meets what is there already, what refuses for a while, and its own end in the middle: on a real API server. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { refOf, refText, type KubeObject } from '../api/object.ts';
import type { Outcome } from '../api/outcome.ts';
import type { PlanPhase, PlanStep } from '../api/plan.ts';
import { TranshipError } from '../errors.ts';
import { resources, type KubeClient, type Resource } from '../kube/index.ts';
import { MIGRATION_ANNOTATION, UID_AT_APPLY } from '../plan/index.ts';
import { openControlPlane, skipWithout, until } from './testing/control-planes.ts';
import { applySteps, notReadyDetails, waitReady } from './index.ts';

const signal = AbortSignal.timeout(480_000);
const namespace = `apply-${Math.random().toString(36).slice(2, 7)}`;

function step(resource: Resource, name: string, content: Record<string, unknown>, more: Partial<PlanStep> = {}): PlanStep {
  const { metadata, ...rest } = content;
  const manifest: KubeObject = {
    apiVersion: resource.group === '' ? resource.version : `${resource.group}/${resource.version}`,
    kind: resource.kind,
    metadata: { name, ...(resource.namespaced && { namespace }), ...(metadata as object), annotations: { [MIGRATION_ANNOTATION]: 'm' } },
    ...rest,
  };
  const type = { ...resource, verbs: [], versions: [resource.version] };
  const target = refOf(manifest);
  return {
    id: refText(target),
    layer: 1,
    phase: 'Prepare',
    action: 'Create',
    resource: type,
    origin: target,
    target,
    manifest,
    changes: [],
    ...more,
  };
}

const map = (name: string, value = 'planned', more: Partial<PlanStep> = {}) => step(resources.configMaps, name, { data: { value } }, more);

describe('apply', { skip: skipWithout(1), timeout: 480_000 }, () => {
  let client: KubeClient;

  const run = async (
    steps: PlanStep[],
    more: {
      phase?: PlanPhase;
      previous?: Outcome[];
      retryForMs?: number;
      signal?: AbortSignal;
      onOutcome?: (outcome: Outcome) => void;
    } = {},
  ) => await applySteps(client, steps, { phase: 'Prepare', previous: [], signal, fieldManager: 'tranship', retryForMs: 10_000, ...more });
  const results = (outcomes: Outcome[]) => outcomes.map(({ result, reason }) => (reason === undefined ? result : `${result} ${reason}`));
  const read = async (name: string) => await client.get(resources.configMaps, name, namespace, { signal });
  const foreign = async (name: string) =>
    await client.create(
      resources.configMaps,
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace }, data: { value: 'theirs', own: 'x' } },
      { signal },
    );

  before(async () => {
    client = openControlPlane(0);
    await client.create(resources.namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }, { signal });
  });
  after(async () => {
    await client.delete(resources.namespaces, namespace);
    await client.close();
  });

  test('what came into being after the plan and is not ours is left alone and told', async () => {
    await foreign('taken');
    assert.deepEqual(results(await run([map('taken'), map('free')])), ['Failed AlreadyExists', 'Created']);
    assert.deepEqual((await read('taken'))?.data, { value: 'theirs', own: 'x' });
  });

  test('our own object is updated when the plan has changed, and left when not', async () => {
    assert.deepEqual(results(await run([map('ours', 'one')])), ['Created']);
    assert.deepEqual(results(await run([map('ours', 'one')])), ['Unchanged']);
    assert.deepEqual(results(await run([map('ours', 'two')])), ['Updated']);
    assert.deepEqual((await read('ours'))?.data, { value: 'two' });
  });

  test('Update keeps what we do not speak of, Recreate does not', async () => {
    await foreign('updated');
    await foreign('recreated');
    const uid = (await read('recreated'))?.metadata.uid;
    assert.deepEqual(results(await run([map('updated', 'new', { action: 'Update' }), map('recreated', 'new', { action: 'Recreate' })])), [
      'Updated',
      'Updated Recreated',
    ]);
    assert.deepEqual((await read('updated'))?.data, { value: 'new', own: 'x' });
    assert.deepEqual((await read('recreated'))?.data, { value: 'new' });
    assert.notEqual((await read('recreated'))?.metadata.uid, uid);
  });

  test('Exists looks, and never writes', async () => {
    await foreign('looked-at');
    const outcomes = await run([map('looked-at', 'x', { action: 'Exists' }), map('nowhere', 'x', { action: 'Exists' })]);
    assert.deepEqual(results(outcomes), ['Skipped AlreadyExists', 'Failed MissingOnTarget']);
    assert.deepEqual((await read('looked-at'))?.data, { value: 'theirs', own: 'x' });
    assert.equal(await read('nowhere'), undefined);
  });

  test('accounts are merged: pull secrets of both sides, the labels of the target win', async () => {
    const account = {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: 'both', namespace, labels: { a: 'theirs' } },
      imagePullSecrets: [{ name: 'one' }],
    };
    await client.create(resources.serviceAccounts, account, { signal });
    const ours = step(
      resources.serviceAccounts,
      'both',
      { metadata: { labels: { a: 'ours', b: 'ours' } }, imagePullSecrets: [{ name: 'two' }] },
      { action: 'Merge' },
    );
    assert.deepEqual(results(await run([ours])), ['Merged']);
    assert.deepEqual(results(await run([ours])), ['Unchanged']);
    const merged = await client.get(resources.serviceAccounts, 'both', namespace, { signal });
    assert.deepEqual(merged?.imagePullSecrets, [{ name: 'one' }, { name: 'two' }]);
    assert.deepEqual(merged?.metadata.labels, { a: 'theirs', b: 'ours' });
    assert.equal(merged?.metadata.annotations?.[MIGRATION_ANNOTATION], undefined);
  });

  test('a binding that is there gets our accounts besides its own', async () => {
    const name = `${namespace}-readers`;
    const account = (of: string) => ({ kind: 'ServiceAccount', name: 'a', namespace: of });
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' };
    const theirs = {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name },
      roleRef,
      subjects: [account('other')],
    };
    await client.create(resources.clusterRoleBindings, theirs, { signal });
    const ours = step(resources.clusterRoleBindings, name, { roleRef, subjects: [account(namespace)] }, { action: 'Merge' });
    assert.deepEqual(results(await run([ours])), ['Merged']);
    assert.deepEqual(results(await run([ours])), ['Unchanged']);
    const merged = await client.get(resources.clusterRoleBindings, name, undefined, { signal });
    assert.deepEqual(merged?.['subjects'], [account('other'), account(namespace)]);
    await client.delete(resources.clusterRoleBindings, name);
  });

  test('owners get their new uids: those of earlier layers at once, those of the later phase at its end', async () => {
    const owned = (owner: string) => ({ ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: owner, uid: UID_AT_APPLY }] });
    const steps = [
      map('owner-early'),
      step(resources.configMaps, 'child-early', { metadata: owned('owner-early') }, { layer: 2 }),
      step(resources.configMaps, 'child-late', { metadata: owned('owner-late') }),
      map('owner-late', 'x', { phase: 'Activate', layer: 10 }),
    ];
    const prepared = await run(steps);
    const uidOf = async (name: string) => (await read(name))?.metadata.uid;
    const ownersOf = async (name: string) => (await read(name))?.metadata.ownerReferences?.map(({ uid }) => uid);
    assert.deepEqual(await ownersOf('child-early'), [await uidOf('owner-early')]);
    assert.equal(await ownersOf('child-late'), undefined);
    await run(steps, { phase: 'Activate', previous: prepared });
    assert.deepEqual(await ownersOf('child-late'), [await uidOf('owner-late')]);
  });

  test('stopped in the middle and called again, every object is there once', async () => {
    const steps = Array.from({ length: 120 }, (_, index) => map(`many-${index}`));
    const stop = new AbortController();
    const done: Outcome[] = [];
    const first = run(steps, {
      signal: stop.signal,
      onOutcome: (outcome) => {
        if (done.push(outcome) === 40) stop.abort();
      },
    });
    await assert.rejects(first);
    assert.ok(done.length >= 40 && done.length < 120);
    const second = await run(steps, { previous: done.slice(0, 30) });
    assert.deepEqual([...new Set(results(second))].toSorted(), ['Created', 'Unchanged']);
    assert.equal(second.filter(({ result }) => result === 'Unchanged').length >= 40, true);
    for (const name of ['many-0', 'many-119']) assert.deepEqual((await read(name))?.data, { value: 'planned' });
  });

  test('a quota that is full is an outcome with its reason; the others go through', async () => {
    const quota = {
      apiVersion: 'v1',
      kind: 'ResourceQuota',
      metadata: { name: 'no-secrets', namespace },
      spec: { hard: { 'count/secrets': '0' } },
    };
    await client.create(resources.resourceQuotas, quota, { signal });
    await until(async () => {
      const now = await client.get(resources.resourceQuotas, 'no-secrets', namespace, { signal });
      return JSON.stringify(now?.status ?? {}).includes('count/secrets');
    });
    const outcomes = await run([step(resources.secrets, 'too-much', { type: 'Opaque', data: {} }), map('beside-it')]);
    assert.deepEqual(results(outcomes), ['Failed QuotaExceeded', 'Created']);
    assert.match(outcomes[0]?.message ?? '', /exceeded quota/);
    await client.delete(resources.resourceQuotas, 'no-secrets', namespace);
  });

  test('a webhook that comes up meanwhile is waited for; one that never does is an outcome', async () => {
    const hook = {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingWebhookConfiguration',
      metadata: { name: `${namespace}-guard` },
      webhooks: [
        {
          name: 'guard.example.com',
          admissionReviewVersions: ['v1'],
          sideEffects: 'None',
          timeoutSeconds: 1,
          clientConfig: { url: 'https://127.0.0.1:1/' },
          rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['configmaps'] }],
          namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
        },
      ],
    };
    const refused = async () => {
      try {
        await client.create(resources.configMaps, map(`probe-${Math.random().toString(36).slice(2)}`).manifest, { signal, dryRun: true });
        return false;
      } catch {
        return true;
      }
    };
    await client.create(resources.validatingWebhookConfigurations, hook, { signal });
    await until(refused);
    assert.deepEqual(results(await run([map('guarded')], { retryForMs: 300 })), ['Failed WebhookNotUp']);
    const waiting = run([map('guarded')], { retryForMs: 30_000 });
    await client.delete(resources.validatingWebhookConfigurations, `${namespace}-guard`);
    assert.deepEqual(results(await waiting), ['Created']);
  });

  test('a namespace that is still going away is waited for and made anew', async () => {
    const name = `${namespace}-again`;
    await client.create(resources.namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } }, { signal });
    const old = (await client.get(resources.namespaces, name, undefined, { signal }))?.metadata.uid;
    await client.delete(resources.namespaces, name);
    const outcomes = await run([step(resources.namespaces, name, {}, { layer: 0 })], { retryForMs: 60_000 });
    assert.deepEqual(results(outcomes), ['Created']);
    const now = await client.get(resources.namespaces, name, undefined, { signal });
    assert.equal(now?.metadata.deletionTimestamp, undefined);
    assert.notEqual(now?.metadata.uid, old);
    await client.delete(resources.namespaces, name);
  });

  test('an application that does not come is told with what it waits for', async () => {
    const labels = { app: 'stuck' };
    const deployment = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'stuck', namespace },
      spec: {
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: {
            containers: [{ name: 'a', image: 'registry.example.com/a:1' }],
            volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'not-there' } }],
          },
        },
      },
    };
    await client.create(resources.deployments, deployment, { signal });
    await until(async () => {
      for await (const pod of client.list(resources.pods, { namespace, labelSelector: 'app=stuck', signal })) return pod !== undefined;
      return false;
    });
    const heard: string[] = [];
    const refs = [
      { group: 'apps', kind: 'Deployment', namespace, name: 'stuck' },
      { group: '', kind: 'ConfigMap', namespace, name: 'free' },
    ];
    await assert.rejects(waitReady(client, refs, { timeoutMs: 500, signal, onWaiting: (text) => heard.push(text) }), (error: unknown) => {
      assert.ok(error instanceof TranshipError);
      assert.equal(error.code, 'TimedOut');
      assert.match(error.message, /stuck: 0 of 1 ready[\s\S]*Claim not-there does not exist/);
      // No node here: nothing can have been started.
      assert.deepEqual([notReadyDetails(error)?.everStarted, notReadyDetails(error)?.hopeless], [false, false]);
      return true;
    });
    assert.match(heard[0] ?? '', /Deployment\.apps apply-\w+\/stuck: 0 of 1 ready/);
  });

  describe('an application that can not come', () => {
    const workload = (kind: 'Deployment' | 'StatefulSet', name: string): KubeObject => ({
      apiVersion: 'apps/v1',
      kind,
      metadata: { name, namespace },
      spec: {
        ...(kind === 'StatefulSet' && { serviceName: name }),
        selector: { matchLabels: { app: name } },
        template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'a', image: 'registry.example.com/a:1' }] } },
      },
    });
    const refsOf = (...objects: KubeObject[]) => objects.map((object) => refOf(object));
    const podOf = async (name: string) => {
      const found: KubeObject[] = [];
      await until(async () => {
        for await (const pod of client.list(resources.pods, { namespace, labelSelector: `app=${name}`, signal })) found.push(pod);
        return found.length > 0;
      });
      return found[0]?.metadata.name ?? '';
    };
    /** What a kubelet would write. */
    const report = async (pod: string, state: unknown) => {
      const containerStatuses = [{ name: 'a', image: 'i', imageID: '', ready: false, restartCount: 0, state }];
      await client.patch(
        resources.pods,
        pod,
        namespace,
        { type: 'merge', body: { status: { containerStatuses } } },
        { signal, subresource: 'status' },
      );
    };
    const failureOf = async (refs: ReturnType<typeof refsOf>) =>
      await waitReady(client, refs, { timeoutMs: 90_000, hopelessAfterMs: 300, signal }).then(
        () => assert.fail('it is ready?'),
        (error: unknown) => error,
      );

    test('with an image that can not be pulled it is not waited for, and nothing was ever started', async () => {
      const object = workload('Deployment', 'no-image');
      await client.create(resources.deployments, object, { signal });
      const pod = await podOf('no-image');
      await report(pod, { waiting: { reason: 'ImagePullBackOff', message: 'not found' } });
      const error = await failureOf(refsOf(object));
      assert.deepEqual([notReadyDetails(error)?.hopeless, notReadyDetails(error)?.everStarted], [true, false]);
      assert.match(error instanceof Error ? error.message : '', /waiting longer will not help[\s\S]*ImagePullBackOff/);
      // The same with another pod in the namespace that has run: a job of the application, for all we know.
      const job = {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'job', namespace },
        spec: { containers: [{ name: 'a', image: 'i' }] },
      };
      await client.create(resources.pods, job, { signal });
      await report('job', { terminated: { exitCode: 0 } });
      assert.deepEqual(notReadyDetails(await failureOf(refsOf(object)))?.everStarted, true);
      await client.delete(resources.pods, 'job', namespace, { gracePeriodSeconds: 0 });
      await client.delete(resources.deployments, 'no-image', namespace);
    });

    test('with pods that a quota refuses it is not waited for', async () => {
      const quota = { apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'no-pods', namespace }, spec: { hard: { pods: '0' } } };
      await client.create(resources.resourceQuotas, quota, { signal });
      await until(async () => {
        const now = await client.get(resources.resourceQuotas, 'no-pods', namespace, { signal });
        return JSON.stringify(now?.status ?? {}).includes('pods');
      });
      const [deployment, set] = [workload('Deployment', 'refused'), workload('StatefulSet', 'refused-set')];
      await client.create(resources.deployments, deployment, { signal });
      await client.create(resources.statefulSets, set, { signal });
      const error = await failureOf(refsOf(deployment, set));
      assert.equal(notReadyDetails(error)?.hopeless, true);
      assert.equal(notReadyDetails(error)?.workloads.length, 2);
      assert.match(error instanceof Error ? error.message : '', /exceeded quota/);
      await client.delete(resources.resourceQuotas, 'no-pods', namespace);
    });
  });
});
