/**
 * The story of the demo in four verbs, for the demo itself, the benchmark and the end-to-end tests: open both sides, open the shop,
 * move it, prove it.
 */
import { join } from 'node:path';
import type { Migration } from '../src/api/migration.ts';
import { loadKubeconfig, openKube, type KubeClient } from '../src/kube/index.ts';
import type { TestBed } from '../testbed/index.ts';
import { lastAck, readObjects, readWeb, webUrl } from './collect.ts';
import { readEnv, readReport, tranship, type Run } from './command.ts';
import { startCustomer, type Customer } from './customer.ts';
import { deploy, readManifests, remove, waitFor, waitReady } from './deploy.ts';
import type { DataFacts } from './facts.ts';
import type { Move } from './objects.ts';
import { proveTarget, readStopped, type Before, type Proof } from './prove.ts';

export interface Sides {
  bed: TestBed;
  source: KubeClient;
  target: KubeClient;
  /** What `source .testbed/env` sets. */
  env: NodeJS.ProcessEnv;
  close(): Promise<void>;
}

/** How the demo moves: the namespace renamed, both storage classes mapped. */
export const demoMove: Move = { from: 'shop', to: 'shop-new', storageClasses: { fast: 'silver', bulk: 'gold' } };

export function openSides(bed: TestBed): Sides {
  const kubeconfig = loadKubeconfig({ path: bed.kubeconfig });
  const [source, target] = [openKube(kubeconfig.access('source')), openKube(kubeconfig.access('target'))];
  return {
    bed,
    source,
    target,
    env: readEnv(join(bed.directory, 'env')),
    async close() {
      await Promise.all([source.close(), target.close()]);
    },
  };
}

export interface Shop {
  url: string;
  move: Move;
  before: Before;
  /** Orders without a pause; end it with `stop`. */
  customer: Customer;
}

/** A fresh shop on the source, with a customer who has ordered a few things. What an earlier run left on either side is removed. */
export async function openShop(sides: Sides, move: Move, signal: AbortSignal, onProgress: (line: string) => void): Promise<Shop> {
  const { source, target } = sides;
  const manifests = readManifests();
  onProgress('removing what an earlier run left');
  await Promise.all([remove(source, manifests, [move.from], signal), remove(target, manifests, [move.from, move.to], signal)]);
  await deploy(source, manifests, signal);
  await waitReady(source, manifests, signal, (missing) => onProgress(missing === '' ? 'ready' : `waiting for ${missing}`));
  const url = (await webUrl(source, move.from, signal)) ?? '';
  const customer = startCustomer(url, () => webUrl(target, move.to, signal), signal);
  await waitFor(signal, 60_000, 'the first orders', async () => (customer.acknowledged >= 50 ? true : undefined));
  const objects = await readObjects(source, move.from, manifests, signal);
  const before = { manifests, objects, web: await readWeb(url, signal), acknowledged: { orders: 0, ticks: 0, entries: 0 } };
  return { url, move, before, customer };
}

/**
 * Runs the command of `run` with its output on our terminal, and meanwhile notes what the workers inside say is committed.
 * @returns its exit code; with 0 the customer has been served by the target
 */
export async function moveShop(sides: Sides, shop: Shop, run: Run, signal: AbortSignal): Promise<number> {
  const { acknowledged } = shop.before;
  const ended = new AbortController();
  const note = async (): Promise<void> => {
    while (!ended.signal.aborted && !signal.aborted) {
      const asked = await Promise.all(['writer', 'ledger'].map((app) => lastAck(sides.source, shop.move.from, app, signal))).catch(() => [
        0, 0,
      ]);
      acknowledged.ticks = Math.max(acknowledged.ticks, asked[0] ?? 0);
      acknowledged.entries = Math.max(acknowledged.entries, asked[1] ?? 0);
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  };
  const noting = note();
  const code = await tranship(run.args, sides.env, signal);
  ended.abort();
  await noting;
  if (code !== 0) return code;
  await waitFor(signal, 30_000, 'the first order on the target', async () =>
    shop.customer.firstOnTarget !== undefined ? true : undefined,
  );
  acknowledged.orders = shop.customer.acknowledgedBySource;
  return code;
}

export interface Proven {
  report: Migration;
  proof: Proof;
  source: DataFacts;
}

/** Compares both sides. Give `source` of an earlier proof to compare the target again with the same facts. */
export async function proveMove(sides: Sides, shop: Shop, run: Run, signal: AbortSignal, source?: DataFacts): Promise<Proven> {
  const report = await readReport(run.name, sides.env);
  const stopped = source ?? (await readStopped(sides.source, shop.move.from, shop.before, signal));
  return { report, source: stopped, proof: await proveTarget(sides.target, shop.move, shop.before, stopped, report.status, signal) };
}
