import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '../api/object.ts';
import { userOf } from './beside.ts';

function pod(securityContext: object | undefined, container: object): KubeObject {
  const mounts = [{ name: 'files', mountPath: '/data' }];
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'db-0', namespace: 'shop' },
    spec: {
      ...(securityContext === undefined ? {} : { securityContext }),
      containers: [
        { name: 'sidecar', securityContext: { runAsUser: 1 } },
        { name: 'db', volumeMounts: mounts, ...container },
      ],
      volumes: [{ name: 'files', persistentVolumeClaim: { claimName: 'data' } }],
    },
  };
}

test('the user of the container that has the volume, with the groups of its pod', () => {
  const shared = { runAsUser: 70, runAsGroup: 71, fsGroup: 72, supplementalGroups: [73] };
  assert.deepEqual(userOf(pod(shared, {}), 'data'), { user: 70, group: 71, groups: [72, 73] });
  const own = { securityContext: { runAsUser: 80, runAsGroup: 81 } };
  assert.deepEqual(userOf(pod(shared, own), 'data'), { user: 80, group: 81, groups: [72, 73] });
  assert.deepEqual(userOf(pod(undefined, own), 'data'), { user: 80, group: 81, groups: [] });
});

test('no user when the image decides, or when it is root', () => {
  assert.equal(userOf(pod(undefined, {}), 'data'), undefined);
  assert.equal(userOf(pod({ runAsUser: 0 }, {}), 'data'), undefined);
});
