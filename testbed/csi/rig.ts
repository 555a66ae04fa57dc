/**
 * For the tests: a mount namespace with the drivers in it, on sockets in a temporary directory, and calls by their gRPC interface.
 * The namespace outlives the drivers, as a node does.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readlinkSync, mkdirSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import * as grpc from '@grpc/grpc-js';
import assert from 'node:assert/strict';
import type { MediumKind } from './flags.ts';
import { driverCommand } from './flags.ts';
import { gib } from './medium.ts';
import type { Snapshot, Volume, VolumeCapability } from './messages.ts';
import { loadProtos, socketsOf } from './server.ts';

// The test runner names where a node's programs are, as an environment for them.
Object.assign(process.env, JSON.parse(process.env['TRANSHIP_NODE_PROGRAMS'] ?? '{}'));

const needed = ['unshare', 'nsenter', 'losetup', 'python3', 'mkfs.ext4', 'resize2fs', 'fsfreeze', 'mkfs.btrfs', 'btrfs'];

/** Where csi.proto lies on this machine: named by TRANSHIP_CSI_PROTO, else in Go's module cache. */
const proto =
  process.env['TRANSHIP_CSI_PROTO'] ??
  path.join(
    process.env['GOMODCACHE'] ?? path.join(process.env['GOPATH'] ?? path.join(homedir(), 'go'), 'pkg/mod'),
    'github.com/container-storage-interface/spec@v1.12.0/csi.proto',
  );

const writer = { access_mode: { mode: 'SINGLE_NODE_WRITER' } };
/** What pods ask of a filesystem volume. */
export const files: VolumeCapability = { mount: { fs_type: '', mount_flags: [] }, ...writer };
/** What pods ask of a raw block volume. */
export const blocks: VolumeCapability = { block: {}, ...writer };

/** Why the rig cannot run here, as a sentence; false when it can. */
export function cannotRun(): string | false {
  if (process.getuid?.() !== 0) return 'needs root: it mounts and makes loop devices';
  const missing = needed.filter((program) => spawnSync('sh', ['-c', `command -v ${program}`]).status !== 0);
  if (missing.length > 0) return `needs these programs in PATH: ${missing.join(', ')}`;
  return existsSync(proto) ? false : `needs ${proto} (or TRANSHIP_CSI_PROTO)`;
}

export const media: { name: string; medium: MediumKind }[] = [
  { name: 'plain.csi.test', medium: 'plain' },
  { name: 'btrfs.csi.test', medium: 'btrfs' },
  { name: 'ext4.csi.test', medium: 'ext4' },
];

export class Rig {
  readonly home = mkdtempSync(path.join(tmpdir(), 'tranship-csi-'));
  readonly stateDir = path.join(this.home, 'state');
  readonly kubelet = path.join(this.home, 'kubelet');
  readonly #protos = loadProtos(proto);
  readonly #clients = new Map<string, grpc.Client>();
  #node: ChildProcess | undefined;
  #drivers: ChildProcess | undefined;

  /** Makes the namespace and starts the drivers. */
  async start(): Promise<void> {
    mkdirSync(this.stateDir);
    mkdirSync(this.kubelet);
    this.#node = spawn('unshare', ['--mount', '--propagation', 'private', 'sleep', 'infinity'], { stdio: 'ignore' });
    const ours = readlinkSync('/proc/self/ns/mnt');
    while (readlinkSync(`/proc/${this.#node.pid}/ns/mnt`) === ours) await delay(5);
    await this.startDrivers();
  }

  /** Starts the driver process and waits until all drivers serve. */
  async startDrivers(): Promise<void> {
    const command = driverCommand({
      drivers: media,
      nodeId: 'node-test',
      stateDir: this.stateDir,
      kubeletRoot: this.kubelet,
      proto,
      poolBytes: 4 * gib,
    });
    const child = spawn('nsenter', [`--mount=/proc/${this.#node?.pid}/ns/mnt`, process.execPath, ...command], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#drivers = child;
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
    let serving = 0;
    for await (const line of createInterface(child.stdout)) {
      if (line.endsWith(' serves')) serving += 1;
      if (serving === media.length) return;
    }
    throw new Error(`The drivers did not start: ${said}`);
  }

  /** The process of the drivers; nsenter becomes it. */
  get pid(): number {
    return this.#drivers?.pid ?? 0;
  }

  async endDrivers(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    for (const client of this.#clients.values()) client.close();
    this.#clients.clear();
    await ended(this.#drivers, signal);
  }

  /** Ends everything with SIGKILL, as the test bed does with a node; the state stays. */
  async killNode(): Promise<void> {
    await this.endDrivers('SIGKILL');
    await ended(this.#node, 'SIGKILL');
  }

  remove(): void {
    rmSync(this.home, { recursive: true, force: true });
  }

  /** A shell command in the namespace; what it prints. `set -e` holds. */
  sh(script: string, ...args: string[]): string {
    const enter = [`--mount=/proc/${this.#node?.pid}/ns/mnt`, 'sh', '-ec', script, 'sh', ...args];
    return execFileSync('nsenter', enter, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 64 * 1024 ** 2 });
  }

  /** A process in the namespace; the caller ends it. */
  background(script: string, ...args: string[]): ChildProcess {
    return spawn('nsenter', [`--mount=/proc/${this.#node?.pid}/ns/mnt`, 'sh', '-ec', script, 'sh', ...args], { stdio: 'ignore' });
  }

  /** A place below the kubelet's root where a volume may be published. */
  target(name: string): string {
    return path.join(this.kubelet, 'pods', name, 'mount');
  }

  /** One call, `call('plain.csi.test', 'Controller.CreateVolume', {...})`; rejects with grpc.ServiceError. */
  call<Answer>(driver: string, what: string, request: object, api = 'csi.v1'): Promise<Answer> {
    const [service = '', method = ''] = what.split('.');
    const definition = (this.#protos[`${api}.${service}`] as grpc.ServiceDefinition)[method];
    if (definition === undefined) throw new Error(`There is no call ${what}.`);
    const sockets = socketsOf(this.kubelet, driver);
    const client = this.#client(api === 'csi.v1' ? sockets.csi : sockets.registration);
    return new Promise((resolve, reject) => {
      client.makeUnaryRequest(
        definition.path,
        definition.requestSerialize,
        definition.responseDeserialize,
        request,
        (error: grpc.ServiceError | null, value?: object) => (error === null ? resolve(value as Answer) : reject(error)),
      );
    });
  }

  /** A volume that is there. */
  async volume(driver: string, request: object): Promise<Volume> {
    return (await this.call<{ volume: Volume }>(driver, 'Controller.CreateVolume', request)).volume;
  }

  /** A snapshot that is there. */
  async snapshot(driver: string, name: string, volume: Volume): Promise<Snapshot> {
    const request = { name, source_volume_id: volume.volume_id };
    return (await this.call<{ snapshot: Snapshot }>(driver, 'Controller.CreateSnapshot', request)).snapshot;
  }

  /** The call must be refused with this status. */
  async refused(code: keyof typeof grpc.status, driver: string, what: string, request: object): Promise<void> {
    await assert.rejects(this.call(driver, what, request), (error: grpc.ServiceError) => {
      assert.equal(grpc.status[error.code], code, error.details);
      return true;
    });
  }

  #client(socket: string): grpc.Client {
    const known = this.#clients.get(socket);
    if (known !== undefined) return known;
    const client = new grpc.Client(`unix://${socket}`, grpc.credentials.createInsecure());
    this.#clients.set(socket, client);
    return client;
  }
}

export function create(name: string, capability: VolumeCapability, required_bytes = 0): object {
  return { name, volume_capabilities: [capability], capacity_range: { required_bytes } };
}

export function fromSnapshot(snapshot: Snapshot): object {
  return { volume_content_source: { snapshot: { snapshot_id: snapshot.snapshot_id } } };
}

export function publish(volume: Volume, target_path: string, volume_capability = files): object {
  return { volume_id: volume.volume_id, target_path, volume_capability };
}

async function ended(child: ChildProcess | undefined, signal: NodeJS.Signals): Promise<void> {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const closed = new Promise((resolve) => child.once('exit', resolve));
  child.kill(signal);
  await closed;
}
