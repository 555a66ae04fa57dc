/** Reads both sides after a move and compares them. What is expected of the source was read from the source, never from a report. */
import type { Migration } from '../src/api/migration.ts';
import type { KubeObject } from '../src/api/object.ts';
import type { KubeClient } from '../src/kube/kube.ts';
import { checkAcknowledged, checkFiles, checkLedger, checkTables, checkWeb, type Check } from './checks.ts';
import { readObjects, readWeb, webUrl } from './collect.ts';
import type { DataFacts, Limits, WebFacts } from './facts.ts';
import { checkObjects, checkReport, type Move } from './objects.ts';
import { readData } from './probe.ts';

/** What was known before the source was stopped. */
export interface Before {
  objects: KubeObject[];
  web: WebFacts;
  manifests: KubeObject[];
  /** Highest acknowledged numbers: to the customer outside, and in the logs of writer and ledger. */
  acknowledged: { orders: number; ticks: number; entries: number };
}

export interface Proof {
  checks: Check[];
  source: DataFacts;
  limits: Limits;
  targetUrl: string | undefined;
}

/** The source's volumes, read once: nothing writes to them any more. */
export async function readStopped(source: KubeClient, namespace: string, before: Before, signal: AbortSignal): Promise<DataFacts> {
  return readData(source, { namespace, database: 'stopped', acknowledgedOrders: before.acknowledged.orders, signal });
}

/** Compares the target with what was read of the source. Can be called again after something was changed. */
export async function proveTarget(
  target: KubeClient,
  move: Move,
  before: Before,
  source: DataFacts,
  report: Migration['status'],
  signal: AbortSignal,
): Promise<Proof> {
  const limits = { ticks: source.database.ticks, orders: source.database.orders, entries: source.ledger.entries };
  const objects = await readObjects(target, move.to, before.manifests, signal);
  const targetUrl = await webUrl(target, move.to, signal);
  const web = await readWeb(targetUrl ?? 'http://the-service-web-has-no-port.invalid', signal);
  const data = await readData(target, {
    namespace: move.to,
    database: 'running',
    limits,
    acknowledgedOrders: before.acknowledged.orders,
    signal,
  });
  const left = new Map((report?.leftBehind ?? []).flatMap((rule) => rule.examples.map((name) => [name, rule.reason] as const)));
  const own = checkObjects(before.objects, objects, move, left);
  const checks = [
    checkTables(source, data),
    checkAcknowledged(before.acknowledged, source, data, limits),
    checkFiles(source, data),
    checkLedger(source, data),
    own,
    checkReport(report, own.equal),
    ...checkWeb(before.web, web, move.to),
  ];
  return { checks, source, limits, targetUrl };
}
