/** What a verb is given from outside: the terminal, the environment, the engine. Tests give their own. */
import type { Hub } from '../hub/hub.ts';
import type { reconcileMigration } from '../controllers/index.ts';
import type { planMigration, readCapture } from '../migration/index.ts';

/** The part of an output stream that we use. `isTTY` decides between a live view and plain lines. */
export interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

export interface Engine {
  reconcileMigration: typeof reconcileMigration;
  planMigration: typeof planMigration;
  readCapture: typeof readCapture;
}

export interface Surroundings {
  env: NodeJS.ProcessEnv;
  /** Results. */
  stdout: Output;
  /** Progress, questions, errors. */
  stderr: Output;
  /** True when a question can be answered. */
  interactive: boolean;
  /** Asks on stderr; resolves with the answer's line. */
  ask(question: string, signal: AbortSignal): Promise<string>;
  /** Calls back for each Ctrl-C (`SIGINT`) and each `SIGTERM`; returns how to stop listening. */
  onSignal(handler: (name: 'SIGINT' | 'SIGTERM') => void): () => void;
  openHub(path: string): Promise<Hub>;
  /** Loaded late: it is most of the program, and `--help` must be quick. */
  engine(): Promise<Engine>;
}
