/** The surroundings of a real call: this process and its terminal. What is heavy is loaded when a verb needs it. */
import type { Surroundings } from './surroundings.ts';

export function processSurroundings(): Surroundings {
  // A reader that went away (`tranship status | head`) is no error of ours.
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
    });
  }
  return {
    env: process.env,
    stdout: process.stdout,
    stderr: process.stderr,
    interactive: process.stdin.isTTY && process.stderr.isTTY,
    async ask(question, signal) {
      const { createInterface } = await import('node:readline/promises');
      const reader = createInterface({ input: process.stdin, output: process.stderr });
      // readline takes Ctrl-C for itself; here it means no.
      reader.on('SIGINT', () => reader.close());
      const closed = new Promise<string>((resolve) => reader.once('close', () => resolve('')));
      try {
        return await Promise.race([reader.question(question, { signal }), closed]);
      } finally {
        reader.close();
      }
    },
    onSignal(handler) {
      let heard = 0;
      const listen = (name: NodeJS.Signals) => {
        heard += 1;
        if (heard > 2) {
          // Something does not listen to its AbortSignal; the user must get the terminal back all the same.
          stop();
          process.kill(process.pid, name);
        } else if (name === 'SIGINT' || name === 'SIGTERM') handler(name);
      };
      const stop = () => {
        process.off('SIGINT', listen).off('SIGTERM', listen);
      };
      process.on('SIGINT', listen).on('SIGTERM', listen);
      return stop;
    },
    async openHub(file) {
      const { openEmbeddedHub } = await import('../hub/index.ts');
      return openEmbeddedHub({ file });
    },
    engine: async () => {
      const [{ reconcileMigration }, { planMigration, readCapture }] = await Promise.all([
        import('../controllers/index.ts'),
        import('../migration/index.ts'),
      ]);
      return { reconcileMigration, planMigration, readCapture };
    },
  };
}
