/** Velero as a process of this machine: its server with the plugin for S3, its definitions and one storage location in the cluster. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parse } from 'yaml';
import type { KubeObject } from '../../src/api/object.ts';
import { TranshipError } from '../../src/errors.ts';
import { resources, type KubeClient, type Resource } from '../../src/kube/index.ts';
import type { Gateway } from '../data/gateway.ts';
import { watchTree } from '../data/measure.ts';
import type { VeleroProgram } from './programs.ts';

const namespace = 'velero';
const own = (resource: string, kind: string): Resource => ({ group: 'velero.io', version: 'v1', resource, kind, namespaced: true });
const kinds = {
  location: own('backupstoragelocations', 'BackupStorageLocation'),
  backup: own('backups', 'Backup'),
  restore: own('restores', 'Restore'),
};

export interface VeleroNeed {
  program: VeleroProgram;
  client: KubeClient;
  kubeconfig: string;
  gateway: Gateway;
  /** Its logs and credentials; ours. */
  directory: string;
  signal: AbortSignal;
}

export interface VeleroServer {
  backup(name: string, namespaces: readonly string[]): Promise<VeleroFigures>;
  restore(name: string, backup: string, namespaceMapping: Record<string, string>): Promise<VeleroFigures>;
  close(): Promise<void>;
}

export interface VeleroFigures {
  seconds: number;
  cpuSeconds: number;
  /** Of the server and its plugin, since the server's start. */
  peakMebibytes: number;
}

/** Definitions, namespace and storage location: once per cluster. */
export async function installVelero({ program, client, gateway, signal }: VeleroNeed): Promise<void> {
  for (const file of program.definitions)
    await client.create(resources.customResourceDefinitions, parse(readFileSync(file, 'utf8')) as KubeObject, { signal });
  await client.create(resources.namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }, { signal });
  // Every restore reads the Deployment that Velero normally runs as; without it all of them fail at once.
  const labels = { app: 'velero' };
  const template = { metadata: { labels }, spec: { containers: [{ name: 'velero', image: 'example.invalid/velero:1' }] } };
  await client.create(
    resources.deployments,
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'velero', namespace },
      spec: { replicas: 0, selector: { matchLabels: labels }, template },
    },
    { signal },
  );
  await established(client, signal);
  const { store } = gateway.at('velero');
  if (store.kind !== 's3') return;
  await client.create(
    kinds.location,
    {
      apiVersion: 'velero.io/v1',
      kind: 'BackupStorageLocation',
      metadata: { name: 'default', namespace },
      spec: {
        provider: 'aws',
        default: true,
        objectStorage: { bucket: store.bucket, prefix: store.prefix },
        config: { region: store.region, s3ForcePathStyle: 'true', s3Url: store.endpoint, checksumAlgorithm: '' },
      },
    },
    { signal },
  );
}

/** `qps` undefined: as Velero comes. Ready when its storage location is. */
export async function startVelero(need: VeleroNeed, qps?: number): Promise<VeleroServer> {
  const { program, client, gateway, directory, signal } = need;
  await mustBeFree(8080);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const { store } = gateway.at('velero');
  const keys = store.kind === 's3' ? `aws_access_key_id=${store.accessKeyId}\naws_secret_access_key=${store.secretAccessKey}\n` : '';
  const credentials = join(directory, 'credentials');
  writeFileSync(credentials, `[default]\n${keys}`, { mode: 0o600 });
  const log = openSync(join(directory, 'velero.log'), 'a');
  const args = [
    'server',
    '--kubeconfig',
    need.kubeconfig,
    '--plugin-dir',
    program.plugins,
    '--namespace',
    namespace,
    '--log-level',
    'warning',
  ];
  args.push(
    '--metrics-address',
    '127.0.0.1:0',
    ...(qps === undefined ? [] : ['--client-qps', String(qps), '--client-burst', String(2 * qps)]),
  );
  const child = spawn(program.path, args, {
    stdio: ['ignore', log, log],
    cwd: directory,
    env: { PATH: process.env['PATH'] ?? '', HOME: directory, AWS_SHARED_CREDENTIALS_FILE: credentials, VELERO_NAMESPACE: namespace },
  });
  closeSync(log);
  const ended = once(child, 'close');
  const tree = watchTree(child.pid ?? 0);
  const close = async (): Promise<void> => {
    tree.stop();
    child.kill('SIGTERM');
    await Promise.race([ended, delay(10_000, undefined, { ref: false }).then(() => child.kill('SIGKILL'))]);
    await ended;
  };
  const until = async (what: string, done: () => Promise<boolean>, limitMs: number): Promise<void> => {
    for (const limit = Date.now() + limitMs; !(await done());) {
      if (child.exitCode !== null) throw new TranshipError('Internal', `Velero ended: ${lastLines(join(directory, 'velero.log'))}`);
      if (Date.now() > limit) throw new TranshipError('TimedOut', `${what} did not come: ${lastLines(join(directory, 'velero.log'))}`);
      await delay(200, undefined, { signal });
    }
  };
  const phaseOf = async (kind: Resource, name: string): Promise<string> => {
    const status = (await client.get(kind, name, namespace, { signal }))?.['status'] as { phase?: string } | undefined;
    return status?.phase ?? '';
  };
  const job = async (kind: Resource, name: string, spec: Record<string, unknown>): Promise<VeleroFigures> => {
    const before = { at: performance.now(), cpu: tree.cpuSeconds() };
    await client.create(kind, { apiVersion: 'velero.io/v1', kind: kind.kind, metadata: { name, namespace }, spec }, { signal });
    let phase = '';
    await until(
      `The end of ${kind.kind} ${name}`,
      async () => /Completed|Failed|FailedValidation/.test((phase = await phaseOf(kind, name))),
      3_600_000,
    );
    if (phase !== 'Completed')
      throw new TranshipError('Internal', `Velero's ${kind.kind} ended as ${phase}: ${lastLines(join(directory, 'velero.log'))}`);
    return {
      seconds: (performance.now() - before.at) / 1000,
      cpuSeconds: tree.cpuSeconds() - before.cpu,
      peakMebibytes: tree.peakMebibytes(),
    };
  };
  try {
    await until("Velero's storage location", async () => (await phaseOf(kinds.location, 'default')) === 'Available', 120_000);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    backup: async (name, namespaces) =>
      await job(kinds.backup, name, { includedNamespaces: namespaces, storageLocation: 'default', snapshotVolumes: false, ttl: '1h0m0s' }),
    restore: async (name, backup, namespaceMapping) => await job(kinds.restore, name, { backupName: backup, namespaceMapping }),
    close,
  };
}

async function established(client: KubeClient, signal: AbortSignal): Promise<void> {
  for (const { resource } of Object.values(kinds))
    for (;;) {
      const { resources: served } = await client.discover({ signal, refresh: true });
      if (served.some((type) => type.group === 'velero.io' && type.resource === resource)) break;
      await delay(200, undefined, { signal });
    }
}

/** A second metrics listener of Velero is fixed at this port; with it taken the server ends without a clear word. */
async function mustBeFree(port: number): Promise<void> {
  const server = createServer();
  const free = await new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, () => server.close(() => resolve(true)));
  });
  if (!free)
    throw new TranshipError('Conflict', `Velero needs port ${port} of this machine, which is in use.`, {
      hint: 'End what listens there, or leave --velero out.',
    });
}

function lastLines(file: string): string {
  return readFileSync(file, 'utf8').trim().split('\n').slice(-5).join('\n');
}
