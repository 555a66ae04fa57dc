/** Where the embedded hub lies, and what lies beside it. */
import { dirname, join, resolve } from 'node:path';
import { defaultHubFile } from '../hub/index.ts';

/** `--hub`, else TRANSHIP_HUB, else the user's state directory. */
export function hubPath(flag: string | undefined, env: NodeJS.ProcessEnv): string {
  return resolve(flag ?? defaultHubFile(env));
}

/** The recorded events of one migration: JSON lines. */
export function journalPath(hub: string, migration: string): string {
  return join(dirname(hub), 'logs', `${migration}.jsonl`);
}
