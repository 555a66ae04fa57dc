/** The story of `tranship logs`. */
import type { MigrationEvent } from '../api/migration.ts';
import { exitCodes } from './exit-codes.ts';
import { journalPath } from './hub-file.ts';
import { readJournal } from './journal.ts';
import { getMigration } from './stored.ts';
import type { Surroundings } from './surroundings.ts';
import type { LogsOptions } from './verbs/logs.ts';
import { withHub } from './with-hub.ts';

export async function printLogs(surroundings: Surroundings, name: string, options: LogsOptions): Promise<number> {
  return await withHub(surroundings, options, async (hub, hubFile) => {
    await getMigration(hub, name);
    const stop = new AbortController();
    const quiet = surroundings.onSignal(() => stop.abort());
    try {
      for await (const event of readJournal(journalPath(hubFile, name), { follow: options.follow === true, signal: stop.signal })) {
        surroundings.stdout.write(`${options.output === 'json' ? JSON.stringify(event) : eventLine(event)}\n`);
      }
    } finally {
      quiet();
    }
    return exitCodes.ok;
  });
}

function eventLine(event: MigrationEvent): string {
  const where = [event.step, event.volume].filter((part) => part !== undefined).join(' ');
  const level = event.level === 'info' ? '' : `${event.level.toUpperCase()} `;
  return `${event.time}  ${level}${where === '' ? '' : `[${where}] `}${event.message}`;
}
