/** A plan as text for people: what moves, what changes, what stays, what to know. JSON is the plan itself. */
import { refText } from '../api/object.ts';
import { count } from '../quantity-text.ts';
import type { Plan } from '../api/plan.ts';

const GIB = 1024 ** 3;

/** Text of a plan, about one screen; `changes: true` adds what is changed in each object. Never holds values of Secrets. */
export function renderPlan(plan: Plan, options: { changes?: boolean } = {}): string {
  const lines = [`Plan: ${plan.source.name} → ${plan.target.name}`];
  for (const { source, target } of plan.namespaces) lines.push(`  namespace ${source}${source === target ? '' : ` → ${target}`}`);
  lines.push(...objects(plan), ...volumes(plan), ...transforms(plan));
  if (options.changes === true) lines.push(...changes(plan));
  lines.push(...leftBehind(plan), ...findings(plan));
  return `${lines.join('\n')}\n`;
}

function counted(names: readonly string[]): string {
  const counts = Map.groupBy(names, (name) => name);
  return [...counts].map(([name, all]) => (all.length === 1 ? name : `${all.length} × ${name}`)).join(', ');
}

function objects(plan: Plan): string[] {
  const lines: string[] = [];
  for (const phase of ['Prepare', 'Activate'] as const) {
    const steps = plan.steps.filter((step) => step.phase === phase);
    const when = phase === 'Prepare' ? 'while the application runs on the source' : 'after the final copy';
    lines.push('', `Objects, ${when} (${steps.length}):`);
    for (const [action, group] of Map.groupBy(steps, (step) => step.action)) {
      const verb = action === 'Exists' ? 'Left as on the target' : action;
      lines.push(`  ${verb}: ${counted(group.map((step) => step.target.kind))}`);
    }
  }
  return lines;
}

function volumes(plan: Plan): string[] {
  if (plan.volumes.length === 0) return [];
  const lines = ['', `Volumes (${plan.volumes.length}):`];
  for (const { source, targetNamespace, targetClaim, targetStorageClass, read, snapshotClass } of plan.volumes) {
    const size = `${(source.capacityBytes / GIB).toFixed(source.capacityBytes < GIB ? 2 : 0)} GiB`;
    const how = read === 'Live' ? 'read live' : `snapshot by ${snapshotClass ?? '?'}`;
    const classes = `${source.storageClass ?? '(no class)'} → ${targetStorageClass ?? '(default)'}`;
    lines.push(`  ${source.namespace}/${source.claim} → ${targetNamespace}/${targetClaim}  ${size} ${source.mode}, ${classes}, ${how}`);
  }
  return lines;
}

function transforms(plan: Plan): string[] {
  const all = plan.transforms ?? [];
  if (all.length === 0) return [];
  return [
    '',
    `Transforms (${all.length}):`,
    ...all.map((each) => `  ${each.name}: ${count(each.objects, 'object')}, ${count(each.changes, 'change')}`),
  ];
}

/** Removed server fields are the same in every object; only what a person chose or would miss is worth a line. */
const ROUTINE: ReadonlySet<string> = new Set([
  'ServerMetadata',
  'Status',
  'AggregatedRules',
  'ClusterIP',
  'IPFamilies',
  'ClaimBinding',
  'ControllerAnnotation',
  'ControllerFinalizer',
  'NamespaceFinalizers',
]);

function changes(plan: Plan): string[] {
  const lines = ['', 'Changes:'];
  const shown = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value));
  for (const step of plan.steps) {
    for (const { rule, path, from, to } of step.changes) {
      if (ROUTINE.has(rule) || path === '/metadata/namespace') continue;
      const values =
        from === undefined && to === undefined
          ? ''
          : `: ${from === undefined ? '' : shown(from)} → ${to === undefined ? '(removed)' : shown(to)}`;
      lines.push(`  ${step.id} ${path} [${rule}]${values}`);
    }
  }
  return lines;
}

function leftBehind(plan: Plan): string[] {
  if (plan.omitted.length === 0) return [];
  const lines = ['', `Left behind (${plan.omitted.length}):`];
  for (const [rule, group] of Map.groupBy(plan.omitted, (each) => each.rule)) {
    const names = group.slice(0, 3).map((each) => refText(each.ref));
    lines.push(`  ${rule}: ${names.join(', ')}${group.length > 3 ? `, and ${group.length - 3} more` : ''} — ${group[0]?.reason ?? ''}`);
  }
  return lines;
}

function findings(plan: Plan): string[] {
  const lines: string[] = [];
  for (const severity of ['block', 'unknown', 'warn', 'info'] as const) {
    for (const finding of plan.findings.filter((each) => each.severity === severity)) {
      const subject = finding.subject === undefined ? '' : `${refText(finding.subject)}: `;
      lines.push(
        `  ${severity.toUpperCase().padEnd(7)} ${finding.id}  ${subject}${finding.message}${finding.fix === undefined ? '' : ` → ${finding.fix}`}`,
      );
    }
  }
  const blocks = plan.findings.filter((each) => each.severity === 'block').length;
  const verdict =
    blocks === 0
      ? 'Nothing stands against the move.'
      : `${blocks} ${blocks === 1 ? 'finding blocks' : 'findings block'} the move; nothing will be changed.`;
  return lines.length === 0 ? ['', verdict] : ['', `Findings (${lines.length}):`, ...lines, '', verdict];
}
