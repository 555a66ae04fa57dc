/** What the images with JavaScript share as their first layer: Node, the libraries it needs, a shell, certificates. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Work } from '../pieces/index.ts';
import { imagePackages } from './packages.ts';
import { layer, type Layer } from './oci.ts';
import { addBusybox } from './small.ts';
import { addAccounts, addFile, addFrom, newRoot, type Tree } from './tree.ts';

/** Of glibc only what Node links or loads: names come from DNS and files. */
const libraries =
  /^usr\/lib(64|\/[^/]+)\/(ld-linux[^/]*|ld-[\d.]+\.so|lib(c|m|dl|pthread|rt|resolv|nss_dns|nss_files|atomic|gcc_s)[.-][^/]*|libstdc\+\+\.so\.6[^/]*)$/;
const certificates = 'usr/share/ca-certificates/mozilla';

export async function nodeBase(work: Work): Promise<Layer> {
  const node = await nodeBinary();
  const { root, versions } = await imagePackages(work);
  const { size, mtimeMs } = await stat(node);
  const fill = async (scratch: string): Promise<Tree> => {
    const tree = newRoot();
    addAccounts(tree, [{ name: 'node', id: 1000, home: '/tmp' }]);
    await addFrom(tree, root, (path) => libraries.test(path));
    addFile(tree, 'etc/ssl/certs/ca-certificates.crt', await allCertificates(root));
    addFile(tree, 'usr/local/bin/node', { from: await stripped(node, scratch, work) }, 0o755);
    await addBusybox(tree, root);
    return tree;
  };
  return layer('node', JSON.stringify([node, size, mtimeMs, versions]), fill, work);
}

/** The environment of every image on this base. */
export const nodeEnv = { NODE_ENV: 'production', SSL_CERT_FILE: '/etc/ssl/certs/ca-certificates.crt' };

/** The npm package's build runs on every glibc since 2.28; the one that runs us may be the distribution's, linked to more. */
async function nodeBinary(): Promise<string> {
  const own = join(import.meta.dirname, '..', '..', 'node_modules', `node-linux-${process.arch}`, 'bin', 'node');
  return realpath(existsSync(own) ? own : process.execPath);
}

/** Without symbols it is 34 MB smaller; without `strip` it works as well. */
async function stripped(node: string, scratch: string, work: Work): Promise<string> {
  await mkdir(scratch, { recursive: true });
  const out = join(scratch, 'node');
  try {
    await promisify(execFile)('strip', ['-o', out, node], { signal: work.signal });
    return out;
  } catch {
    work.signal.throwIfAborted();
    work.onProgress('image layer node: no `strip` on this machine, the image is 34 MB bigger');
    return node;
  }
}

/** What the package's script would do at its installation. */
async function allCertificates(root: string): Promise<Buffer> {
  const names = (await readdir(join(root, certificates))).toSorted();
  return Buffer.concat(await Promise.all(names.map((name) => readFile(join(root, certificates, name)))));
}
