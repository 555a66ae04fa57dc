/** Everything that is rendered for a node, without starting one. */
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { testbedDrivers } from '../csi/index.ts';
import { layOut } from '../cluster/addresses.ts';
import type { Pieces } from '../pieces/index.ts';
import { enterCgroupsScript, mountCgroupsScript, parseCgroups } from './cgroups.ts';
import { corefile } from './dns.ts';
import { cniConfig, containerdConfig, kubeletConfig } from './files.ts';
import { apiserverFlags, controllerManagerFlags } from './flags.ts';
import { readAccess, renderKubeconfig } from './kubeconfig.ts';
import { firstProcessScript } from './namespaces.ts';
import { startScript, storagePrograms } from './programs.ts';
import { controlPlaneOf, type NodeSpec } from './spec.ts';
import { createAuthority, issue } from './x509.ts';

const bed = layOut('abcdef', '10.101.112.0/20');
const v1 = `25 20 0:22 / /sys/fs/cgroup ro - tmpfs tmpfs ro,mode=755
26 25 0:23 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:9 - cgroup cgroup rw,cpu,cpuacct
27 25 0:24 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
28 25 0:25 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd
29 25 0:26 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw`;
const spec: NodeSpec = {
  name: 'source',
  bedId: 'abcdef',
  nodeName: 'node-source',
  addresses: bed.nodes.source,
  bed,
  pieces: {
    cniDir: '/p/cni',
    runc: '/p/runc',
    csiProto: '/p/csi.proto',
    csiProvisioner: '/p/prov',
    csiSnapshotter: '/p/snap',
    env: { PATH: '/p' },
  } as Partial<Pieces> as Pieces,
  drivers: testbedDrivers.source,
  cgroups: parseCgroups(v1)!,
  state: '/s/source',
  logs: "/l/it's",
};

test('control groups: version 1 wins on hybrid machines, with joined and named hierarchies as they are mounted', () => {
  assert.deepEqual(parseCgroups(v1), {
    version: 1,
    hierarchies: [
      { mount: '/sys/fs/cgroup/cpu,cpuacct', name: 'cpu,cpuacct', options: 'cpu,cpuacct' },
      { mount: '/sys/fs/cgroup/memory', name: 'memory', options: 'memory' },
      { mount: '/sys/fs/cgroup/systemd', name: 'systemd', options: 'none,name=systemd' },
    ],
  });
  assert.deepEqual(parseCgroups('30 20 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw'), { version: 2, mount: '/sys/fs/cgroup' });
  assert.equal(parseCgroups('30 20 0:26 / / rw - ext4 /dev/sda rw'), undefined);
});

test('the first process mounts the groups the way the machine has them', () => {
  const script = firstProcessScript(spec);
  assert.match(script, /mount -t cgroup -o "cpu,cpuacct" cgroup "\/sys\/fs\/cgroup\/cpu,cpuacct"/);
  assert.match(script, /mount --bind "\/s\/source\/fs\/kubelet" "\/var\/lib\/kubelet"/);
  assert.match(mountCgroupsScript({ version: 2, mount: '/sys/fs/cgroup' }).join('\n'), /cgroup2 \/sys\/fs\/cgroup\n/);
  assert.match(enterCgroupsScript({ version: 2, mount: '/x' }), /^echo 0 > \/sys\/fs\/cgroup\/programs/);
});

test('kubelet, containerd, CNI and DNS speak of the same addresses and files', () => {
  const kubelet = JSON.parse(kubeletConfig(spec)) as Record<string, unknown>;
  assert.deepEqual(kubelet['clusterDNS'], ['10.101.116.10']);
  assert.equal(kubelet['failCgroupV1'], false);
  const containerd = containerdConfig(spec, 'localhost/pause:1');
  assert.match(containerd, /sandbox = "localhost\/pause:1"/);
  assert.match(containerd, /BinaryName = "\/p\/runc"/);
  assert.match(containerd, /"io\.containerd\.snapshotter\.v1\.btrfs"/);
  assert.match(cniConfig(spec.addresses.podRange), /"subnet": "10\.101\.113\.0\/24"/);
  assert.match(corefile(spec), /10\.101\.112\.254 s3\.testbed\.internal/);
  assert.equal(corefile(spec).match(/^\S.*\{$/gm)?.length, 2, 'two server blocks');
});

test('flags: nodes get node rights, light clusters neither a node authorizer nor a second port', () => {
  const plane = controlPlaneOf(spec);
  assert.ok(apiserverFlags(plane).includes('--authorization-mode=Node,RBAC'));
  assert.ok(apiserverFlags({ ...plane, light: true }).includes('--endpoint-reconciler-type=none'));
  assert.ok(controllerManagerFlags({ ...plane, light: true }, '/k').includes('--secure-port=0'));
  assert.ok(!controllerManagerFlags(plane, '/k').includes('--secure-port=0'));
});

test('programs start with quoted words, and every driver has its sidecars', () => {
  assert.deepEqual(
    storagePrograms(spec).map(({ name }) => name),
    [
      'csi-driver',
      'csi-provisioner-hostpath',
      'csi-snapshotter-hostpath',
      'csi-provisioner-bulk',
      'csi-snapshotter-bulk',
      'snapshot-controller',
    ],
  );
  const script = startScript(spec, { name: 'x', argv: ['/bin/x', 'a b'] });
  assert.ok(script.includes(`'/bin/x' 'a b' </dev/null >>'/l/it'\\''s/x.log' 2>&1 &\n`));
  assert.ok(script.includes("export PATH='/p'\n"));
  assert.deepEqual(
    storagePrograms(spec)
      .filter(({ restarts }) => restarts)
      .map(({ name }) => name.split('-').slice(0, 2).join('-')),
    ['csi-provisioner', 'csi-snapshotter', 'csi-provisioner', 'csi-snapshotter'],
    'what ends with its driver is started again',
  );
});

test('certificates are what a strict reader expects', () => {
  const now = new Date('2030-06-01T12:00:00Z');
  const authority = createAuthority('test-ca', now);
  const ca = new X509Certificate(authority.certificate);
  const server = new X509Certificate(
    issue(authority, { subject: { commonName: 'api' }, usage: 'server', names: ['localhost', '10.0.0.1'] }, now).certificate,
  );
  assert.equal(ca.ca, true);
  assert.equal(server.ca, false);
  assert.ok(server.verify(ca.publicKey) && server.checkIssued(ca));
  assert.equal(server.subjectAltName, 'DNS:localhost, IP Address:10.0.0.1');
  assert.deepEqual(server.keyUsage, ['1.3.6.1.5.5.7.3.1']);
  assert.equal(server.validFrom, 'May 31 12:00:00 2030 GMT');
  const client = issue(authority, { subject: { commonName: 'me', organization: 'system:masters' }, usage: 'client' }, now);
  assert.equal(new X509Certificate(client.certificate).subject, 'O=system:masters\nCN=me');
  assert.equal(new X509Certificate(client.certificate).verify(new X509Certificate(createAuthority('other').certificate).publicKey), false);
});

test('a kubeconfig is read back as it was written', () => {
  const user = { certificate: 'c', key: 'k' };
  const accesses = [
    { context: 'source', server: 'https://a', ca: 'x', user },
    { context: 'target', server: 'https://b', ca: 'y', user },
  ];
  const text = renderKubeconfig(accesses);
  assert.deepEqual(readAccess(text, 'target'), accesses[1]);
  assert.throws(() => readAccess(text, 'other'), /no context other/);
});
