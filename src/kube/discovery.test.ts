import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fakeServer, failure, json } from './fake-server.fixture.ts';
import type { Answer } from './fake-server.fixture.ts';
import type { Discovery } from './kube.ts';

async function discover(answer: Answer): Promise<{ found: Discovery; accept: string | undefined; requests: number }> {
  const server = await fakeServer(answer);
  try {
    const kube = server.open();
    const found = await kube.discover();
    assert.equal(await kube.discover(), found);
    const requests = server.seen.length;
    assert.notEqual(await kube.discover({ refresh: true }), found);
    return { found, accept: server.seen[0]?.headers.accept, requests };
  } finally {
    await server.close();
  }
}

const verbs = ['get', 'list'];
const deployment = {
  resource: 'deployments',
  responseKind: { group: 'apps', version: 'v1', kind: 'Deployment' },
  scope: 'Namespaced',
  verbs,
};
const scale = { subresource: 'scale', responseKind: { group: 'autoscaling', version: 'v1', kind: 'Scale' }, verbs };

describe('discovery', { timeout: 120_000 }, () => {
  it('takes two requests where the server aggregates, and reports stale groups', async () => {
    const { found, accept, requests } = await discover((request, response) => {
      const items =
        request.url === '/api'
          ? [
              {
                metadata: { name: '' },
                versions: [{ version: 'v1', resources: [{ resource: 'nodes', responseKind: { kind: 'Node' }, scope: 'Cluster', verbs }] }],
              },
            ]
          : [
              {
                metadata: { name: 'apps' },
                versions: [
                  { version: 'v2', resources: [] },
                  { version: 'v1', resources: [{ ...deployment, subresources: [scale] }] },
                  { version: 'v1beta1', resources: [deployment] },
                ],
              },
              {
                metadata: { name: 'metrics.k8s.io' },
                versions: [{ version: 'v1beta1', freshness: 'Stale', resources: [{ ...deployment, resource: 'pods' }] }],
              },
            ];
      json(response, 200, { kind: 'APIGroupDiscoveryList', apiVersion: 'apidiscovery.k8s.io/v2', items });
    });
    assert.equal(requests, 2);
    assert.match(accept ?? '', /^application\/json;g=apidiscovery\.k8s\.io;v=v2;as=APIGroupDiscoveryList,.*v=v2beta1.*,application\/json$/);
    assert.deepEqual(found.resources, [
      { group: '', version: 'v1', resource: 'nodes', kind: 'Node', namespaced: false, verbs, versions: ['v1'] },
      { group: 'apps', version: 'v1', resource: 'deployments', kind: 'Deployment', namespaced: true, verbs, versions: ['v1', 'v1beta1'] },
    ]);
    assert.deepEqual(
      found.broken.map(({ group }) => group),
      ['metrics.k8s.io'],
    );
  });

  it('asks group by group where the server does not, and a broken group costs one entry', async () => {
    const { found } = await discover((request, response) => {
      const answers: Record<string, object> = {
        '/api': { kind: 'APIVersions', versions: ['v1'] },
        '/api/v1': {
          resources: [
            { name: 'pods', kind: 'Pod', namespaced: true, verbs },
            { name: 'pods/log', kind: 'Pod', namespaced: true, verbs: ['get'] },
          ],
        },
        '/apis': {
          kind: 'APIGroupList',
          groups: [
            { name: 'apps', versions: [{ version: 'v1beta1' }, { version: 'v1' }], preferredVersion: { version: 'v1' } },
            { name: 'metrics.k8s.io', versions: [{ version: 'v1' }] },
          ],
        },
        '/apis/apps/v1': { resources: [{ name: 'deployments', kind: 'Deployment', namespaced: true, verbs }] },
        '/apis/apps/v1beta1': { resources: [{ name: 'deployments', kind: 'Deployment', namespaced: true, verbs }] },
      };
      const answer = answers[request.url];
      if (answer === undefined) failure(response, 503, 'ServiceUnavailable', 'the server is currently unable to handle the request');
      else json(response, 200, answer);
    });
    assert.deepEqual(
      found.resources.map(({ group, version, resource, versions }) => [group, version, resource, versions]),
      [
        ['', 'v1', 'pods', ['v1']],
        ['apps', 'v1', 'deployments', ['v1', 'v1beta1']],
      ],
    );
    assert.equal(found.broken.length, 1);
    assert.match(found.broken[0]?.message ?? '', /metrics\.k8s\.io\/v1: .*currently unable/);
  });
});
