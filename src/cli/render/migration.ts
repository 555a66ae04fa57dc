/** A migration as text: one row of a list, a page of its own, and the summary at its end. */
import type { Migration, MigrationStatus } from '../../api/migration.ts';
import { stepLine } from '../live/step-line.ts';
import { PercentMemory, volumeLine } from '../live/volume-line.ts';
import { bytesText, count, durationText, secondsBetween } from '../../quantity-text.ts';
import { table } from './table.ts';

/** Names of Cluster objects → the kubeconfig contexts that users know them by. */
export type Contexts = ReadonlyMap<string, string>;

export function listLines(migrations: readonly Migration[], contexts: Contexts, now: Date): string[] {
  if (migrations.length === 0) return ['There are no migrations yet. "tranship migrate --help" shows how to begin one.'];
  const rows = migrations.map((migration) => [
    migration.metadata.name,
    namespacesText(migration),
    contextOf(migration.spec.source.cluster, contexts),
    contextOf(migration.spec.target.cluster, contexts),
    stateText(migration),
    ageText(migration.metadata.creationTimestamp, now),
  ]);
  return table(['NAME', 'NAMESPACES', 'FROM', 'TO', 'STATE', 'AGE'], rows);
}

/** One word for the state: how it ended, or the step that runs. */
export function stateText(migration: Migration): string {
  const summary = succeeded(migration.status);
  if (summary?.status === 'True') return 'Succeeded';
  if (summary?.reason === 'Canceled' || summary?.reason === 'RolledBack') return summary.reason;
  if (summary?.status === 'False') return `Failed (${summary.reason})`;
  const running = migration.status?.steps.find((step) => step.state === 'Running');
  return running === undefined ? 'Pending' : running.name;
}

export function migrationLines(migration: Migration, contexts: Contexts, now: Date): string[] {
  const { status, spec, metadata } = migration;
  const [from, to] = [contextOf(spec.source.cluster, contexts), contextOf(spec.target.cluster, contexts)];
  const lines = [`${metadata.name}: ${stateText(migration)}`, `  ${namespacesText(migration)}, from ${from} to ${to}`];
  if (status === undefined) return [...lines, '  Not begun yet.'];
  const summary = succeeded(status);
  if (summary !== undefined && summary.status !== 'Unknown') lines.push(`  ${summary.message}`);
  lines.push('', ...status.steps.map((step) => `  ${stepLine(step, now.toISOString())}`));
  const memory = new PercentMemory();
  const volumes = status.volumes.map((volume) => volumeLine(volume, memory) ?? `${volume.name}  waiting`);
  if (volumes.length > 0) lines.push('', 'Volumes:', ...volumes.map((line) => `  ${line}`));
  return [...lines, ...accountLines(status)];
}

/** What a person wants to know at the end: what moved, how long, how long the application was away, what was left and why. */
export function summaryLines(migration: Migration): string[] {
  const { status, metadata } = migration;
  const summary = succeeded(status);
  const lines = [`${metadata.name}: ${stateText(migration)}. ${summary?.message ?? ''}`.trimEnd()];
  if (status === undefined) return lines;
  const total = secondsBetween(status.startedAt, status.finishedAt);
  if (total !== undefined) lines.push(`  total time         ${durationText(total)}`);
  if (status.downtimeSeconds !== undefined) lines.push(`  without service    ${durationText(status.downtimeSeconds)}`);
  const bytes = status.volumes.reduce((sum, volume) => sum + (volume.rounds.at(-1)?.bytes ?? 0), 0);
  if (status.volumes.length > 0) lines.push(`  volumes            ${status.volumes.length}, ${bytesText(bytes)}`);
  if (status.storeBytes !== undefined) lines.push(`  in the store       ${bytesText(status.storeBytes)}`);
  if (status.sourceState !== undefined) lines.push(`  on the source      ${status.sourceState.toLowerCase()}`);
  if (status.targetState !== undefined) lines.push(`  on the target      ${status.targetState.toLowerCase()}`);
  return [...lines, ...accountLines(status)];
}

/** Every object is accounted for. */
function accountLines(status: MigrationStatus): string[] {
  const lines: string[] = [];
  const counts = Object.entries(status.objects).filter(([, number]) => number > 0);
  if (counts.length > 0) lines.push('', `Objects: ${counts.map(([result, number]) => `${number} ${result.toLowerCase()}`).join(', ')}`);
  if (status.failedObjects.length > 0) {
    lines.push('', 'Not carried:', ...status.failedObjects.map((one) => `  ${one.target}: ${one.reason}: ${one.message}`));
  }
  const notes = status.volumes.flatMap((volume) =>
    volume.notes.map((note) => `  ${volume.name}: ${note.path === '' ? '' : `${note.path}: `}${note.note}`),
  );
  if (notes.length > 0) lines.push('', `Noted in volumes: ${notes.length}`, ...notes.slice(0, 10));
  if (status.leftBehind.length > 0) {
    lines.push(
      '',
      'Left behind:',
      ...status.leftBehind.map((group) => `  ${String(group.count).padStart(4)}  ${group.rule}: ${group.reason}`),
    );
  }
  const loud = status.findings.filter((finding) => finding.severity === 'block' || finding.severity === 'warn');
  if (loud.length > 0) lines.push('', `${count(loud.length, 'finding')}:`, ...loud.flatMap(findingLines));
  return lines;
}

function findingLines({ severity, message, fix }: MigrationStatus['findings'][number]): string[] {
  return [`  ${severity.toUpperCase().padEnd(7)} ${message}`, ...(fix === undefined ? [] : [`          → ${fix}`])];
}

function succeeded(status: MigrationStatus | undefined): { status: string; reason: string; message: string } | undefined {
  return status?.conditions.find((condition) => condition.type === 'Succeeded');
}

function contextOf(cluster: string, contexts: Contexts): string {
  return contexts.get(cluster) ?? cluster;
}

function namespacesText(migration: Migration): string {
  const renamed = new Map(migration.spec.mapping.namespaces.map(({ from, to }) => [from, to]));
  return migration.spec.namespaces.map((name) => (renamed.has(name) ? `${name}→${renamed.get(name)}` : name)).join(',');
}

function ageText(created: string | undefined, now: Date): string {
  const seconds = secondsBetween(created, now.toISOString());
  if (seconds === undefined) return '';
  if (seconds < 120) return `${Math.round(seconds)}s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)}m`;
  return seconds < 172_800 ? `${Math.round(seconds / 3600)}h` : `${Math.round(seconds / 86_400)}d`;
}
