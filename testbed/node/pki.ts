/** Keys and certificates of one cluster, the same set that kubeadm makes. Users' rights come from built-in RBAC: nothing to apply. */
import { generateKeyPair } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createAuthority, issue, type Issued } from './x509.ts';

/** Paths of the files in the directory that `writePki` filled. */
export function pkiPaths(directory: string) {
  const file = (name: string): string => join(directory, name);
  return {
    ca: file('ca.crt'),
    caKey: file('ca.key'),
    frontProxyCa: file('front-proxy-ca.crt'),
    serviceAccountKey: file('sa.key'),
    serviceAccountPublic: file('sa.pub'),
    apiserver: file('apiserver.crt'),
    apiserverKey: file('apiserver.key'),
    kubeletServer: file('kubelet-server.crt'),
    kubeletServerKey: file('kubelet-server.key'),
    kubeletClient: file('apiserver-kubelet-client.crt'),
    kubeletClientKey: file('apiserver-kubelet-client.key'),
    frontProxyClient: file('front-proxy-client.crt'),
    frontProxyClientKey: file('front-proxy-client.key'),
  };
}

export type PkiPaths = ReturnType<typeof pkiPaths>;

export type PkiNeed = {
  readonly directory: string;
  /** Addresses and names under which the apiserver is called, beyond the ones every cluster has. */
  readonly apiserverNames: readonly string[];
  /** Undefined at the light level. */
  readonly node: { readonly name: string; readonly address: string } | undefined;
};

/** What kubeconfigs are made of. */
export type Credentials = {
  readonly ca: string;
  readonly users: Readonly<Record<'admin' | 'controllers' | 'scheduler' | 'proxy' | 'kubelet', Issued>>;
};

export async function writePki(need: PkiNeed): Promise<Credentials> {
  const paths = pkiPaths(need.directory);
  await mkdir(need.directory, { recursive: true, mode: 0o700 });
  const serviceAccounts = await promisify(generateKeyPair)('rsa', { modulusLength: 2048 });
  const ca = createAuthority('kubernetes-ca');
  const frontProxyCa = createAuthority('front-proxy-ca');
  const apiserver = issue(ca, {
    subject: { commonName: 'kube-apiserver' },
    usage: 'server',
    names: [
      'kubernetes',
      'kubernetes.default',
      'kubernetes.default.svc',
      'kubernetes.default.svc.cluster.local',
      'localhost',
      '127.0.0.1',
      ...need.apiserverNames,
    ],
  });
  const client = (commonName: string, organization?: string): Issued =>
    issue(ca, { subject: { commonName, ...(organization === undefined ? {} : { organization }) }, usage: 'client' });
  const kubeletClient = client('apiserver-kubelet-client', 'system:masters');
  const frontProxyClient = issue(frontProxyCa, { subject: { commonName: 'front-proxy-client' }, usage: 'client' });
  const nodeName = need.node?.name ?? 'none';
  const kubeletServer = issue(ca, {
    subject: { commonName: `kubelet-${nodeName}` },
    usage: 'server',
    names: need.node === undefined ? ['127.0.0.1'] : [need.node.name, need.node.address, '127.0.0.1'],
  });
  const files: readonly (readonly [string, string])[] = [
    [paths.ca, ca.certificate],
    [paths.caKey, ca.key],
    [paths.frontProxyCa, frontProxyCa.certificate],
    [paths.serviceAccountKey, serviceAccounts.privateKey.export({ type: 'pkcs1', format: 'pem' })],
    [paths.serviceAccountPublic, serviceAccounts.publicKey.export({ type: 'spki', format: 'pem' })],
    [paths.apiserver, apiserver.certificate],
    [paths.apiserverKey, apiserver.key],
    [paths.kubeletServer, kubeletServer.certificate],
    [paths.kubeletServerKey, kubeletServer.key],
    [paths.kubeletClient, kubeletClient.certificate],
    [paths.kubeletClientKey, kubeletClient.key],
    [paths.frontProxyClient, frontProxyClient.certificate],
    [paths.frontProxyClientKey, frontProxyClient.key],
  ];
  await Promise.all(files.map(([path, text]) => writeFile(path, text, { mode: 0o600 })));
  return {
    ca: ca.certificate,
    users: {
      admin: client('kubernetes-admin', 'system:masters'),
      controllers: client('system:kube-controller-manager'),
      scheduler: client('system:kube-scheduler'),
      proxy: client('system:kube-proxy'),
      kubelet: client(`system:node:${nodeName}`, 'system:nodes'),
    },
  };
}
