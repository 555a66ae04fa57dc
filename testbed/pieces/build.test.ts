import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { closureOf } from './apt.ts';
import { build, isNewEnough } from './build.ts';
import { builtVersions, csiVersions, kubernetesVersions } from './pins.ts';
import { etcdRecipe, kubeRecipe } from './recipes.ts';

const dir = mkdtempSync(join(tmpdir(), 'tranship-build-'));
after(() => rmSync(dir, { recursive: true }));

test('the age of Go', () => {
  assert.ok(isNewEnough('go1.26.8', '1.26'));
  assert.ok(isNewEnough('go2.0', '1.26'));
  assert.ok(!isNewEnough('go1.9.7', '1.26'));
  assert.ok(!isNewEnough('devel', '1.26'));
});

test('no Go or an old one is a sentence with the cure, and nothing is left in the cache', async (t) => {
  const saved = { ...process.env };
  t.after(() => Object.assign(process.env, saved, { TRANSHIP_CACHE: saved['TRANSHIP_CACHE'] ?? '' }));
  process.env['TRANSHIP_CACHE'] = join(dir, 'cache');
  const work = { signal: new AbortController().signal, onProgress: () => {} };
  process.env['PATH'] = dir;
  await assert.rejects(build(etcdRecipe, work), {
    code: 'Unsupported',
    message: /^Go is not installed/,
    hint: /^Install Go 1\.26 or newer/,
  });
  writeFileSync(join(dir, 'go'), '#!/bin/sh\necho go1.19.8\n', { mode: 0o755 });
  await assert.rejects(build(etcdRecipe, work), { code: 'Unsupported', message: /on PATH is go1\.19\.8/ });
  assert.ok(!existsSync(join(dir, 'cache', 'etcd')));
});

test('an unknown minor of Kubernetes names the known ones', () => {
  assert.throws(() => kubeRecipe('1.20'), { code: 'InvalidInput', hint: 'Offered: 1.36, 1.34.' });
});

test('the versions that are told are those that the modules name', () => {
  const module = (name: string): string => readFileSync(join(import.meta.dirname, '..', 'build', name, 'go.mod'), 'utf8');
  for (const [minor, version] of Object.entries(kubernetesVersions))
    assert.match(module(`kube-${minor}`), line('k8s.io/kubernetes', version));
  assert.match(module('etcd'), line('go.etcd.io/etcd/server/v3', builtVersions.etcd));
  assert.match(module('containerd'), line('github.com/containerd/containerd/v2', builtVersions.containerd));
  assert.match(module('cni'), line('github.com/containernetworking/plugins', builtVersions.cni));
  assert.match(module('coredns'), line('github.com/coredns/coredns', builtVersions.coredns));
  assert.match(module('versitygw'), line('github.com/versity/versitygw', builtVersions.versitygw));
  assert.match(module('minio'), line('github.com/minio/minio', builtVersions.minio));
  assert.match(module('csi'), line('github.com/kubernetes-csi/external-provisioner/v6', csiVersions.provisioner));
  assert.match(module('csi'), line('github.com/kubernetes-csi/external-snapshotter/v8', csiVersions.snapshotter));
  assert.match(module('csi'), line('github.com/container-storage-interface/spec', csiVersions.spec));
});

function line(module: string, version: string): RegExp {
  return new RegExp(`\\s${RegExp.escape(`${module} v${version}`)}(\\s|$)`);
}

test('names and versions of packages, also with an epoch', () => {
  const printed = `Reading package lists...
'http://archive.example/pool/c/conntrack_1.4.7-1+b2_amd64.deb' conntrack_1%3a1.4.7-1+b2_amd64.deb 35240 MD5Sum:c4
'http://archive.example/pool/l/libssl3_3.0.22_amd64.deb' libssl3_3.0.22-1~deb12u2_amd64.deb 2039888 `;
  assert.deepEqual(closureOf(printed), [
    { name: 'conntrack', version: '1:1.4.7-1+b2' },
    { name: 'libssl3', version: '3.0.22-1~deb12u2' },
  ]);
});
