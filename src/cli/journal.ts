/** The recorded events of a migration: one JSON line each, appended by whichever process runs it, read by `tranship logs`. */
import { appendFileSync, mkdirSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { MigrationEvent } from '../api/migration.ts';
import type { Journal } from '../migration/index.ts';

export function openJournal(path: string): Journal {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  return {
    // Synchronous: the last lines before a crash are the ones that are wanted.
    append(event) {
      appendFileSync(path, `${JSON.stringify(event)}\n`, { mode: 0o600 });
    },
  };
}

/**
 * The events so far, and with `follow` those to come until the signal aborts. A half-written last line is not returned before it is whole.
 * No file: no events.
 */
export async function* readJournal(path: string, options: { follow: boolean; signal: AbortSignal }): AsyncGenerator<MigrationEvent> {
  let offset = 0;
  let rest = Buffer.alloc(0);
  for (;;) {
    const chunk = await readFrom(path, offset);
    offset += chunk.length;
    rest = Buffer.concat([rest, chunk]);
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
      const event = parse(rest.subarray(0, end).toString('utf8'));
      rest = rest.subarray(end + 1);
      if (event !== undefined) yield event;
    }
    if (chunk.length > 0) continue;
    if (!options.follow || options.signal.aborted) return;
    await pause(300, undefined, { signal: options.signal }).catch(() => {});
  }
}

async function readFrom(path: string, offset: number): Promise<Buffer> {
  const file = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (file === undefined) return Buffer.alloc(0);
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(64 * 1024), 0, 64 * 1024, offset);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

/** A line that a killed process left broken is passed over: the log is for people. */
function parse(line: string): MigrationEvent | undefined {
  try {
    return JSON.parse(line) as MigrationEvent;
  } catch {
    return undefined;
  }
}
