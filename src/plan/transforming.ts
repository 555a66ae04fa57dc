/** The user's transforms in a plan: applied to what the mapping has made of an object, noted as changes, and told when they miss or can't be done. */
import { byText } from '../api/fields.ts';
import type { Finding } from '../api/finding.ts';
import type { PlanStep } from '../api/plan.ts';
import type { Transform, TransformReport } from '../api/transform.ts';
import { noteChange, type Draft } from './draft.ts';
import { transformObject } from './transform/transform.ts';

export interface Transforming {
  transforms: readonly Transform[];
  /** By the place in the list, as two may have one name. */
  reports: TransformReport[];
}

export function transforming(transforms: readonly Transform[]): Transforming {
  return { transforms, reports: transforms.map(({ name }) => ({ name, objects: 0, changes: 0 })) };
}

/** Applies them to one draft. `changed` says whether what was decided from the manifest before has to be looked at again. */
export function transformDraft(draft: Draft, { transforms, reports }: Transforming): { changed: boolean; findings: Finding[] } {
  if (transforms.length === 0) return { changed: false, findings: [] };
  const { group, version, resource } = draft.captured.resource;
  const { name, namespace } = draft.origin;
  const { object, results, problem } = transformObject(draft.manifest, { group, version, resource, name, namespace }, transforms);
  draft.manifest = object;
  let changed = false;
  for (const { index, transform, operations } of results) {
    const report = reports[index];
    if (report === undefined) continue;
    report.objects += 1;
    for (const { path, from, to } of operations.flatMap((operation) => operation.changes)) {
      report.changes += 1;
      changed = true;
      noteChange(draft, `Transform ${transform}`, path, from, to);
    }
  }
  if (problem === undefined) return { changed, findings: [] };
  const finding: Finding = {
    id: 'TransformFailed',
    severity: 'block',
    subject: draft.origin,
    message: `Transform "${problem.transform}" can't do ${problem.operation}: ${problem.reason}.`,
    fix: 'Correct it, narrow its subject, or put a test before it; "tranship transform test" tries it.',
    proof: 'read',
  };
  return { changed, findings: [finding] };
}

/** A transform that means nothing is most often a typing error. */
export function unusedTransforms({ reports }: Transforming): Finding[] {
  return reports.flatMap(({ name, objects, changes }): Finding[] => {
    if (objects > 0 && changes > 0) return [];
    const finding = { id: objects === 0 ? 'TransformUnused' : 'TransformWithoutEffect', proof: 'read' as const };
    if (objects > 0)
      return [{ ...finding, severity: 'info', message: `Transform "${name}" fits ${objects} objects and changes none of them.` }];
    const fix =
      'Compare its subject with the objects of the move: resource is in the plural, names and namespaces are those of the source.';
    return [{ ...finding, severity: 'warn', message: `Transform "${name}" fits no object.`, fix }];
  });
}

/** Two objects that a transform has given one name. */
export function nameCollisions(steps: readonly PlanStep[]): Finding[] {
  return [...Map.groupBy(steps, ({ id }) => id)]
    .filter(([, group]) => group.length > 1)
    .toSorted(([a], [b]) => byText(a, b))
    .map(([id, group]) => ({
      id: 'TransformCollision',
      severity: 'block',
      ...(group[0] !== undefined && { subject: group[0].target }),
      message: `${group.map(({ origin }) => origin.name).join(' and ')} would both become ${id}.`,
      fix: 'Give each its own name.',
      proof: 'read',
    }));
}
