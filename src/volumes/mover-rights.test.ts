import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '../api/object.ts';
import { TranshipError } from '../errors.ts';
import { resources } from '../kube/index.ts';
import { fakeKube } from './fake-kube.fixture.ts';
import { capabilitiesOf, moverLabels, moverManifest, type MoverRights } from './mover-manifest.ts';
import { holdsBack, openNetwork } from './mover-network.ts';
import { startMover } from './mover-pod.ts';

const { signal } = new AbortController();
const place = { migration: 'm.1', namespace: 'shop', name: 'mover', claim: 'data', image: undefined };

interface PodSpec {
  automountServiceAccountToken: boolean;
  securityContext: { runAsUser: number; runAsNonRoot?: boolean; seccompProfile: { type: string }; supplementalGroups?: number[] };
  containers: { securityContext: { allowPrivilegeEscalation: boolean; readOnlyRootFilesystem: boolean; capabilities: object } }[];
}

const cases: [string, MoverRights, string[]][] = [
  ['a device', { mode: 'Block', readOnly: false }, []],
  ['files that are read', { mode: 'Filesystem', readOnly: true }, ['DAC_OVERRIDE']],
  ['files that are written', { mode: 'Filesystem', readOnly: false }, ['CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'FSETID', 'MKNOD', 'SETFCAP']],
  ['files, as a user of the application', { mode: 'Filesystem', readOnly: true, user: { user: 70, groups: [80] } }, []],
];

for (const [what, rights, capabilities] of cases) {
  test(`the least rights: ${what}`, () => {
    assert.deepEqual(capabilitiesOf(rights), capabilities);
    const spec = moverManifest({ ...place, ...rights })['spec'] as PodSpec;
    const [container] = spec.containers;
    assert.equal(spec.automountServiceAccountToken, false);
    assert.equal(spec.securityContext.seccompProfile.type, 'RuntimeDefault');
    assert.equal(spec.securityContext.runAsUser, rights.user?.user ?? 0);
    assert.equal(spec.securityContext.runAsNonRoot === true, rights.user !== undefined);
    assert.equal(container?.securityContext.allowPrivilegeEscalation, false);
    assert.equal(container?.securityContext.readOnlyRootFilesystem, true);
    assert.deepEqual(container?.securityContext.capabilities, {
      drop: ['ALL'],
      ...(capabilities.length === 0 ? {} : { add: capabilities }),
    });
  });
}

const refused: [string, number, string, RegExp][] = [
  [
    'Pod Security',
    403,
    'pods "mover" is forbidden: violates PodSecurity "restricted:latest": …',
    /kubectl label namespace shop pod-security/,
  ],
  ['a webhook', 400, 'admission webhook "no.example.com" denied the request: root', /Exempt pods with the label .* in namespace shop/],
  ['a policy', 422, 'ValidatingAdmissionPolicy "a" with binding "b" denied request: root', /Exempt pods/],
];

for (const [who, status, message, hint] of refused) {
  test(`refused by ${who}: where, what it wanted, and what to do`, async () => {
    const fake = fakeKube();
    fake.refusals.push(new TranshipError('Forbidden', message, { details: { status } }));
    const rights = { mode: 'Filesystem', readOnly: true } as const;
    await assert.rejects(startMover(fake.client, { ...place, ...rights, timeoutMs: 1000, signal }), (error: TranshipError) => {
      assert.ok(error.message.startsWith('Namespace shop on fake does not take a mover (root, DAC_OVERRIDE): '), error.message);
      assert.ok(error.message.includes(message));
      assert.match(error.hint ?? '', hint);
      return true;
    });
  });
}

const policy = (spec: object): KubeObject => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { name: 'deny', namespace: 'shop' },
  spec,
});

test('a network policy holds movers back when it chooses them and speaks of ways out', () => {
  const labels = moverLabels('m.1');
  assert.equal(holdsBack(policy({ podSelector: {}, policyTypes: ['Egress'] }), labels), true);
  assert.equal(holdsBack(policy({ podSelector: {}, egress: [] }), labels), true);
  assert.equal(holdsBack(policy({ podSelector: {}, policyTypes: ['Ingress'] }), labels), false);
  assert.equal(holdsBack(policy({ podSelector: { matchLabels: { app: 'web' } }, policyTypes: ['Egress'] }), labels), false);
  const term = (operator: string, values?: string[]) =>
    policy({ podSelector: { matchExpressions: [{ key: 'app', operator, values }] }, policyTypes: ['Egress'] });
  assert.deepEqual(
    [term('NotIn', ['web']), term('In', ['web']), term('Exists'), term('DoesNotExist')].map((each) => holdsBack(each, labels)),
    [true, false, false, true],
  );
});

test('movers get a way out only where a policy holds them back, and only they', async () => {
  const fake = fakeKube();
  await openNetwork(fake.client, place, signal);
  assert.deepEqual(fake.calls, []);
  fake.put(resources.networkPolicies, policy({ podSelector: {}, policyTypes: ['Egress', 'Ingress'] }));
  await openNetwork(fake.client, place, signal);
  const made = fake.get(resources.networkPolicies, 'tranship-movers-m-1', 'shop');
  assert.deepEqual(made?.['spec'], { podSelector: { matchLabels: moverLabels('m.1') }, policyTypes: ['Egress'], egress: [{}] });
});
