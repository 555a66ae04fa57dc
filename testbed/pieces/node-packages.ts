/** What a node calls beside Kubernetes: runc, iptables, conntrack and so on, from the machine or unpacked from the system's packages. */
import { existsSync } from 'node:fs';
import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { packages } from './apt.ts';
import { cacheDir } from './cache.ts';
import { given } from './given.ts';
import type { Origin, Work } from './pieces.ts';
import { leftOut, nodePackages } from './pins.ts';

export type NodePrograms = {
  readonly runc: string;
  readonly iptables: string;
  /** Laid out like `/`; empty when the machine has everything. */
  readonly root: string;
  readonly path: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly origins: readonly Origin[];
};

const wanted = { runc: '>=1.1', iptables: '>=1.8', conntrack: '>=1.4', ethtool: '>=5', socat: '>=1.7', btrfs: '>=5' };

export async function nodePrograms(work: Work): Promise<NodePrograms> {
  const machine = await given({ ...work, wanted, env: process.env, light: false });
  const [runc, iptables] = [machine.get('runc'), machine.get('iptables')];
  if (runc !== undefined && iptables !== undefined && machine.size === Object.keys(wanted).length) {
    const root = join(cacheDir(), 'no-packages');
    await mkdir(root, { recursive: true });
    const origins = [...machine].map(([name, found]): Origin => ({ name, source: 'given', ...found }));
    return { runc: runc.path, iptables: iptables.path, root, path: [], env: {}, origins };
  }
  const { root, versions } = await packages({ name: 'node', packages: nodePackages, leftOut, finish: linkIptables }, work);
  const libraries = join('usr', 'lib', `${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu`);
  const find = (program: string): string =>
    ['usr/sbin', 'sbin', 'usr/bin', 'bin'].map((dir) => join(root, dir, program)).find((path) => existsSync(path)) ?? join(root, program);
  return {
    runc: machine.get('runc')?.path ?? find('runc'),
    iptables: machine.get('iptables')?.path ?? find('iptables'),
    root,
    path: ['usr/bin', 'usr/sbin', 'sbin', 'bin'].map((dir) => join(root, dir)),
    env: {
      LD_LIBRARY_PATH: [libraries, libraries.slice('usr/'.length)].map((dir) => join(root, dir)).join(':'),
      XTABLES_LIBDIR: join(root, libraries, 'xtables'),
    },
    origins: Object.keys(wanted).map((name): Origin => {
      const own = machine.get(name);
      if (own !== undefined) return { name, source: 'given', ...own };
      return { name, version: versions[name === 'btrfs' ? 'btrfs-progs' : name] ?? '', source: 'package', path: find(name) };
    }),
  };
}

/** The package leaves these names to update-alternatives, which is not run here. */
async function linkIptables(root: string): Promise<void> {
  const dir = existsSync(join(root, 'usr/sbin/xtables-nft-multi')) ? join(root, 'usr/sbin') : join(root, 'sbin');
  for (const family of ['iptables', 'ip6tables'])
    for (const verb of ['', '-save', '-restore']) await symlink('xtables-nft-multi', join(dir, `${family}${verb}`));
}
