/** Opens the embedded hub for the time of one verb. */
import type { Hub } from '../hub/index.ts';
import { hubPath } from './hub-file.ts';
import type { Surroundings } from './surroundings.ts';
import type { GlobalOptions } from './verb.ts';

export async function withHub<Result>(
  surroundings: Surroundings,
  options: GlobalOptions,
  work: (hub: Hub, hubFile: string) => Promise<Result>,
): Promise<Result> {
  const hubFile = hubPath(options.hub, surroundings.env);
  const hub = await surroundings.openHub(hubFile);
  try {
    return await work(hub, hubFile);
  } finally {
    await hub.close();
  }
}
