/** The story of `tranship resume`. */
import { TranshipError } from '../errors.ts';
import { drive } from './drive.ts';
import { present } from './migrate-move.ts';
import type { OutputFormat } from './options/output.ts';
import { endingOf, getMigration } from './stored.ts';
import type { Surroundings } from './surroundings.ts';
import type { GlobalOptions } from './verb.ts';
import { withHub } from './with-hub.ts';

export async function resumeMove(
  surroundings: Surroundings,
  name: string,
  options: GlobalOptions & { output: OutputFormat },
): Promise<number> {
  return await withHub(surroundings, options, async (hub, hubFile) => {
    const before = await getMigration(hub, name);
    const { finished, reason } = endingOf(before);
    if (finished && reason !== undefined && (reason === 'Canceled' || reason === 'RolledBack')) {
      throw new TranshipError(
        'InvalidInput',
        `The migration "${name}" was ${reason === 'Canceled' ? 'cancelled' : 'rolled back'}; there is nothing to go on with.`,
        {
          hint: '"tranship migrate" with another --name begins a new one.',
        },
      );
    }
    if (finished && !before.spec.rollback) {
      surroundings.stderr.write(`The migration "${name}" has already succeeded.\n`);
      return present(surroundings, before, options.output);
    }
    const migration = await drive(surroundings, { hub, hubFile, name, verbose: options.verbose === true });
    return present(surroundings, migration, options.output);
  });
}
