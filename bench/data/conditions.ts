/** Under what the figures were taken: without these they say nothing. */
import { execFileSync } from 'node:child_process';
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os';
import { join } from 'node:path';

export interface Conditions {
  cpu: string;
  cores: number;
  memoryMebibytes: number;
  kernel: string;
  fileSystem: string;
  node: string;
  /** The commit of this checkout, with `+` when files differ from it. */
  commit: string;
  /** One minute, before the run. */
  load: number;
  tools: Record<string, string>;
}

export function conditionsAt(directory: string, tools: Record<string, string>): Conditions {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memoryMebibytes: Math.round(totalmem() / 1048576),
    kernel: release(),
    fileSystem: ask('stat', '-f', '-c', '%T', directory),
    node: process.versions.node,
    commit: `${ask('git', '-C', import.meta.dirname, 'rev-parse', '--short', 'HEAD')}${ask('git', '-C', join(import.meta.dirname, '../..'), 'status', '--porcelain') === '' ? '' : '+'}`,
    load: loadavg()[0] ?? 0,
    tools,
  };
}

export function conditionLines(conditions: Conditions): string[] {
  const { cpu, cores, memoryMebibytes, kernel, fileSystem, node, commit, load, tools } = conditions;
  return [
    `${cpu}, ${cores} cores, ${memoryMebibytes} MiB, Linux ${kernel}, ${fileSystem}, load ${load.toFixed(1)} before`,
    `tranship ${commit} on Node ${node}; ${Object.entries(tools)
      .map(([name, version]) => `${name} ${version}`)
      .join(', ')}`,
  ];
}

/** '' where the program cannot answer: conditions never stop a run. */
function ask(program: string, ...args: string[]): string {
  try {
    return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return '';
  }
}
