import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { given, variableOf } from './given.ts';
import { accepts, versionProbe } from './version.ts';

const dir = mkdtempSync(join(tmpdir(), 'tranship-given-'));
after(() => rmSync(dir, { recursive: true }));

/** A folder with programs that print what the real ones would. */
function folder(name: string, programs: Record<string, string>): string {
  mkdirSync(join(dir, name), { recursive: true });
  for (const [program, text] of Object.entries(programs))
    writeFileSync(join(dir, name, program), `#!/bin/sh\necho '${text}'\n`, { mode: 0o755 });
  return join(dir, name);
}

const wanted = { 'kube-apiserver': '1.36', kubectl: '1.36' };
const right = folder('right', { 'kube-apiserver': 'Kubernetes v1.36.3', kubectl: 'Client Version: v1.36.3' });
const mixed = folder('mixed', { 'kube-apiserver': 'Kubernetes v1.36.0', kubectl: 'Client Version: v1.32.4' });
const alone = folder('alone', { kubectl: 'Client Version: v1.36.3' });

async function search(env: NodeJS.ProcessEnv, light = false): Promise<{ found: Record<string, string>; said: string[] }> {
  const said: string[] = [];
  const found = await given({ wanted, env, light, signal: new AbortController().signal, onProgress: (line) => said.push(line) });
  return { found: Object.fromEntries([...found].map(([name, { path, version }]) => [name, `${path} ${version}`])), said };
}

test('PATH counts when it holds the whole set in the right version', async () => {
  const { found } = await search({ PATH: right });
  assert.deepEqual(found, { 'kube-apiserver': `${right}/kube-apiserver 1.36.3`, kubectl: `${right}/kubectl 1.36.3` });
});

test('PATH does not count with a part of the set, or a part of another version', async () => {
  assert.deepEqual((await search({ PATH: alone })).found, {});
  assert.deepEqual((await search({ PATH: mixed })).found, {});
});

test('a variable goes before a named directory, and that before PATH', async () => {
  const { found } = await search({ TRANSHIP_KUBECTL: join(alone, 'kubectl'), TRANSHIP_TESTBED_BIN: mixed, PATH: right });
  assert.deepEqual(found, { kubectl: `${alone}/kubectl 1.36.3`, 'kube-apiserver': `${mixed}/kube-apiserver 1.36.0` });
});

test('a named program of a wrong version is not used, and that is said', async () => {
  const { found, said } = await search({ TRANSHIP_TESTBED_BIN: mixed, PATH: '' });
  assert.deepEqual(Object.keys(found), ['kube-apiserver']);
  assert.deepEqual(said, [`kubectl: ${mixed}/kubectl is version 1.32.4, needed is 1.36; looking elsewhere`]);
});

test('KUBEBUILDER_ASSETS is for the light level', async () => {
  assert.equal(Object.keys((await search({ KUBEBUILDER_ASSETS: right, PATH: '' }, true)).found).length, 2);
  assert.deepEqual((await search({ KUBEBUILDER_ASSETS: right, PATH: '' }, false)).found, {});
});

test('a variable that names nothing is an error, not a silent build of ten minutes', async () => {
  await assert.rejects(search({ TRANSHIP_KUBECTL: join(dir, 'nothing') }), { code: 'InvalidInput', message: /TRANSHIP_KUBECTL names/ });
});

test('names of variables', () => {
  assert.equal(variableOf('containerd-shim-runc-v2'), 'TRANSHIP_CONTAINERD_SHIM_RUNC_V2');
});

test('versions are compared by number', () => {
  assert.ok(accepts('1.36', '1.36.3'));
  assert.ok(!accepts('1.3', '1.36.3'));
  assert.ok(accepts('>=3.5.24', '3.6.1'));
  assert.ok(accepts('>=1.9', '1.10'));
  assert.ok(!accepts('>=3.5.24', '3.5.9'));
});

test('versions are found in what real programs print', () => {
  const printed: [program: string, text: string, version: string][] = [
    ['containerd', 'containerd github.com/containerd/containerd/v2 2.1.9 ', '2.1.9'],
    ['ctr', 'ctr github.com/containerd/containerd/v2 v2.1.9', '2.1.9'],
    ['containerd-shim-runc-v2', 'containerd-shim-runc-v2:\n  Version:  2.1.9+unknown', '2.1.9'],
    ['bridge', 'CNI bridge plugin v1.9.1\nCNI protocol versions supported: 0.1.0', '1.9.1'],
    ['etcd', 'etcd Version: 3.6.16\nGit SHA: x\nGo Version: go1.26.8', '3.6.16'],
    ['iptables', 'iptables v1.8.9 (nf_tables)', '1.8.9'],
    ['conntrack', 'conntrack v1.4.7 (conntrack-tools)', '1.4.7'],
    ['versitygw', 'Version  : v1.8.0', '1.8.0'],
    ['coredns', 'CoreDNS-1.14.7\nlinux/amd64, go1.26.8', '1.14.7'],
  ];
  for (const [program, text, version] of printed) assert.equal(versionProbe(program).pattern.exec(text)?.[1], version, program);
});
