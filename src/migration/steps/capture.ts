/** Reads the application's objects. Nothing is changed. */
import { capture } from '../../capture/index.ts';
import { rulesWith } from '../../rules/index.ts';
import { writeSection } from '../sections.ts';
import { count } from '../../quantity-text.ts';
import type { Run } from '../state.ts';

export async function captureStep(run: Run): Promise<string> {
  await captureNow(run);
  const { objects, volumes, leftBehind } = run.captured ?? { objects: [], volumes: [], leftBehind: [] };
  return `${count(objects.length, 'object')} and ${count(volumes.length, 'volume')} belong to the application, ${count(leftBehind.length, 'object')} stay behind`;
}

/** Captures and keeps it in the archive; also called again just before the freeze. */
export async function captureNow(run: Run): Promise<void> {
  // Objects are read in a version that the target serves too, where there is one.
  const { resources } = await run.target.discover({ signal: run.signal });
  const captured = await capture(run.source, {
    namespaces: run.migration.spec.namespaces,
    rules: rulesWith(run.migration.spec.kindRules),
    target: resources,
    signal: run.signal,
  });
  await writeSection(run, 'captured', captured);
  run.captured = captured;
  // Our own movers stand in the namespace by now; nobody misses them.
  const theirs = captured.leftBehind.filter((left) => left.rule !== 'OursForStaging');
  const groups = Map.groupBy(theirs, (left) => left.rule);
  run.status.leftBehind = [...groups].map(([rule, left]) => ({
    rule,
    count: left.length,
    reason: left[0]?.reason ?? '',
    examples: left.slice(0, 3).map(({ ref }) => `${ref.kind} ${ref.namespace === undefined ? '' : `${ref.namespace}/`}${ref.name}`),
  }));
  await run.save();
}
