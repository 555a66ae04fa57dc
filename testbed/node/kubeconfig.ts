/** Kubeconfigs, written as JSON (which is YAML): credentials inside, so that one file can be copied away. */
import { TranshipError } from '../../src/errors.ts';
import type { Issued } from './x509.ts';

export type Access = { readonly context: string; readonly server: string; readonly ca: string; readonly user: Issued };

/** One file with a context per access; the first is the current one. */
export function renderKubeconfig(accesses: readonly Access[]): string {
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  return `${JSON.stringify(
    {
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': accesses[0]?.context ?? '',
      clusters: accesses.map((access) => ({
        name: access.context,
        cluster: { server: access.server, 'certificate-authority-data': base64(access.ca) },
      })),
      users: accesses.map((access) => ({
        name: `${access.context}-admin`,
        user: { 'client-certificate-data': base64(access.user.certificate), 'client-key-data': base64(access.user.key) },
      })),
      contexts: accesses.map((access) => ({
        name: access.context,
        context: { cluster: access.context, user: `${access.context}-admin` },
      })),
    },
    undefined,
    2,
  )}\n`;
}

type Config = {
  clusters: { name: string; cluster: { server: string; 'certificate-authority-data': string } }[];
  users: { name: string; user: { 'client-certificate-data': string; 'client-key-data': string } }[];
};

/** Reads back one context of what `renderKubeconfig` wrote (nothing else: it must be JSON with credentials inside). */
export function readAccess(text: string, context: string): Access {
  const config = JSON.parse(text) as Config;
  const cluster = config.clusters.find(({ name }) => name === context)?.cluster;
  const user = config.users.find(({ name }) => name === `${context}-admin`)?.user;
  if (cluster === undefined || user === undefined) throw new TranshipError('NotFound', `The kubeconfig has no context ${context}.`);
  const plain = (base64: string): string => Buffer.from(base64, 'base64').toString('utf8');
  return {
    context,
    server: cluster.server,
    ca: plain(cluster['certificate-authority-data']),
    user: { certificate: plain(user['client-certificate-data']), key: plain(user['client-key-data']) },
  };
}
