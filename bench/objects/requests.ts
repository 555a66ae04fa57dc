/** How many requests an API server has answered, by its own count: of every client, its own controllers included. */
import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { parse } from 'yaml';

interface Kubeconfig {
  clusters: { cluster: { server: string; 'certificate-authority-data': string } }[];
  users: { user: { 'client-certificate-data': string; 'client-key-data': string } }[];
}

/** For kubeconfigs of the test bed: one cluster, one user with a certificate. */
export async function requestsAnswered(kubeconfig: string): Promise<number> {
  const { clusters, users } = parse(readFileSync(kubeconfig, 'utf8')) as Kubeconfig;
  const [cluster, user] = [clusters[0]?.cluster, users[0]?.user];
  if (cluster === undefined || user === undefined) throw new Error(`${kubeconfig} is not one of the test bed.`);
  const of = (text: string): Buffer => Buffer.from(text, 'base64');
  const text = await new Promise<string>((resolve, reject) => {
    const tls = {
      ca: of(cluster['certificate-authority-data']),
      cert: of(user['client-certificate-data']),
      key: of(user['client-key-data']),
    };
    request(`${cluster.server}/metrics`, { ...tls, agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (piece: string) => (body += piece));
      response.on('end', () => resolve(body)).on('error', reject);
    })
      .on('error', reject)
      .end();
  });
  return [...text.matchAll(/^apiserver_request_total\{[^}]*\} ([\d.e+]+)$/gm)].reduce((sum, [, count]) => sum + Number(count), 0);
}
