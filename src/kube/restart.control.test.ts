/** A watch outlives its API server. Starts a cluster of its own, because it ends the server the hard way. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { light } from '../../testbed/light/light.ts';
import { loadKubeconfig, openKube, resources } from './index.ts';

const skip = process.env['TRANSHIP_TEST_KUBECONFIGS'] ? false : 'TRANSHIP_TEST_KUBECONFIGS is not set: API servers are not started';

describe('watch', { skip, timeout: 900_000 }, () => {
  it('goes on through a crash of the API server without loss and without doubles', async () => {
    const bed = await light(1, { signal: AbortSignal.timeout(720_000) });
    try {
      const [cluster] = bed.clusters;
      assert.ok(cluster);
      const kube = openKube(loadKubeconfig({ path: cluster.kubeconfig }).access(cluster.context));
      const stop = new AbortController();
      const told: string[] = [];
      const create = (name: string): Promise<unknown> =>
        kube.create(resources.configMaps, {
          apiVersion: 'v1',
          kind: 'ConfigMap',
          metadata: { name, namespace: 'default', labels: { mine: '' } },
        });
      await create('before');
      for await (const { type, object } of kube.watch(resources.configMaps, {
        namespace: 'default',
        labelSelector: 'mine',
        signal: stop.signal,
      })) {
        if (type === 'BOOKMARK' && told.length > 1) continue;
        told.push(`${type} ${object.metadata.name ?? ''}`);
        if (told.length === 2) {
          await cluster.stopApiserver();
          await cluster.startApiserver();
          await create('after');
          await kube.delete(resources.configMaps, 'before', 'default');
        }
        if (type === 'DELETED') stop.abort();
      }
      assert.deepEqual(told, ['ADDED before', 'BOOKMARK ', 'ADDED after', 'DELETED before']);
      await kube.close();
    } finally {
      await bed.close();
    }
  });
});
