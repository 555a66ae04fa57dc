/**
 * `make test`: checks, unit tests, tests on two API servers, tests on two real clusters. Says at the end what ran and what was
 * skipped and why. Exit code 0 only when nothing failed.
 *
 * Usage: tools/node tools/test.ts [--only STAGE,STAGE…] [PART-OF-A-FILE-NAME]
 */
import { parseArgs } from 'node:util';
import { checks, runCheck } from './test/checks.ts';
import { twoLightClusters, twoNodeClusters, type Ground } from './test/clusters.ts';
import { nothing, type Outcome, type StageOutcome } from './test/outcome.ts';
import { filesOf, runSuite, suites, type Suite } from './test/suites.ts';
import { summary } from './test/summary.ts';

const names = [...checks.map((check) => check.name), ...suites.map((suite) => suite.name)];
const { only, filter } = readArguments();
const stop = new AbortController();
const print = (line: string) => console.log(line);
const done: StageOutcome[] = [];

for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.on(name, () => {
    if (!stop.signal.aborted) print(`\n${name}: stopping, and ending what was started …`);
    stop.abort();
  });
}

for (const check of checks) {
  // A filter speaks of test files; the checks have none.
  if (only.has(check.name) && filter === undefined) await stage(check.name, () => runCheck(check, stop.signal, print));
}
for (const suite of suites) {
  const files = only.has(suite.name) ? filesOf(suite.name, filter) : [];
  if (files.length > 0) await stage(suite.name, () => runOnGround(suite, files));
}

for (const line of summary(done)) print(line);
process.exitCode = stop.signal.aborted ? 130 : done.some((one) => one.failures.length > 0) || done.length === 0 ? 1 : 0;

async function stage(name: string, run: () => Promise<Outcome>): Promise<void> {
  if (stop.signal.aborted) return;
  print(`── ${name}`);
  const started = performance.now();
  const outcome = await run();
  const seconds = (performance.now() - started) / 1000;
  done.push({ stage: name, seconds, ...outcome });
  if (outcome.failures.length === 0) print(`  ✓ ${name} ${seconds.toFixed(1)} s`);
}

async function runOnGround(suite: Suite, files: string[]): Promise<Outcome> {
  const outcome = nothing();
  const ground = await prepare(suite.name);
  if (ground.state === 'cannot') {
    print(`  SKIPPED: ${ground.reason}`);
    outcome.skips.push(...files.map((file) => ({ name: file, reason: ground.reason })));
    return outcome;
  }
  if (ground.state === 'failed') {
    print(ground.text);
    outcome.failures.push({ name: `${suite.name}: the clusters did not start`, text: ground.text });
    return outcome;
  }
  try {
    return await runSuite(suite, { files, env: ground.env, signal: stop.signal, print });
  } finally {
    await ground.end();
  }
}

async function prepare(suite: Suite['name']): Promise<Ground> {
  if (suite === 'unit') return { state: 'ready', env: {}, end: async () => {} };
  return await (suite === 'control' ? twoLightClusters : twoNodeClusters)({ signal: stop.signal, print });
}

function readArguments(): { only: Set<string>; filter: string | undefined } {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { only: { type: 'string' } } });
  const chosen = values.only === undefined ? names : values.only.split(',');
  const unknown = chosen.filter((name) => !names.includes(name));
  if (unknown.length > 0 || positionals.length > 1) {
    console.error(`Unknown stage ${unknown.join(', ')}. Stages: ${names.join(', ')}; then at most one part of a file name.`);
    process.exit(2);
  }
  return { only: new Set(chosen), filter: positionals[0] };
}
