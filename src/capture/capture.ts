/** The recipe of a capture. Reads only. */
import type { Captured, CapturedObject, LeftBehind } from '../api/captured.ts';
import { byText } from '../api/fields.ts';
import type { Finding } from '../api/finding.ts';
import { refOf, refText, type KubeObject, type ObjectRef, type ResourceType } from '../api/object.ts';
import { TranshipError } from '../errors.ts';
import { resources, type KubeClient } from '../kube/index.ts';
import { chooseVersion, servedAs } from '../api/served.ts';
import { BUILT_IN, type Rules } from '../rules/index.ts';
import { closeOver } from './closure.ts';
import { leaveRule, NEVER_READ, surroundingsOf } from './leave-behind.ts';
import { listKinds, type Listed } from './listing.ts';
import { discoverWhole, type Reader } from './reading.ts';
import { readStopping } from './running.ts';
import { controllerOf, ownerRef } from './stopping.ts';
import { readVolumes } from './volumes.ts';

export interface CaptureOptions {
  namespaces: readonly string[];
  signal: AbortSignal;
  /** Called with the number of objects read so far. */
  onProgress?: (objects: number) => void;
  /** What the target serves: objects are then read in a version that both sides have. */
  target?: readonly ResourceType[];
  /** What is known about kinds. Default: what comes with us. */
  rules?: Rules;
}

/**
 * Reads what belongs to the application in these namespaces: their objects, and the cluster-scoped ones that these need. What stays behind is
 * listed with the rule that says so. A kind that we may not list, or whose own API server is gone, is a finding: `block` when it decides about
 * data (claims, pods, what runs them, their configuration), else `unknown`. A server that fails is waited for, and then thrown: nothing is
 * ever left out because of a bad moment.
 *
 * @throws NotFound when a namespace does not exist; Unreachable, TimedOut, Unauthorized when the cluster can't be read
 * @example const captured = await capture(client, { namespaces: ['shop'], signal });
 */
export async function capture(client: KubeClient, options: CaptureOptions): Promise<Captured> {
  const { signal, rules = BUILT_IN } = options;
  const namespaces = [...new Set(options.namespaces)].toSorted(byText);
  const [id, version, discovery, namespaceObjects] = await Promise.all([
    client.clusterId({ signal }),
    client.version({ signal }),
    discoverWhole(client, signal),
    readNamespaces(client, namespaces, signal),
  ]);
  const reader: Reader = { client, signal, broken: new Set(discovery.broken.map(({ group }) => group)) };
  const types = discovery.resources.map((type) => inVersionOf(type, options.target));
  const { listed, findings } = await listKinds(reader, types.filter(isCaptured), namespaces, options.onProgress);
  const { selected, leftBehind, pods } = sort(listed, namespaceObjects, types, rules);
  const everything = [...listed.flatMap(({ objects }) => objects), ...namespaceObjects];
  const [closure, volumes, stopping] = await Promise.all([
    closeOver(reader, selected, namespaces, types, rules),
    readVolumes(reader, selected, pods),
    readStopping(reader, pods, everything, selected, types),
  ]);
  return {
    cluster: { id, name: client.name, version: version.gitVersion },
    namespaces,
    capturedAt: new Date().toISOString(),
    objects: [...selected, ...closure.related].toSorted((a, b) => byText(refText(refOf(a.object)), refText(refOf(b.object)))),
    leftBehind: leftBehind.toSorted((a, b) => byText(refText(a.ref), refText(b.ref))),
    volumes: volumes.volumes,
    findings: [...findings, ...closure.findings, ...volumes.findings, ...brokenGroups(discovery.broken)],
    unstoppable: stopping.unstoppable,
    keptRunning: stopping.keptRunning,
  };
}

/** @throws NotFound naming the namespace that does not exist */
async function readNamespaces(client: KubeClient, names: readonly string[], signal: AbortSignal): Promise<KubeObject[]> {
  return await Promise.all(
    names.map(async (name) => {
      const object = await client.get(resources.namespaces, name, undefined, { signal });
      if (object === undefined) {
        throw new TranshipError('NotFound', `Namespace ${name} does not exist on ${client.name}.`, {
          hint: `kubectl --context ${client.name} get namespaces lists them.`,
        });
      }
      return object;
    }),
  );
}

function isCaptured(type: ResourceType): boolean {
  const kind = type.group === '' ? type.kind : `${type.kind}.${type.group}`;
  return type.namespaced && !NEVER_READ.has(kind) && ['list', 'create', 'get'].every((verb) => type.verbs.includes(verb));
}

function inVersionOf(type: ResourceType, target: readonly ResourceType[] | undefined): ResourceType {
  const version = target === undefined ? undefined : chooseVersion(type, servedAs(type, target));
  return version === undefined ? type : { ...type, version };
}

/** Moves or stays: each object gets exactly one of the two. */
function sort(
  listed: readonly Listed[],
  namespaces: readonly KubeObject[],
  types: readonly ResourceType[],
  rules: Rules,
): { selected: CapturedObject[]; leftBehind: LeftBehind[]; pods: KubeObject[] } {
  const around = surroundingsOf(listed.flatMap(({ objects }) => objects));
  const selected: CapturedObject[] = [];
  const leftBehind: LeftBehind[] = [];
  for (const { type, objects } of listed) {
    for (const object of objects) {
      const rule = leaveRule(object, type, around, rules);
      if (rule === undefined) selected.push({ object, resource: type, role: 'selected', shared: false });
      else leftBehind.push({ ref: refOf(object), ...rule, ...ownerOf(object) });
    }
  }
  const namespaceType = types.find((type) => type.group === '' && type.kind === 'Namespace');
  if (namespaceType !== undefined) {
    selected.push(...namespaces.map((object): CapturedObject => ({ object, resource: namespaceType, role: 'selected', shared: false })));
  }
  const pods = listed.filter(({ type }) => type.group === '' && type.kind === 'Pod').flatMap(({ objects }) => objects);
  return { selected, leftBehind, pods };
}

function ownerOf(object: KubeObject): { owner?: ObjectRef } {
  const controller = controllerOf(object);
  return controller === undefined ? {} : { owner: ownerRef(controller, object.metadata.namespace) };
}

/** A broken group that only serves figures about others (metrics) hides nothing that could move. */
function brokenGroups(broken: readonly { group: string; message: string }[]): Finding[] {
  return broken.map(({ group, message }) => ({
    id: 'ApiGroupBroken',
    severity: group.endsWith('metrics.k8s.io') ? 'info' : 'unknown',
    message: `The API group ${group} of the source can't be read: ${message} If the application has objects in it, they do not move.`,
    fix: 'Repair its server, or remove its APIService.',
    proof: 'asked',
  }));
}
