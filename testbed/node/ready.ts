/** When a cluster is ready for pods with volumes, judged by its objects, never by its logs. */
import { until, type Api } from './api.ts';
import type { NodeSpec } from './spec.ts';

type Conditions = { status?: { conditions?: { type: string; status: string }[]; availableReplicas?: number } };
type CsiNode = { spec?: { drivers?: { name: string }[] | null } };

export async function waitUntilReady(spec: NodeSpec, api: Api, signal: AbortSignal, onProgress: (line: string) => void): Promise<void> {
  await until(`Node ${spec.nodeName} Ready`, () => nodeIsReady(spec.nodeName, api, signal), signal);
  onProgress(`${spec.name}: node Ready`);
  await Promise.all([
    until(`Storage drivers of ${spec.name}`, () => driversAreThere(spec, api, signal), signal),
    until(`DNS of ${spec.name}`, () => dnsIsReady(api, signal), signal),
  ]);
  onProgress(`${spec.name}: DNS and storage ready`);
}

export async function nodeIsReady(nodeName: string, api: Api, signal: AbortSignal): Promise<boolean> {
  const node = await read<Conditions>(`/api/v1/nodes/${nodeName}`, api, signal);
  return node?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;
}

export async function dnsIsReady(api: Api, signal: AbortSignal): Promise<boolean> {
  const dns = await read<Conditions>('/apis/apps/v1/namespaces/kube-system/deployments/coredns', api, signal);
  return (dns?.status?.availableReplicas ?? 0) > 0;
}

async function driversAreThere(spec: NodeSpec, api: Api, signal: AbortSignal): Promise<boolean> {
  const csiNode = await read<CsiNode>(`/apis/storage.k8s.io/v1/csinodes/${spec.nodeName}`, api, signal);
  const names = new Set((csiNode?.spec?.drivers ?? []).map(({ name }) => name));
  return spec.drivers.every(({ name }) => names.has(name));
}

async function read<Kind>(path: string, api: Api, signal: AbortSignal): Promise<Kind | undefined> {
  const answer = await api.call('GET', path, signal);
  return answer.status === 200 ? (JSON.parse(answer.body) as Kind) : undefined;
}
