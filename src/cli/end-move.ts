/** The stories of `cancel` and `rollback`: write the wish into the spec, then run the engine until it is carried out. */
import type { Migration } from '../api/migration.ts';
import { TranshipError } from '../errors.ts';
import { drive } from './drive.ts';
import { exitCodeOfMigration, exitCodes } from './exit-codes.ts';
import { ask, present } from './migrate-move.ts';
import type { OutputFormat } from './options/output.ts';
import { changeSpec, endingOf, getMigration } from './stored.ts';
import type { Surroundings } from './surroundings.ts';
import type { GlobalOptions } from './verb.ts';
import type { RollbackOptions } from './verbs/rollback.ts';
import { withHub } from './with-hub.ts';

export async function cancelMove(
  surroundings: Surroundings,
  name: string,
  options: GlobalOptions & { output: OutputFormat },
): Promise<number> {
  return await withHub(surroundings, options, async (hub, hubFile) => {
    const before = await getMigration(hub, name);
    const { finished, reason } = endingOf(before);
    if (finished && reason !== 'Canceled') {
      throw new TranshipError('InvalidInput', `The migration "${name}" has ended (${reason}), so there is nothing to cancel.`, {
        hint: `"tranship rollback ${name}" takes a finished move back.`,
      });
    }
    if (!finished && before.status?.targetState !== undefined) {
      throw new TranshipError(
        'InvalidInput',
        `The migration "${name}" has started the application on the target; cancelling would destroy what it wrote there.`,
        {
          hint: `"tranship rollback ${name}" stops it there and starts it on the source; "tranship resume ${name}" finishes the move.`,
        },
      );
    }
    if (!finished) {
      await changeSpec(hub, name, (spec) => {
        spec.cancel = true;
      });
    }
    const migration = finished ? before : await drive(surroundings, { hub, hubFile, name, verbose: options.verbose === true });
    return expected(migration, 'Canceled', present(surroundings, migration, options.output));
  });
}

export async function rollBackMove(surroundings: Surroundings, name: string, options: RollbackOptions): Promise<number> {
  return await withHub(surroundings, options, async (hub, hubFile) => {
    const before = await getMigration(hub, name);
    const { reason } = endingOf(before);
    if (reason === 'RolledBack') return expected(before, 'RolledBack', present(surroundings, before, options.output));
    if (before.status?.targetState !== 'Running' && before.status?.activatedAt === undefined && !before.spec.rollback) {
      throw new TranshipError(
        'InvalidInput',
        `The migration "${name}" has not started the application on the target, so there is nothing to roll back.`,
        {
          hint: `"tranship cancel ${name}" undoes what it began.`,
        },
      );
    }
    if (options.yes !== true) {
      if (!surroundings.interactive) {
        throw new TranshipError('InvalidInput', 'rollback asks before it begins, and there is no terminal to ask on.', {
          hint: 'Add --yes to agree beforehand.',
        });
      }
      const question = `Stop the application on the target and start it on the source? What was written since the move is not carried back. [y/N] `;
      if (!(await ask(surroundings, question))) {
        surroundings.stderr.write('Nothing was changed.\n');
        return exitCodes.ok;
      }
    }
    await changeSpec(hub, name, (spec) => {
      spec.rollback = true;
    });
    const migration = await drive(surroundings, { hub, hubFile, name, verbose: options.verbose === true });
    return expected(migration, 'RolledBack', present(surroundings, migration, options.output));
  });
}

/** What the user asked for is success here, although the move itself did not take place. */
function expected(migration: Migration, reason: string, code: number): number {
  if (endingOf(migration).reason === reason) return exitCodes.ok;
  return code === exitCodes.ok ? exitCodes.failed : code === exitCodes.undone ? exitCodes.ok : exitCodeOfMigration(migration);
}
