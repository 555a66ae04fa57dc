/** Makes the plan and stops when something stands against it. Nothing is changed. */
import type { Captured } from '../../api/captured.ts';
import type { Finding } from '../../api/finding.ts';
import type { MigrationSpec, VolumeStatus } from '../../api/migration.ts';
import type { Plan, PlannedVolume } from '../../api/plan.ts';
import { readSurface } from '../../capture/index.ts';
import { TranshipError } from '../../errors.ts';
import type { KubeClient } from '../../kube/index.ts';
import { makePlan } from '../../plan/index.ts';
import { rulesWith } from '../../rules/index.ts';
import { markOf } from '../mark.ts';
import { namespaceMap, planMapping, readOptions } from '../mapping.ts';
import { theCapture, writeSection } from '../sections.ts';
import { count } from '../../quantity-text.ts';
import { nameOf, type Run } from '../state.ts';

const shownFindings = 30;

export async function planStep(run: Run): Promise<string> {
  await planNow(run);
  const { steps, volumes, findings } = run.plan ?? { steps: [], volumes: [], findings: [] };
  return `${count(steps.length, 'object')} and ${count(volumes.length, 'volume')} to write, ${count(findings.length, 'finding')}`;
}

/** @throws Blocked naming every blocking finding with its cure */
export async function planNow(run: Run): Promise<void> {
  const captured = await theCapture(run);
  const plan = await planFor(run, captured);
  const { status } = run;
  status.findings = plan.findings.slice(0, shownFindings).map((finding) => ({ ...finding }));
  status.findingCounts = Object.fromEntries(
    [...Map.groupBy(plan.findings, (finding) => finding.severity)].map(([severity, list]) => [severity, list.length]),
  );
  status.objects['Planned'] = plan.steps.length;
  const before = new Map(status.volumes.map((volume) => [volume.name, volume]));
  status.volumes = plan.volumes.map((volume) => before.get(nameOf(volume)) ?? newVolume(volume));
  refuseBlocked(plan.findings);
  await writeSection(run, 'plan', plan);
  run.plan = plan;
  await run.save();
}

async function planFor(run: Run, captured: Captured): Promise<Plan> {
  return await planOf(run.source, run.target, captured, run.migration.spec, markOf(run.migration), run.signal);
}

/** The plan for a captured application, from what both clusters say now. */
export async function planOf(
  source: KubeClient,
  target: KubeClient,
  captured: Captured,
  spec: MigrationSpec,
  migration: string,
  signal: AbortSignal,
): Promise<Plan> {
  const targets = [...namespaceMap(spec).values()];
  const [sourceSurface, targetSurface] = await Promise.all([
    readSurface(source, { namespaces: spec.namespaces, captured, signal }),
    readSurface(target, { namespaces: targets, captured, signal }),
  ]);
  return makePlan({
    captured,
    source: sourceSurface,
    target: targetSurface,
    mapping: planMapping(spec),
    transforms: spec.transforms,
    rules: rulesWith(spec.kindRules),
    options: { migration, read: readOptions(spec) },
  });
}

/** @throws Blocked */
export function refuseBlocked(findings: readonly Finding[]): void {
  const blocks = findings.filter((finding) => finding.severity === 'block');
  if (blocks.length === 0) return;
  const lines = blocks.map((finding) => (finding.fix === undefined ? finding.message : `${finding.message} ${finding.fix}`));
  throw new TranshipError(
    'Blocked',
    lines.length === 1 ? (lines[0] ?? '') : `${lines.length} things stand against this plan:\n- ${lines.join('\n- ')}`,
    { details: blocks },
  );
}

function newVolume(volume: PlannedVolume): VolumeStatus {
  return {
    name: nameOf(volume),
    target: `${volume.targetNamespace}/${volume.targetClaim}`,
    mode: volume.source.mode,
    capacityBytes: volume.source.capacityBytes,
    state: 'Pending',
    rounds: [],
    begun: [],
    notes: [],
  };
}
