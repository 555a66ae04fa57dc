/** Command lines of the control plane. Default flags of the apiserver are kept on purpose: 429 answers must be as real as elsewhere. */
import { join } from 'node:path';
import type { PkiPaths } from './pki.ts';

export type ControlPlane = {
  readonly pki: PkiPaths;
  /** Directory of this cluster's state. */
  readonly state: string;
  readonly etcd: { readonly clientPort: number; readonly peerPort: number };
  readonly apiserver: { readonly port: number; readonly bind: string; readonly advertise: string };
  readonly serviceRange: string;
  readonly light: boolean;
};

export function etcdFlags(plane: ControlPlane): string[] {
  const client = `http://127.0.0.1:${plane.etcd.clientPort}`;
  const peer = `http://127.0.0.1:${plane.etcd.peerPort}`;
  return [
    '--name=bed',
    `--data-dir=${join(plane.state, 'etcd')}`,
    `--listen-client-urls=${client}`,
    `--advertise-client-urls=${client}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=bed=${peer}`,
    // A test bed loses nothing that matters when the machine dies, and fsync is most of the time of a write.
    '--unsafe-no-fsync',
    '--quota-backend-bytes=8589934592',
    '--log-level=warn',
  ];
}

export function apiserverFlags(plane: ControlPlane): string[] {
  const { pki } = plane;
  return [
    `--etcd-servers=http://127.0.0.1:${plane.etcd.clientPort}`,
    `--secure-port=${plane.apiserver.port}`,
    `--bind-address=${plane.apiserver.bind}`,
    `--advertise-address=${plane.apiserver.advertise}`,
    `--client-ca-file=${pki.ca}`,
    `--tls-cert-file=${pki.apiserver}`,
    `--tls-private-key-file=${pki.apiserverKey}`,
    '--service-account-issuer=https://kubernetes.default.svc.cluster.local',
    `--service-account-key-file=${pki.serviceAccountPublic}`,
    `--service-account-signing-key-file=${pki.serviceAccountKey}`,
    `--service-cluster-ip-range=${plane.serviceRange}`,
    '--allow-privileged=true',
    `--cert-dir=${join(plane.state, 'certs')}`,
    `--requestheader-client-ca-file=${pki.frontProxyCa}`,
    '--requestheader-allowed-names=front-proxy-client',
    '--requestheader-extra-headers-prefix=X-Remote-Extra-',
    '--requestheader-group-headers=X-Remote-Group',
    '--requestheader-username-headers=X-Remote-User',
    `--proxy-client-cert-file=${pki.frontProxyClient}`,
    `--proxy-client-key-file=${pki.frontProxyClientKey}`,
    '--profiling=false',
    ...(plane.light
      ? ['--authorization-mode=RBAC', '--endpoint-reconciler-type=none']
      : [
          '--authorization-mode=Node,RBAC',
          '--enable-admission-plugins=NodeRestriction',
          `--kubelet-client-certificate=${pki.kubeletClient}`,
          `--kubelet-client-key=${pki.kubeletClientKey}`,
          `--kubelet-certificate-authority=${pki.ca}`,
          '--kubelet-preferred-address-types=InternalIP',
        ]),
  ];
}

export function controllerManagerFlags(plane: ControlPlane, kubeconfig: string): string[] {
  return [
    `--kubeconfig=${kubeconfig}`,
    `--authentication-kubeconfig=${kubeconfig}`,
    `--authorization-kubeconfig=${kubeconfig}`,
    `--root-ca-file=${plane.pki.ca}`,
    `--service-account-private-key-file=${plane.pki.serviceAccountKey}`,
    '--use-service-account-credentials',
    '--leader-elect=false',
    '--allocate-node-cidrs=false',
    `--cluster-signing-cert-file=${plane.pki.ca}`,
    `--cluster-signing-key-file=${plane.pki.caKey}`,
    `--requestheader-client-ca-file=${plane.pki.frontProxyCa}`,
    // Without it the default directory under /usr/libexec is created on the host.
    `--flex-volume-plugin-dir=${join(plane.state, 'flex')}`,
    '--kube-api-qps=200',
    '--kube-api-burst=400',
    `--cert-dir=${join(plane.state, 'certs')}`,
    '--profiling=false',
    // A second port would clash between light clusters, which share the machine's loopback.
    ...(plane.light ? ['--secure-port=0'] : []),
  ];
}

export function schedulerFlags(plane: ControlPlane, kubeconfig: string): string[] {
  return [
    `--kubeconfig=${kubeconfig}`,
    `--authentication-kubeconfig=${kubeconfig}`,
    `--authorization-kubeconfig=${kubeconfig}`,
    '--leader-elect=false',
    `--cert-dir=${join(plane.state, 'certs')}`,
    '--profiling=false',
  ];
}
