/** The start of one node, in order. No waits except those that the next step needs: everything else retries by itself. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Ledger, ProcessId } from '../cluster/ledger.ts';
import type { Image } from '../images/index.ts';
import { applyAddons } from './addons.ts';
import { Api, until } from './api.ts';
import { importImages, waitForContainerd } from './containerd.ts';
import { cniConfig, containerdConfig, kubeletConfig } from './files.ts';
import { renderKubeconfig, type Access } from './kubeconfig.ts';
import { makeNamespaces } from './namespaces.ts';
import { writePki } from './pki.ts';
import { controlPlanePrograms, nodePrograms, startPrograms, storagePrograms } from './programs.ts';
import { waitUntilReady } from './ready.ts';
import { apiserverPort, kubeconfigOf, type NodeSpec } from './spec.ts';

export type BaseImages = { readonly pause: Image; readonly busybox: Image; readonly coredns: Image };

export type StartedNode = {
  readonly process: ProcessId;
  /** How this machine reaches the API as administrator. */
  readonly access: Access;
};

export async function startNode(
  ledger: Ledger,
  spec: NodeSpec,
  images: { readonly base: BaseImages; readonly more: readonly string[] },
  signal: AbortSignal,
  onProgress: (line: string) => void,
): Promise<StartedNode> {
  ledger.write({ kind: 'loops', path: join(spec.state, 'csi') });
  const access = await writeFiles(spec, images.base.pause.ref);
  const first = await makeNamespaces(ledger, spec, signal);
  await startPrograms(spec, first.pid, controlPlanePrograms(spec), signal);
  const api = new Api(access);
  try {
    await waitForContainerd(spec, first.pid, signal);
    const { pause, busybox, coredns } = images.base;
    await importImages(spec, first.pid, [pause.tar, coredns.tar, busybox.tar], signal);
    await until(`/readyz of ${spec.name}`, async () => (await api.call('GET', '/readyz', signal)).status === 200, signal);
    onProgress(`${spec.name}: API ready`);
    await startPrograms(spec, first.pid, nodePrograms(spec), signal);
    await applyAddons(spec, api, coredns.ref, signal);
    await startPrograms(spec, first.pid, storagePrograms(spec), signal);
    await importImages(spec, first.pid, images.more, signal);
    await waitUntilReady(spec, api, signal, onProgress);
  } finally {
    api.close();
  }
  return { process: first, access };
}

async function writeFiles(spec: NodeSpec, pauseImage: string): Promise<Access> {
  const directories = [spec.logs, join(spec.state, 'cni'), join(spec.state, 'flex'), join(spec.state, 'certs'), join(spec.state, 'csi')];
  for (const directory of directories) await mkdir(directory, { recursive: true });
  const credentials = await writePki({
    directory: join(spec.state, 'pki'),
    apiserverNames: [spec.addresses.address, spec.addresses.firstService, spec.nodeName],
    node: { name: spec.nodeName, address: spec.addresses.address },
  });
  const secret = (path: string, text: string): Promise<void> => writeFile(path, text, { mode: 0o600 });
  for (const user of ['admin', 'controllers', 'scheduler', 'proxy', 'kubelet'] as const) {
    const inside = { context: spec.name, server: `https://127.0.0.1:${apiserverPort}`, ca: credentials.ca, user: credentials.users[user] };
    await secret(kubeconfigOf(spec, user), renderKubeconfig([inside]));
  }
  await writeFile(join(spec.state, 'kubelet.yaml'), kubeletConfig(spec));
  await writeFile(join(spec.state, 'containerd.toml'), containerdConfig(spec, pauseImage));
  await writeFile(join(spec.state, 'cni', '10-pod.conflist'), cniConfig(spec.addresses.podRange));
  await writeFile(join(spec.state, 'resolv.conf'), '');
  const server = `https://${spec.addresses.address}:${apiserverPort}`;
  return { context: spec.name, server, ca: credentials.ca, user: credentials.users.admin };
}
