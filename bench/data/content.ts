/**
 * The data of the bench, from a seed: the same bytes on every machine. It is kept between runs, because making it takes minutes; what was
 * killed half-way is never mistaken for done (a directory appears by rename). Sizes at scale 1 are those of the research.
 */
import { createCipheriv, createHash } from 'node:crypto';
import { closeSync, existsSync, mkdirSync, openSync, renameSync, rmSync, utimesSync, writeFileSync, writeSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Work } from './peers.ts';

export const mebibyte = 1 << 20;
const seed = 'tranship-bench-1';

export type ContentName = 'big' | 'small' | 'large' | 'million';

export interface Sizes {
  /** One file, MiB. */
  big: number;
  /** Files of 0.5 to 16 KiB, 100 in a directory. */
  small: number;
  /** One file for the change in place, MiB. */
  large: number;
  /** Empty files, 1,000 in a directory. */
  million: number;
}

export function sizesAt(scale: number): Sizes {
  const of = (full: number): number => Math.max(1, Math.round(full * scale));
  return { big: of(4096), small: of(200_000), large: of(16_384), million: of(1_000_000) };
}

/** Bytes on a disk with blocks of 4 KiB, a little too much rather than too little. */
export function bytesOf(name: ContentName, sizes: Sizes): number {
  if (name === 'big' || name === 'large') return sizes[name] * mebibyte;
  return name === 'small' ? sizes.small * 11_000 : sizes.million * 300;
}

/** Directory of one tree, whether it is there yet or not. */
export function contentPath(name: ContentName, sizes: Sizes, cache: string): string {
  return join(cache, `${name}-${sizes[name]}`);
}

/** Makes the tree when it is not there and returns its directory. */
export async function content(name: ContentName, sizes: Sizes, cache: string, work: Work): Promise<string> {
  const path = contentPath(name, sizes, cache);
  if (existsSync(path)) return path;
  mkdirSync(cache, { recursive: true });
  for (const left of await readdir(cache)) if (left.startsWith('.part-')) await rm(join(cache, left), { recursive: true });
  const part = join(cache, `.part-${name}`);
  mkdirSync(part);
  work.onProgress(`making the data: ${path}`);
  try {
    const make = { big: oneFile, large: oneFile, small: smallFiles, million: emptyFiles }[name];
    for (const _ of make(part, sizes[name])) {
      work.signal.throwIfAborted();
      await new Promise((resume) => setImmediate(resume)); // Ctrl-C is heard
    }
    renameSync(part, path);
  } catch (error) {
    rmSync(part, { recursive: true, force: true });
    throw error;
  }
  return path;
}

function* oneFile(directory: string, mebibytes: number): Generator<void> {
  const fd = openSync(join(directory, 'file'), 'w');
  try {
    for (let index = 0; index < mebibytes; index++) {
      writeSync(fd, block(index, 0));
      if (index % 64 === 0) yield;
    }
  } finally {
    closeSync(fd);
  }
}

function* smallFiles(directory: string, count: number): Generator<void> {
  for (let index = 0; index < count; index++) {
    const inside = join(directory, `d${Math.floor(index / 100)}`);
    if (index % 100 === 0) {
      mkdirSync(inside);
      yield;
    }
    const size = 512 + (pick(`small ${index}`) % (16_384 - 512));
    writeFileSync(join(inside, `f${index}`), index % 2 === 0 ? noise(`small ${index}`, size) : logText(`small ${index}`, size));
  }
}

function* emptyFiles(directory: string, count: number): Generator<void> {
  for (let index = 0; index < count; index++) {
    const inside = join(directory, `d${Math.floor(index / 1000)}`);
    if (index % 1000 === 0) {
      mkdirSync(inside);
      yield;
    }
    closeSync(openSync(join(inside, `f${index}`), 'w'));
  }
}

/** One aligned MiB of a file: random or log-like text, as its index decides. Another version is other bytes of the same kind. */
export function block(index: number, version: number): Buffer {
  const name = `block ${index} ${version}`;
  return pick(`kind ${index}`) % 2 === 0 ? noise(name, mebibyte) : logText(name, mebibyte);
}

/** Which blocks change in a round (1, 2, …): 1 % of `of`, spread over the whole file, never the same in two rounds. */
export function changedBlocks(mebibytes: number, round: number, of: number = mebibytes): number[] {
  const count = Math.max(1, Math.round(of / 100));
  const stride = Math.max(1, Math.floor(mebibytes / count));
  return Array.from({ length: count }, (_, index) => (index * stride + (round - 1)) % mebibytes);
}

/** Writes those blocks in a version; the file's times move like those of any written file, or are set to `time` (seconds). */
export function writeBlocks(path: string, indices: readonly number[], version: number, time?: number): void {
  const fd = openSync(path, 'r+');
  try {
    for (const index of indices) writeSync(fd, block(index, version), 0, mebibyte, index * mebibyte);
  } finally {
    closeSync(fd);
  }
  if (time !== undefined) utimesSync(path, time, time);
}

function digest(name: string): Buffer {
  return createHash('sha256').update(`${seed} ${name}`).digest();
}

function pick(name: string): number {
  return digest(name).readUInt32LE(0);
}

/** Bytes that no tool can compress: the key stream of AES-CTR. */
function noise(name: string, length: number): Buffer {
  const key = digest(name);
  return createCipheriv('aes-128-ctr', key.subarray(0, 16), key.subarray(16)).update(Buffer.alloc(length));
}

/** Lines of a server's log; zstd makes a third of them. */
function logText(name: string, length: number): Buffer {
  const chance = noise(name, Math.ceil(length / 4)).toString('hex');
  const lines: string[] = [];
  let made = 0;
  for (let at = 0; made < length; at += 46) {
    const [request, user, number] = [
      chance.slice(at, at + 24),
      chance.slice(at + 24, at + 40),
      parseInt(chance.slice(at + 40, at + 46), 16),
    ];
    const line = `2026-01-01T00:${String(lines.length % 60).padStart(2, '0')}:07Z info worker ${number % 16} request=${request} user=${user} GET /api/v1/items/${number} 200 ${number % 997} ms\n`;
    lines.push(line);
    made += line.length;
  }
  return Buffer.from(lines.join('').slice(0, length), 'latin1');
}
