/** What is too big for a status goes to the archive as sections. The status says which one is in force. */
import { randomBytes } from 'node:crypto';
import type { Captured } from '../api/captured.ts';
import type { Json } from '../api/object.ts';
import type { Plan } from '../api/plan.ts';
import { TranshipError } from '../errors.ts';
import type { Run } from './state.ts';

/** Sections are written once, so every write gets a new name. */
export async function writeSection(run: Run, name: 'captured' | 'plan' | 'outcomes', content: unknown): Promise<void> {
  const section = `${name}-${randomBytes(4).toString('hex')}`;
  await run.archive.writeSection(point(run), section, content as Json);
  run.status.sections[name] = section;
}

async function readSection(run: Run, name: string): Promise<unknown> {
  const section = run.status.sections[name];
  if (section === undefined) throw new TranshipError('Internal', `No section "${name}" has been written yet.`);
  return await run.archive.readSection(point(run), section);
}

export async function theCapture(run: Run): Promise<Captured> {
  run.captured ??= (await readSection(run, 'captured')) as Captured;
  return run.captured;
}

export async function thePlan(run: Run): Promise<Plan> {
  run.plan ??= (await readSection(run, 'plan')) as Plan;
  return run.plan;
}

/** The restore point that this migration makes. */
export function point(run: Run): string {
  return run.migration.metadata.name;
}
