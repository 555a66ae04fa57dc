/** One step of a migration as a line. */
import type { StepStatus } from '../../api/migration.ts';
import { durationText, secondsBetween } from '../../quantity-text.ts';

/** What each step does, for people who see it for the first time. */
const titles: Readonly<Record<StepStatus['name'], string>> = {
  Connect: 'Connect to both clusters and the store',
  Capture: 'Read the application',
  Plan: 'Plan the move',
  Prepare: 'Prepare the target',
  Seed: 'Copy volumes while the application runs',
  Freeze: 'Stop the application on the source',
  FinalSync: 'Copy what changed since',
  Verify: 'Verify the data',
  Rebind: 'Bind the volumes on the target',
  Activate: 'Start the application on the target',
  CleanUp: 'Clean up',
  Undo: 'Undo',
  Rollback: 'Roll back to the source',
};

const marks: Readonly<Record<StepStatus['state'], string>> = { Pending: ' ', Running: '…', Done: '✓', Failed: '✗', Skipped: '-' };

export function stepTitle(name: StepStatus['name']): string {
  return titles[name];
}

/** @param now RFC 3339, for the time of a step that runs */
export function stepLine(step: StepStatus, now: string): string {
  const seconds = secondsBetween(step.startedAt, step.state === 'Running' ? now : step.finishedAt);
  const time = seconds === undefined ? '' : `  ${durationText(seconds)}`;
  const message = step.message === undefined ? '' : `: ${step.message}`;
  return `${marks[step.state]} ${titles[step.name]}${message}${time}`;
}
