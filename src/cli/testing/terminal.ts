/** A terminal that takes what is written, for tests of the verbs. */
import { openEmbeddedHub } from '../../hub/index.ts';
import { runCli } from '../run.ts';
import type { Engine, Surroundings } from '../surroundings.ts';

export interface Call {
  code: number;
  stdout: string;
  stderr: string;
}

export interface Terminal {
  /** Calls the CLI with the hub of this terminal. */
  tranship: (...args: string[]) => Promise<Call>;
  /** Ctrl-C, or a SIGTERM. */
  send: (signal: 'SIGINT' | 'SIGTERM') => void;
}

export interface TerminalOptions {
  hubFile: string;
  engine: Engine;
  /** Given: a person is there, and answers so. */
  answer?: string;
  env?: NodeJS.ProcessEnv;
}

export function terminal(options: TerminalOptions): Terminal {
  const handlers = new Set<(name: 'SIGINT' | 'SIGTERM') => void>();
  return {
    async tranship(...args) {
      let stdout = '';
      let stderr = '';
      const surroundings: Surroundings = {
        env: options.env ?? { KUBECONFIG: '/nowhere/config' },
        stdout: { write: (text) => (stdout += text) },
        stderr: { write: (text) => (stderr += text) },
        interactive: options.answer !== undefined,
        ask: async (question) => {
          stderr += question;
          return options.answer ?? '';
        },
        onSignal(handler) {
          handlers.add(handler);
          return () => handlers.delete(handler);
        },
        openHub: async (file) => openEmbeddedHub({ file }),
        engine: async () => options.engine,
      };
      const code = await runCli(['--hub', options.hubFile, ...args], surroundings);
      return { code, stdout, stderr };
    },
    send(signal) {
      for (const handler of handlers) handler(signal);
    },
  };
}
