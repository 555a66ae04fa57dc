/** What the shop asks its own cluster, with its own ServiceAccount: its settings (a Role allows it) and the nodes (a ClusterRole does). */
import { readFileSync } from 'node:fs';
import { request } from 'node:https';

const account = '/var/run/secrets/kubernetes.io/serviceaccount';

/** The data of a ConfigMap of our own namespace, and the namespace: proof that the Role works where we run now. */
export async function readSettings(name: string): Promise<{ namespace: string; settings: unknown }> {
  const namespace = readFileSync(`${account}/namespace`, 'utf8');
  const found = (await get(`/api/v1/namespaces/${namespace}/configmaps/${name}`)) as { data?: unknown };
  return { namespace, settings: found.data };
}

/** Names of all nodes. */
export async function readNodes(): Promise<string[]> {
  const found = (await get('/api/v1/nodes')) as { items: { metadata: { name: string } }[] };
  return found.items.map((node) => node.metadata.name);
}

/** The token is read at every call: the kubelet renews the file. */
function get(path: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const call = request(
      {
        host: process.env['KUBERNETES_SERVICE_HOST'],
        port: process.env['KUBERNETES_SERVICE_PORT'],
        path,
        ca: readFileSync(`${account}/ca.crt`),
        headers: { authorization: `Bearer ${readFileSync(`${account}/token`, 'utf8')}`, accept: 'application/json' },
        timeout: 5000,
      },
      (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.on('end', () => {
          const text = Buffer.concat(parts).toString('utf8');
          if (response.statusCode === 200) resolve(JSON.parse(text));
          else reject(new Error(`the cluster answered ${response.statusCode} to ${path}`));
        });
      },
    );
    call.on('timeout', () => call.destroy(new Error(`no answer to ${path}`)));
    call.on('error', reject);
    call.end();
  });
}
