import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { z } from 'zod';
import { image, layer } from './oci.ts';
import { addFile, newRoot } from './tree.ts';

const dir = mkdtempSync(join(tmpdir(), 'tranship-oci-'));
after(() => rmSync(dir, { recursive: true }));
const work = { signal: new AbortController().signal, onProgress: () => {} };

const descriptor = z.object({ mediaType: z.string(), digest: z.string().startsWith('sha256:'), size: z.number() });
const index = z.object({ manifests: z.array(descriptor.extend({ annotations: z.record(z.string(), z.string()) })).length(1) });
const manifest = z.object({ config: descriptor, layers: z.array(descriptor) });
const config = z.object({
  os: z.literal('linux'),
  config: z.object({ Cmd: z.array(z.string()), Env: z.array(z.string()), User: z.string() }),
  rootfs: z.object({ diff_ids: z.array(z.string()) }),
});

const fill = (text: string) => async () => {
  const tree = newRoot();
  addFile(tree, 'app/main', text);
  return tree;
};

/** A member of the tar, checked against its descriptor where it has one. */
function member(tar: string, name: string, expected?: z.infer<typeof descriptor>): Buffer {
  const bytes = execFileSync('tar', ['-xOf', tar, name], { maxBuffer: 1 << 26 });
  if (expected !== undefined) {
    assert.equal(bytes.length, expected.size);
    assert.equal(`sha256:${createHash('sha256').update(bytes).digest('hex')}`, expected.digest);
  }
  return bytes;
}
const blobOf = (tar: string, of: z.infer<typeof descriptor>): Buffer => member(tar, `blobs/sha256/${of.digest.slice(7)}`, of);
const parse = <T>(schema: z.ZodType<T>, bytes: Buffer): T => schema.parse(JSON.parse(bytes.toString()));

test('an image is a complete OCI layout: every blob is there with the size and hash that is told', async () => {
  const layers = [await layer('base', '1', fill('base'), work, dir), await layer('app', '1', fill('app'), work, dir)];
  const tar = await image('thing', 'localhost/thing:1', layers, { command: ['/app/main'], user: '999:999', env: { A: 'b' } }, work, dir);
  assert.deepEqual(JSON.parse(member(tar, 'oci-layout').toString()), { imageLayoutVersion: '1.0.0' });
  const [top] = parse(index, member(tar, 'index.json')).manifests;
  assert.ok(top);
  assert.equal(top.annotations['io.containerd.image.name'], 'localhost/thing:1');
  const body = parse(manifest, blobOf(tar, top));
  const told = parse(config, blobOf(tar, body.config));
  assert.deepEqual(told.config.Cmd, ['/app/main']);
  assert.equal(told.config.User, '999:999');
  assert.ok(told.config.Env.includes('A=b') && told.config.Env.some((line) => line.startsWith('PATH=')));
  for (const one of body.layers) blobOf(tar, one);
  // Uncompressed: what is stored is what it unpacks from.
  assert.deepEqual(
    told.rootfs.diff_ids,
    body.layers.map((one) => one.digest),
  );
});

test('unchanged inputs are not packed again; a changed one makes a new image and few old ones stay', async () => {
  const tars: string[] = [];
  let packed = 0;
  for (const text of ['1', '1', '2', '3', '4', '5']) {
    const counted = async () => (packed++, fill(text)());
    tars.push(await image('again', 'localhost/again:1', [await layer('again', text, counted, work, dir)], {}, work, dir));
  }
  assert.equal(packed, 5);
  assert.equal(tars[0], tars[1]);
  assert.equal(new Set(tars).size, 5);
  assert.ok(statSync(tars.at(-1) ?? '').size > 0);
  assert.ok(readdirSync(dir).filter((name) => name.startsWith('image-again-')).length <= 3);
});
