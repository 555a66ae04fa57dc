/**
 * Are all objects of the source's namespace on the target, with the same content but for what a move must change? Pure, and written
 * without any of Tranship's own rules: this is the second opinion.
 */
import { refOf, refText, type KubeObject } from '../src/api/object.ts';
import type { Migration } from '../src/api/migration.ts';
import type { Check } from './checks.ts';

export interface Move {
  from: string;
  to: string;
  storageClasses: Record<string, string>;
}

/** What Tranship says it left behind: `Kind namespace/name` → reason. */
export type LeftBehind = ReadonlyMap<string, string>;

/** Fields that a cluster fills in by itself, and that differ between any two clusters. */
const assigned = [
  /^spec\/(clusterIP|clusterIPs|volumeName|healthCheckNodePort)(\/|$)/,
  /^spec\/ports\/\d+\/nodePort$/,
  /^metadata\/annotations\/(pv|volume|volume\.beta)\.kubernetes\.io~1/,
  /^metadata\/annotations\/(deployment\.kubernetes\.io~1revision|kubectl\.kubernetes\.io~1)/,
  /^metadata\/(labels|annotations)\/tranship\.io~1/,
  /^spec\/selector\/matchLabels\/(batch\.kubernetes\.io~1)?controller-uid$/,
  /^spec\/template\/metadata\/labels\/(batch\.kubernetes\.io~1)?controller-uid$/,
];

/** Every object of the source that users made, compared leaf by leaf. */
export function checkObjects(source: KubeObject[], target: KubeObject[], move: Move, leftBehind: LeftBehind): Check & { equal: number } {
  const differences: string[] = [];
  const onTarget = new Map(target.map((object) => [refText(refOf(object)), object]));
  let compared = 0;
  let made = 0;
  let left = 0;
  for (const object of source) {
    const expected = refText(refOf(renamed(object, move)));
    const other = onTarget.get(expected);
    onTarget.delete(expected);
    if (isMadeByCluster(object)) made += 1;
    else if (other !== undefined) {
      compared += 1;
      for (const difference of differingLeaves(object, other, move)) differences.push(`${expected}: ${difference}`);
    } else if (leftBehind.has(refText({ ...refOf(object), group: '' }))) left += 1;
    else differences.push(`${expected} is not on the target, and no report says why`);
  }
  for (const [name, object] of onTarget) {
    if (!isMadeByCluster(object)) differences.push(`${name} is only on the target`);
  }
  if (compared === 0) differences.push('no object was compared');
  const kinds = new Set(source.map((object) => object.kind)).size;
  return {
    title: 'Objects',
    compared: `${source.length} of ${kinds} kinds: ${compared} compared leaf by leaf, ${made} made by controllers, ${left} left with a reason`,
    differences,
    equal: compared,
  };
}

/** Does Tranship's own report agree with what was counted here? Claims are not objects in its counts: they come with their volumes. */
export function checkReport(status: Migration['status'], found: number): Check {
  const { LeftBehind: _left, Planned: planned = 0, Failed: failed = 0, Skipped: skipped = 0, ...carried } = status?.objects ?? {};
  const sum = Object.values(carried).reduce((all, number) => all + number, 0);
  const volumes = status?.volumes.length ?? 0;
  const left = (status?.leftBehind ?? []).reduce((all, rule) => all + rule.count, 0);
  const differences = (status?.failedObjects ?? []).map((object) => `${object.target}: ${object.reason}`);
  if (failed + skipped > 0) differences.push(`${failed} objects failed and ${skipped} were skipped`);
  if (sum !== planned) differences.push(`${planned} objects were planned and ${sum} carried`);
  if (sum + volumes !== found) differences.push(`it reports ${sum} objects and ${volumes} volumes, ${found} objects were found equal`);
  for (const volume of status?.volumes ?? []) {
    if (volume.state !== 'Bound') differences.push(`volume ${volume.name} is ${volume.state}`);
  }
  return {
    title: "Tranship's report",
    compared: `${sum} objects carried, ${volumes} volumes, ${left} left behind with a reason`,
    differences,
  };
}

/** Pods, ReplicaSets and the like come from their owners; the rest is what a cluster puts into every namespace. */
function isMadeByCluster(object: KubeObject): boolean {
  if (object.metadata.ownerReferences?.some((owner) => owner.controller === true) === true) return true;
  if (object.kind === 'Endpoints') return true;
  if (object.kind === 'ConfigMap') return object.metadata.name === 'kube-root-ca.crt';
  return object.kind === 'ServiceAccount' && object.metadata.name === 'default';
}

/** The object's identity after the move. */
function renamed(object: KubeObject, move: Move): KubeObject {
  const { namespace, name } = object.metadata;
  if (object.kind === 'Namespace' && name === move.from) return { ...object, metadata: { ...object.metadata, name: move.to } };
  return namespace === move.from ? { ...object, metadata: { ...object.metadata, namespace: move.to } } : object;
}

function differingLeaves(source: KubeObject, target: KubeObject, move: Move): string[] {
  const [a, b] = [leavesOf(source), leavesOf(target)];
  const found: string[] = [];
  for (const path of new Set([...a.keys(), ...b.keys()])) {
    if (assigned.some((pattern) => pattern.test(path))) continue;
    const [before, after] = [a.get(path), b.get(path)];
    if (expectedAfter(path, before, move) !== after)
      found.push(`${path}: ${quote(path, source.kind, before)} became ${quote(path, source.kind, after)}`);
  }
  return found;
}

/** What a leaf must be after the move: the namespace and the storage class follow, everything else stays. */
function expectedAfter(path: string, before: string | undefined, move: Move): string | undefined {
  if (before === undefined) return undefined;
  if (path.endsWith('/storageClassName')) return JSON.stringify(move.storageClasses[JSON.parse(before)] ?? JSON.parse(before));
  const isName = path.endsWith('/namespace') || path.endsWith('/kubernetes.io~1metadata.name');
  if (isName && before === JSON.stringify(move.from)) return JSON.stringify(move.to);
  return before.replaceAll(`.${move.from}.svc`, `.${move.to}.svc`);
}

/** Content only: what the server keeps about an object (status, uid, versions, managed fields) is not part of it. */
function leavesOf(object: KubeObject): Map<string, string> {
  const { status: _status, metadata, ...rest } = object;
  const leaves = new Map<string, string>();
  walk({ ...rest, metadata: { labels: metadata.labels, annotations: metadata.annotations } }, '', leaves);
  return leaves;
}

function walk(value: unknown, path: string, leaves: Map<string, string>): void {
  if (value !== null && typeof value === 'object' && Object.keys(value).length > 0) {
    for (const [key, child] of Object.entries(value)) walk(child, `${path}${path === '' ? '' : '/'}${key.replaceAll('/', '~1')}`, leaves);
  } else if (value !== undefined && value !== null && !(typeof value === 'object')) leaves.set(path, JSON.stringify(value));
  else if (value !== undefined && path.split('/').length > 2) leaves.set(path, JSON.stringify(value));
}

function quote(path: string, kind: string, leaf: string | undefined): string {
  if (leaf === undefined) return 'nothing';
  return kind === 'Secret' && /^(data|stringData)\//.test(path) ? 'a secret' : leaf;
}
