/** The images that hold one program: pause, busybox, CoreDNS. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { provideCoredns, type Work } from '../pieces/index.ts';
import { imagePackages } from './packages.ts';
import { image, layer } from './oci.ts';
import { addAccounts, addFile, addLink, newRoot, type Tree } from './tree.ts';

/** Sleeps as PID 1 of every pod and reaps orphans: catatonit, whose `-P` is made for this. */
export async function pause(ref: string, work: Work): Promise<string> {
  const { root, versions } = await imagePackages(work);
  const only = await layer('pause', versions['catatonit'] ?? '', async () => program('pause', join(root, 'usr/bin/catatonit')), work);
  return image('pause', ref, [only], { entrypoint: ['/pause', '-P'] }, work);
}

export async function busybox(ref: string, work: Work): Promise<string> {
  const { root, versions } = await imagePackages(work);
  const fill = async (): Promise<Tree> => {
    const tree = newRoot();
    addAccounts(tree);
    await addBusybox(tree, root);
    return tree;
  };
  return image('busybox', ref, [await layer('busybox', versions['busybox-static'] ?? '', fill, work)], { command: ['sh'] }, work);
}

export async function coredns(ref: string, work: Work): Promise<string> {
  const { path, version } = await provideCoredns(work);
  const only = await layer('coredns', `${version} ${path}`, async () => program('coredns', path), work);
  return image('coredns', ref, [only], { entrypoint: ['/coredns'] }, work);
}

function program(name: string, from: string): Tree {
  const tree = newRoot();
  addFile(tree, name, { from }, 0o755);
  return tree;
}

/** busybox and a link for each of its applets; programs that are there already keep their name. */
export async function addBusybox(tree: Tree, root: string): Promise<void> {
  const binary = join(root, 'bin/busybox');
  addFile(tree, 'usr/bin/busybox', { from: binary }, 0o755);
  const { stdout } = await promisify(execFile)(binary, ['--list']);
  for (const applet of stdout.split('\n'))
    if (applet !== '' && !tree.has(`usr/bin/${applet}`)) addLink(tree, `usr/bin/${applet}`, 'busybox');
}
