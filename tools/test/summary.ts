/** The end of `make test`: what ran, what failed, what was skipped and why, and the counts in a last line for scripts. */
import type { Skip, StageOutcome } from './outcome.ts';

export function summary(stages: readonly StageOutcome[]): string[] {
  const rows = stages.map((stage) => [
    stage.stage,
    String(stage.passed),
    String(stage.failures.length),
    String(stage.skips.length),
    `${stage.seconds.toFixed(1)} s`,
  ]);
  const lines = ['', ...table(['stage', 'passed', 'failed', 'skipped', 'time'], rows)];

  const skips = stages.flatMap((stage) => stage.skips);
  if (skips.length > 0) lines.push('', 'Skipped, and why:', ...byReason(skips));
  const failures = stages.flatMap((stage) => stage.failures);
  if (failures.length > 0)
    lines.push('', 'Failed:', ...failures.flatMap((failure) => [`  ✗ ${failure.name}`, ...firstLines(failure.text)]));

  const passed = stages.reduce((sum, stage) => sum + stage.passed, 0);
  lines.push('', `${passed} passed, ${failures.length} failed, ${skips.length} skipped`);
  return lines;
}

/** One entry per reason, with the names below it. */
function byReason(skips: readonly Skip[]): string[] {
  const groups = Map.groupBy(skips, (skip) => skip.reason);
  return [...groups].flatMap(([reason, members]) => [
    `  ${reason}`,
    ...members.slice(0, 5).map((skip) => `    - ${skip.name}`),
    ...(members.length > 5 ? [`    - and ${members.length - 5} more`] : []),
  ]);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  return all.map((row) =>
    row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0))).join('   '),
  );
}

/** Enough to see the cause in a log of which only the end was kept. */
function firstLines(text: string): string[] {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .slice(0, 12)
    .map((line) => `      ${line}`);
}
