/**
 * Paths in manifests are bytes, written as latin1 text (one character per byte), relative, without leading slash; '' is the root of the volume.
 *
 * The order of a manifest: a directory's children together, sorted by bytes, then each child directory's own children. So a directory comes before all that
 * is in it, and two manifests, or a manifest and a walk, can be merged with one entry of each in memory.
 */
export function comparePaths(a: string, b: string): number {
  if (a === b) return 0;
  if (a === '') return -1;
  if (b === '') return 1;
  const cutA = a.lastIndexOf('/');
  const cutB = b.lastIndexOf('/');
  const shared = cutA === cutB && a.startsWith(b.slice(0, cutB + 1));
  if (!shared) {
    const order = compareDirectories(cutA < 0 ? '' : a.slice(0, cutA), cutB < 0 ? '' : b.slice(0, cutB));
    if (order !== 0) return order;
  }
  return a.slice(cutA + 1) < b.slice(cutB + 1) ? -1 : 1;
}

/** Preorder by components: the slash sorts below every byte of a name. */
function compareDirectories(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at++) {
    const left = a.charCodeAt(at);
    const right = b.charCodeAt(at);
    if (left === right) continue;
    if (left === 47) return -1;
    if (right === 47) return 1;
    return left - right;
  }
  return a.length - b.length;
}

/** The directory part: '' for a child of the root. */
export function parentOf(path: string): string {
  const cut = path.lastIndexOf('/');
  return cut < 0 ? '' : path.slice(0, cut);
}

/** True for a path that stays inside the volume: no empty part, no `.`, no `..`, no NUL, parts of at most 255 bytes. */
export function isConfined(path: string): boolean {
  if (path === '') return true;
  if (path.length > 1 << 20 || path.includes('\0')) return false;
  return path.split('/').every((part) => part !== '' && part !== '.' && part !== '..' && part.length <= 255);
}

/** For people: UTF-8 where it is, bytes above 127 as \xNN where not. */
export function displayPath(path: string): string {
  const bytes = Buffer.from(path, 'latin1');
  const text = bytes.toString('utf8');
  if (Buffer.from(text, 'utf8').equals(bytes)) return text;
  // oxlint-disable-next-line no-control-regex
  return path.replace(/[^\x20-\x7e]/g, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`);
}
