/** What a person would want to show after the demo: what moved, how long it took, how long the shop was closed, what was left and why. */
import { homedir } from 'node:os';
import { join, relative } from 'node:path';
import type { Migration } from '../src/api/migration.ts';
import type { TestBed } from '../testbed/index.ts';
import type { Run } from './command.ts';
import type { Customer } from './customer.ts';
import type { Proof } from './prove.ts';
import { bold, dim, mib, say, seconds, showTable } from './show.ts';

export interface Summary {
  report: Migration;
  proof: Proof;
  customer: Customer;
  /** Parts of the demo in order, in ms. */
  times: readonly (readonly [string, number])[];
  run: Run;
  bed: TestBed;
  /** The clusters go on running. */
  stays: boolean;
}

export function showSummary(summary: Summary): void {
  const { report, proof, customer, times, run } = summary;
  const status = report.status;
  const volumes = status?.volumes ?? [];
  const rows = proof.source.database.tables.reduce((sum, table) => sum + table.rows, 0);
  const content = volumes.reduce((sum, volume) => sum + (volume.rounds.at(-1)?.bytes ?? 0), 0);
  say(
    `  ${bold('moved')}    namespace ${run.move.from} → ${run.move.to}: ${counts(status?.objects)}; ${volumes.length} volumes with ${mib(content)}`,
  );
  say(
    `           ${rows.toLocaleString('en-US')} rows, ${proof.source.files.length.toLocaleString('en-US')} files, a block device; ${mib(status?.storeBytes ?? 0)} in the store, encrypted`,
  );
  if (customer.lastOnSource !== undefined && customer.firstOnTarget !== undefined) {
    say(
      `  ${bold('closed')}   ${seconds(customer.firstOnTarget - customer.lastOnSource)} for the customer: from the last order on the source to the first on the target`,
    );
  }
  for (const [index, left] of (status?.leftBehind ?? []).entries()) {
    say(`  ${index === 0 ? bold('left') : '    '}     ${left.count} × ${left.rule}: ${left.reason}`);
  }
  say();
  const steps = (status?.steps ?? []).filter((step) => step.startedAt !== undefined && step.finishedAt !== undefined);
  if (steps.length > 0) {
    say(dim('  steps of the move'));
    showTable(steps.map((step) => [step.name, seconds(Date.parse(step.finishedAt ?? '') - Date.parse(step.startedAt ?? ''))] as const));
  }
  say(dim('  parts of this demo'));
  showTable(times.map(([what, ms]) => [what, seconds(ms)] as const));
  if (!summary.stays) return;
  say();
  say(`  look around   source ${shortPath(join(summary.bed.directory, 'env'))}`);
  say(`                ${shortPath(summary.bed.kubectl)} --context target -n ${run.move.to} get all`);
  if (proof.targetUrl !== undefined) say(`                curl ${proof.targetUrl}/`);
  say(`  go back       ./bin/tranship rollback ${run.name}`);
  say(`  end           make testbed-down`);
}

/** As a user in the checkout would type it. */
export function shortPath(path: string): string {
  const below = relative(join(import.meta.dirname, '..'), path);
  if (!below.startsWith('..')) return below;
  return path.startsWith(`${homedir()}/`) ? `~${path.slice(homedir().length)}` : path;
}

function counts(objects: Record<string, number> | undefined): string {
  const { LeftBehind: _left, Planned: _planned, ...outcomes } = objects ?? {};
  const shown = Object.entries(outcomes).filter(([, number]) => number > 0);
  return shown.length === 0 ? 'no objects' : `objects ${shown.map(([result, number]) => `${number} ${result.toLowerCase()}`).join(', ')}`;
}
