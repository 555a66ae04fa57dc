/** Removes what is ours on both clusters, and leaves the report in the archive. */
import { sweep } from '../../volumes/index.ts';
import { markOf } from '../mark.ts';
import { writeSection } from '../sections.ts';
import { bytesText, count } from '../../quantity-text.ts';
import type { Run } from '../state.ts';

const goneMs = 180_000;

export async function cleanUp(run: Run): Promise<string> {
  const mark = markOf(run.migration);
  if (run.outcomes.size > 0) await writeSection(run, 'outcomes', [...run.outcomes.values()]);
  await Promise.all([run.source, run.target].map((client) => sweep(client, mark, { timeoutMs: goneMs, signal: run.signal })));
  const { objects, bytes } = await run.archive.usage();
  run.status.storeBytes = bytes;
  return `nothing of ours is left on the clusters; the archive holds ${bytesText(bytes)} in ${count(objects, 'object')}`;
}
