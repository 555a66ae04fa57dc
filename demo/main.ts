/**
 * `make demo`: two clusters, a running application, one command that moves it, and the proof that nothing was lost.
 *
 * Usage: tools/node demo/main.ts [--once]      --once (also CI=true): end the clusters afterwards
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { sentenceOf, TranshipError } from '../src/errors.ts';
import { down, up } from '../testbed/index.ts';
import { asTyped, nextRun } from './command.ts';
import { demoMove as move, moveShop, openShop, openSides, proveMove, type Shop } from './scenario.ts';
import { bad, bold, dim, good, heading, now, say, showCheck } from './show.ts';
import { shortPath, showSummary } from './summary.ts';

const { values } = parseArgs({ options: { once: { type: 'boolean', default: process.env['CI'] === 'true' } } });
const stop = new AbortController();
const { signal } = stop;
for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => stop.abort(name));

let hint = 'Call `make demo` again: it begins afresh and is quick now. `make testbed-down` ends the clusters.';
try {
  process.exitCode = (await demo()) ? 0 : 1;
} catch (error) {
  say();
  say(signal.aborted ? bold('Stopped.') : bad(sentenceOf(error)));
  if (!signal.aborted && !(error instanceof TranshipError)) say(dim(error instanceof Error ? (error.stack ?? '') : String(error)));
  if (!values.once) say(hint);
  process.exitCode = signal.aborted ? 130 : 1;
} finally {
  if (values.once) {
    heading('Ending both clusters');
    // Also after Ctrl-C: ending has its own time limit, not the user's signal.
    await down({ signal: AbortSignal.timeout(120_000), onProgress: now });
    say('  nothing is left running');
  }
}

/** True when every check passed. */
async function demo(): Promise<boolean> {
  const times: [string, number][] = [];
  const timed = async <T>(what: string, work: Promise<T>): Promise<T> => {
    const started = performance.now();
    const result = await work;
    times.push([what, performance.now() - started]);
    return result;
  };

  heading('Two Kubernetes clusters and an S3 server');
  const bed = await timed('clusters', up({ images: ['postgres', 'demo-web', 'tranship'], signal, onProgress: now }));
  const { source, target } = bed.clusters;
  say(`  source   Kubernetes ${source.version} at ${source.nodeAddress}`);
  say(`  target   Kubernetes ${target.version} at ${target.nodeAddress}`);
  say(`  store    ${bed.s3.endpoint}`);

  const sides = openSides(bed);
  let shop: Shop | undefined;
  try {
    heading('An application with data on the source');
    shop = await timed('application', openShop(sides, move, signal, now));
    say(
      `  ${shop.before.objects.length} objects in namespace ${move.from}: PostgreSQL, a web front, uploads, a block device, workers that write`,
    );
    say(`  ${shop.url} answers, and a customer outside orders there without a pause`);

    heading('The move: one command');
    const run = await nextRun(move, bed.s3.bucket, sides.env);
    const envFile = shortPath(join(bed.directory, 'env'));
    hint = `./bin/tranship resume ${run.name}   goes on with the move (after: source ${envFile})\nmake demo   begins afresh\nmake testbed-down   ends the clusters`;
    say(`\n    source ${envFile}\n    ${bold(asTyped(run.args))}\n`);
    const code = await timed('move', moveShop(sides, shop, run, signal));
    if (signal.aborted && code === 5)
      hint = 'The move was undone: the shop runs on the source.\nmake demo   begins afresh\nmake testbed-down   ends the clusters';
    signal.throwIfAborted();
    if (code !== 0) {
      say(bad(`tranship ended with exit code ${code}.`));
      if (!values.once) say(hint);
      return false;
    }

    heading('The proof: both sides read again by the demo itself');
    now('reading the stopped volumes of the source and those of the target');
    const { report, proof } = await timed('proof', proveMove(sides, shop, run, signal));
    for (const check of proof.checks) showCheck(check);
    const failed = proof.checks.filter((check) => check.differences.length > 0).length;
    say(failed === 0 ? good(`  all ${proof.checks.length} checks passed`) : bad(`  ${failed} of ${proof.checks.length} checks FAILED`));

    await shop.customer.stop();
    heading('What happened');
    showSummary({ report, proof, customer: shop.customer, times, run, bed, stays: !values.once });
    return failed === 0;
  } finally {
    await shop?.customer.stop();
    await sides.close();
  }
}
