/**
 * Shows a migration while it runs. On a terminal: finished steps scroll up, the running step and its volumes stay at the end. Elsewhere: one
 * line per change, and one per volume every few seconds, so that a log of CI stays readable.
 */
import type { Migration, StepStatus } from '../../api/migration.ts';
import type { Output } from '../surroundings.ts';
import { LiveBlock } from './block.ts';
import { stepLine, stepTitle } from './step-line.ts';
import { PercentMemory, volumeLine } from './volume-line.ts';

export interface ProgressView {
  /** What was so before: it is not told again. */
  known(migration: Migration): void;
  show(migration: Migration): void;
  /** A line of its own: a warning, a note about Ctrl-C. */
  print(line: string): void;
  close(): void;
}

const quietMs = 5_000;

/** While these run, something happens to the volumes. */
const volumeSteps: ReadonlySet<StepStatus['name']> = new Set(['Seed', 'FinalSync', 'Verify', 'Rebind']);

export function progressView(output: Output, clock: () => number = Date.now): ProgressView {
  return output.isTTY === true ? new TerminalView(output) : new LineView(output, clock);
}

/** Steps that ended since the last look. */
class StepMemory {
  readonly #told = new Map<string, string>();

  changed(migration: Migration): StepStatus[] {
    const steps = migration.status?.steps ?? [];
    return steps.filter((step) => {
      const key = `${step.state} ${step.attempts}`;
      if (this.#told.get(step.name) === key) return false;
      this.#told.set(step.name, key);
      return step.state !== 'Pending';
    });
  }
}

class TerminalView implements ProgressView {
  readonly #block: LiveBlock;
  readonly #steps = new StepMemory();
  readonly #percents = new PercentMemory();
  readonly #timer: NodeJS.Timeout;
  #last: Migration | undefined;

  constructor(output: Output) {
    this.#block = new LiveBlock(output);
    // Times of running steps go on between two changes of the status.
    this.#timer = setInterval(() => this.#draw(), 1000);
    this.#timer.unref();
  }

  known(migration: Migration): void {
    this.#steps.changed(migration);
  }

  show(migration: Migration): void {
    this.#last = migration;
    // The block first: a finished step must not be printed above itself, still running.
    this.#draw();
    for (const step of this.#steps.changed(migration)) {
      if (step.state !== 'Running') this.#block.print(stepLine(step, new Date().toISOString()));
    }
  }

  print(line: string): void {
    this.#block.print(line);
  }

  close(): void {
    clearInterval(this.#timer);
    this.#block.close();
  }

  #draw(): void {
    const status = this.#last?.status;
    if (status === undefined) return;
    const running = status.steps.filter((step) => step.state === 'Running');
    const volumes = running.some((step) => volumeSteps.has(step.name)) ? status.volumes : [];
    const lines = volumes.map((volume) => volumeLine(volume, this.#percents)).filter((line) => line !== undefined);
    this.#block.show([...running.map((step) => stepLine(step, new Date().toISOString())), ...lines.map((line) => `    ${line}`)]);
  }
}

class LineView implements ProgressView {
  readonly #output: Output;
  readonly #clock: () => number;
  readonly #steps = new StepMemory();
  readonly #percents = new PercentMemory();
  readonly #volumes = new Map<string, { state: string; at: number }>();

  constructor(output: Output, clock: () => number) {
    this.#output = output;
    this.#clock = clock;
  }

  known(migration: Migration): void {
    this.#steps.changed(migration);
  }

  show(migration: Migration): void {
    for (const step of this.#steps.changed(migration)) {
      this.print(step.state === 'Running' ? `… ${stepTitle(step.name)}` : stepLine(step, new Date().toISOString()));
    }
    const { steps = [], volumes = [] } = migration.status ?? {};
    if (!steps.some((step) => step.state === 'Running' && volumeSteps.has(step.name))) return;
    for (const volume of volumes) {
      const line = volumeLine(volume, this.#percents);
      const told = this.#volumes.get(volume.name);
      const moving = volume.state === 'CopyingOut' || volume.state === 'CopyingIn';
      const due = told === undefined || told.state !== volume.state || (moving && this.#clock() - told.at >= quietMs);
      if (line === undefined || !due) continue;
      this.#volumes.set(volume.name, { state: volume.state, at: this.#clock() });
      this.print(`    ${line}`);
    }
  }

  print(line: string): void {
    this.#output.write(`${line}\n`);
  }

  close(): void {}
}
