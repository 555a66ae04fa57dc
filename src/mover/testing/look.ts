/** Compares trees by an independent program (look.py): what it says is not said by the code under test. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const program = join(import.meta.dirname, 'look.py');

/** Why trees cannot be looked at here; undefined when they can. */
export function cannotLook(): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root: owners, device nodes, trusted attributes, mounts';
  return spawnSync('python3', ['-c', ''], { stdio: 'ignore' }).status === 0 ? undefined : 'needs python3';
}

/** What is known of a path, by name: type, uid, mtime, content, `xattr user.x` … */
export type Facts = Readonly<Record<string, unknown>>;

/** Every path of a tree (latin1, '' is its root) with its facts. */
export function look(root: string): Map<string, Facts> {
  const { status, stdout, stderr } = spawnSync('python3', [program, root], { encoding: 'utf8', maxBuffer: 1 << 30 });
  if (status !== 0) throw new Error(`look.py ${root} failed: ${stderr}`);
  const lines = stdout.split('\n').filter((line) => line !== '');
  return new Map(lines.map((line) => JSON.parse(line) as [string, Facts]));
}

export interface CompareOptions {
  /** Facts of a path that need not be equal, `*` for the whole path. Blocks never need to be. */
  except?: (path: string, facts: Facts) => readonly string[];
}

/** One line per path and fact that differs; empty when the trees are the same. */
export function differences(wanted: Map<string, Facts>, found: Map<string, Facts>, options: CompareOptions = {}): string[] {
  const lines: string[] = [];
  for (const path of new Set([...wanted.keys(), ...found.keys()])) {
    const [want, have] = [wanted.get(path), found.get(path)];
    const except = options.except?.(path, want ?? have ?? {}) ?? [];
    if (except.includes('*')) continue;
    const at = JSON.stringify(path.length > 300 ? `${path.slice(0, 100)}…${path.slice(-100)}` : path);
    if (want === undefined || have === undefined) lines.push(`${at} ${want === undefined ? 'is too much' : 'is missing'}`);
    else {
      for (const fact of new Set([...Object.keys(want), ...Object.keys(have)])) {
        if (fact === 'blocks' || except.includes(fact)) continue;
        const [a, b] = [JSON.stringify(want[fact]), JSON.stringify(have[fact])];
        if (a !== b) lines.push(`${at} ${fact}: wanted ${a?.slice(0, 80)}, found ${b?.slice(0, 80)}`);
      }
    }
  }
  return lines;
}
