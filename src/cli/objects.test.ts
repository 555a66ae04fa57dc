import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nameSchema } from '../api/meta.ts';
import type { KubeObject } from '../api/object.ts';
import { credentialsFileAnnotation, defaultName, objectsOf } from './objects.ts';
import type { MigrationOptions } from './options/migration-options.ts';

const flags: MigrationOptions = { from: 'old', to: 'new', namespace: ['shop'], location: 's3://moves/shop', dnsNames: true };

function location(more: Partial<MigrationOptions>, env: NodeJS.ProcessEnv = {}): KubeObject {
  return objectsOf({ ...flags, ...more }, env).location;
}

test('the default name says what moves where, and is always a valid name', () => {
  assert.equal(defaultName({ namespace: ['shop'], to: 'new' }), 'shop-to-new');
  for (const to of ['arn:aws:eks:eu-west-1:123456789012:cluster/Prod', 'x'.repeat(80), 'a_b']) {
    assert.equal(nameSchema.safeParse(defaultName({ namespace: ['shop'], to })).success, true, to);
  }
  assert.notEqual(defaultName({ namespace: ['shop', 'a'], to: 'new' }), defaultName({ namespace: ['shop', 'b'], to: 'new' }));
});

test('the same flags give the same objects, so that a second call finds the first', () => {
  assert.deepEqual(objectsOf(flags, {}), objectsOf(flags, {}));
});

test('two kubeconfigs with the same context name are two clusters', () => {
  const [one] = objectsOf({ ...flags, kubeconfig: '/one' }, {}).clusters;
  const [two] = objectsOf({ ...flags, kubeconfig: '/two' }, {}).clusters;
  assert.notEqual(one?.metadata.name, two?.metadata.name);
});

test('a single file in KUBECONFIG is written down for later runs, a list is not', () => {
  assert.deepEqual(objectsOf(flags, { KUBECONFIG: '/one' }).clusters[0]?.['spec'], { context: 'old', kubeconfig: '/one' });
  assert.deepEqual(objectsOf(flags, { KUBECONFIG: '/one:/two' }).clusters[0]?.['spec'], { context: 'old' });
});

test('endpoint and region come from flags, then from the variables of the AWS tools', () => {
  const env = { AWS_ENDPOINT_URL: 'http://general', AWS_ENDPOINT_URL_S3: 'http://s3', AWS_REGION: 'eu-west-1' };
  assert.deepEqual(location({}, env)['spec'], {
    s3: { bucket: 'moves', prefix: 'shop', region: 'eu-west-1', pathStyle: true, endpoint: 'http://s3' },
  });
  assert.deepEqual(location({ s3Endpoint: 'http://flag', s3Region: 'x', s3PathStyle: false }, env)['spec'], {
    s3: { bucket: 'moves', prefix: 'shop', region: 'x', pathStyle: false, endpoint: 'http://flag' },
  });
});

test('no object ever holds a credential, only the path of the file', () => {
  const objects = objectsOf(
    { ...flags, s3CredentialsFile: '/keys' },
    { AWS_ACCESS_KEY_ID: 'canary-id', AWS_SECRET_ACCESS_KEY: 'canary-secret', AWS_SESSION_TOKEN: 'canary-token' },
  );
  assert.doesNotMatch(JSON.stringify(objects), /canary/);
  assert.equal(objects.location.metadata.annotations?.[credentialsFileAnnotation], '/keys');
});

test('a map of a namespace that is not moved names it and the cure', () => {
  assert.throws(() => objectsOf({ ...flags, mapNamespace: [{ from: 'shopp', to: 'x' }] }, {}), {
    code: 'InvalidInput',
    message: '--map-namespace renames "shopp", which is not among the moved namespaces.',
  });
});
