/** Is there a bed, and is it healthy? Looks, changes nothing. */
import { readFileSync } from 'node:fs';
import { Api } from '../node/api.ts';
import { readAccess } from '../node/kubeconfig.ts';
import { dnsIsReady, nodeIsReady } from '../node/ready.ts';
import { bedDirectory, bedName, checkoutPath, readTestBed, type BedCluster, type TestBed } from './bed.ts';
import { bedId } from './addresses.ts';
import { Ledger } from './ledger.ts';
import type { BedStatus } from './options.ts';
import { whyStale } from './stale.ts';

/** @example const { state, reasons } = await status(AbortSignal.timeout(10_000)) */
export async function status(signal: AbortSignal): Promise<BedStatus> {
  const checkout = checkoutPath();
  const records = new Ledger(bedId(checkout, bedName())).read();
  const bed = readTestBed(bedDirectory(checkout));
  if (records.length === 0) return { state: 'absent', reasons: [], bed: undefined };
  const stale = whyStale(records);
  if (stale !== undefined) return { state: 'stale', reasons: [`The test bed cannot run on: ${stale}.`], bed: undefined };
  if (bed === undefined || !records.some((record) => record.kind === 'ready')) {
    return { state: 'starting', reasons: ['Another process is starting it.'], bed: undefined };
  }
  const reasons = (
    await Promise.all([
      clusterTrouble(bed, bed.clusters.source, signal),
      clusterTrouble(bed, bed.clusters.target, signal),
      s3Trouble(bed, signal),
    ])
  ).flat();
  return { state: reasons.length === 0 ? 'ready' : 'unhealthy', reasons, bed };
}

async function clusterTrouble(bed: TestBed, cluster: BedCluster, signal: AbortSignal): Promise<string[]> {
  const api = new Api(readAccess(readFileSync(bed.kubeconfig, 'utf8'), cluster.context));
  try {
    if ((await api.call('GET', '/readyz', signal)).status !== 200) return [`The API of ${cluster.name} is not ready.`];
    const reasons: string[] = [];
    if (!(await nodeIsReady(cluster.nodeName, api, signal))) reasons.push(`The node of ${cluster.name} is not Ready.`);
    if (!(await dnsIsReady(api, signal))) reasons.push(`The DNS of ${cluster.name} is not ready.`);
    return reasons;
  } catch (error) {
    signal.throwIfAborted();
    return [`The API of ${cluster.name} does not answer: ${error instanceof Error ? error.message : String(error)}.`];
  } finally {
    api.close();
  }
}

async function s3Trouble(bed: TestBed, signal: AbortSignal): Promise<string[]> {
  try {
    await (await fetch(bed.s3.endpoint, { signal })).arrayBuffer();
    return [];
  } catch {
    signal.throwIfAborted();
    return [`The S3 server at ${bed.s3.endpoint} does not answer.`];
  }
}
