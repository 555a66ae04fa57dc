/** One light cluster. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TranshipError } from '../../src/errors.ts';
import type { Ledger, ProcessId } from '../cluster/ledger.ts';
import { gone, isAlive, kill, startRecorded } from '../cluster/process.ts';
import { Api, until } from '../node/api.ts';
import { apiserverFlags, controllerManagerFlags, etcdFlags, type ControlPlane } from '../node/flags.ts';
import { renderKubeconfig, type Access } from '../node/kubeconfig.ts';
import { tail } from '../node/logs.ts';
import { pkiPaths, writePki } from '../node/pki.ts';
import type { LightPieces } from '../pieces/index.ts';
import type { LightCluster } from './bed.ts';

export type LightNeed = {
  readonly ledger: Ledger;
  readonly directory: string;
  readonly context: string;
  /** This port and the two above it are used. */
  readonly firstPort: number;
  readonly pieces: LightPieces;
  readonly extraFlags: readonly string[];
  readonly signal: AbortSignal;
};

export async function startLightCluster(need: LightNeed): Promise<LightCluster> {
  const { directory, pieces, firstPort, signal } = need;
  const plane: ControlPlane = {
    pki: pkiPaths(join(directory, 'pki')),
    state: directory,
    etcd: { clientPort: firstPort + 1, peerPort: firstPort + 2 },
    apiserver: { port: firstPort, bind: '127.0.0.1', advertise: '127.0.0.1' },
    serviceRange: '10.96.0.0/16',
    light: true,
  };
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const start = (what: string, argv: readonly string[]): ProcessId =>
    startRecorded(need.ledger, { what, argv, env: pieces.env, log: join(directory, 'log', `${what}.log`) });
  const etcd = start('etcd', [pieces.etcd, ...etcdFlags(plane)]);
  const credentials = await writePki({ directory: join(directory, 'pki'), apiserverNames: ['10.96.0.1'], node: undefined });
  const server = `https://127.0.0.1:${firstPort}`;
  const access = (user: keyof typeof credentials.users): Access => ({
    context: need.context,
    server,
    ca: credentials.ca,
    user: credentials.users[user],
  });
  const kubeconfig = join(directory, 'kubeconfig');
  const controllers = join(directory, 'controllers.kubeconfig');
  await writeFile(kubeconfig, renderKubeconfig([access('admin')]), { mode: 0o600 });
  await writeFile(controllers, renderKubeconfig([access('controllers')]), { mode: 0o600 });

  const startApi = (): ProcessId => start('kube-apiserver', [pieces.kubeApiserver, ...apiserverFlags(plane), ...need.extraFlags]);
  let apiserver = startApi();
  const api = new Api(access('admin'));
  const answers =
    (path: string, client: Api, limit: AbortSignal, more: Record<string, ProcessId> = {}) =>
    async (): Promise<boolean> => {
      for (const [what, id] of Object.entries({ etcd, 'kube-apiserver': apiserver, ...more })) {
        if (isAlive(id)) continue;
        throw new TranshipError('Internal', `${what} of ${need.context} ended: ${tail(join(directory, 'log', `${what}.log`))}`);
      }
      return (await client.call('GET', path, limit)).status === 200;
    };
  await until(`/readyz of ${need.context}`, answers('/readyz', api, signal), signal);
  // Not earlier: until the server has made its own roles it refuses the controllers, and they give up after ten seconds of that.
  const manager = start('kube-controller-manager', [pieces.kubeControllerManager, ...controllerManagerFlags(plane, controllers)]);
  const account = '/api/v1/namespaces/default/serviceaccounts/default';
  const made = answers(account, api, signal, { 'kube-controller-manager': manager });
  await until(`The default ServiceAccount of ${need.context}`, made, signal);
  api.close();

  return {
    kubeconfig,
    context: need.context,
    server,
    version: pieces.versions['kubernetes'] ?? '',
    async stopApiserver() {
      kill(apiserver);
      await gone([apiserver]);
    },
    async startApiserver() {
      if (isAlive(apiserver)) return;
      apiserver = startApi();
      const again = new Api(access('admin'));
      // As long as a first start may take: the machine may be busy with others. A server that ended says so at once.
      const limit = AbortSignal.timeout(300_000);
      await until(`/readyz of ${need.context}`, answers('/readyz', again, limit), limit);
      again.close();
    },
  };
}
