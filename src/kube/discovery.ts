/** What a cluster serves: aggregated discovery (two requests), and group by group for servers that do not have it. */
import type { ResourceType } from '../api/object.ts';
import { sentenceOf } from '../errors.ts';
import type { Caller } from './call.ts';
import { callJson } from './call.ts';
import type { CallOptions, Discovery } from './kube.ts';

const AGGREGATED = ['v2', 'v2beta1'].map((version) => `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`);
const ACCEPT = [...AGGREGATED, 'application/json'].join(',');
/** Group versions asked at the same time by the slow way. */
const PARALLEL = 8;

/** One version of one group, in the order of preference. */
interface ServedVersion {
  group: string;
  version: string;
  resources: { resource: string; kind: string; namespaced: boolean; verbs: string[] }[];
}

interface AggregatedList {
  kind: 'APIGroupDiscoveryList';
  items?: { metadata?: { name?: string }; versions?: AggregatedVersion[] }[];
}
interface AggregatedVersion {
  version: string;
  freshness?: string;
  resources?: { resource: string; responseKind?: { kind?: string } | null; scope?: string; verbs?: string[] }[];
}
interface LegacyGroups {
  groups?: { name: string; versions?: { version: string }[]; preferredVersion?: { version: string } }[];
  versions?: string[];
}
interface LegacyResources {
  resources?: { name: string; kind: string; namespaced: boolean; verbs?: string[] }[];
}

/** Reads the whole discovery. A broken group costs one entry in `broken`. */
export async function readDiscovery(caller: Caller, cluster: string, options: CallOptions): Promise<Discovery> {
  const broken: Discovery['broken'] = [];
  const parts = await Promise.all(['/api', '/apis'].map((root) => readRoot(caller, cluster, root, broken, options)));
  return { resources: joinVersions(parts.flat()), broken };
}

async function readRoot(
  caller: Caller,
  cluster: string,
  root: string,
  broken: Discovery['broken'],
  options: CallOptions,
): Promise<ServedVersion[]> {
  const answer = await ask(caller, cluster, root, options);
  if ((answer as { kind?: unknown }).kind === 'APIGroupDiscoveryList') return readAggregated(answer as AggregatedList, broken); // JSON border
  const wanted = legacyVersions(answer);
  const found: (ServedVersion | undefined)[] = Array.from({ length: wanted.length });
  const queue = wanted.entries();
  const work = async (): Promise<void> => {
    for (const [index, { group, version }] of queue) {
      const path = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
      try {
        found[index] = readLegacy(group, version, await ask(caller, cluster, path, options));
      } catch (error) {
        if (options.signal?.aborted === true) throw error;
        broken.push({ group, message: `${group}/${version}: ${sentenceOf(error)}` });
      }
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, work));
  return found.filter((served) => served !== undefined);
}

async function ask(caller: Caller, cluster: string, path: string, options: CallOptions): Promise<object> {
  const subject = { verb: 'get', what: `the API list ${path}`, cluster, server: caller.transport.access.server };
  const answer = await callJson(caller, { method: 'GET', path, accept: ACCEPT, repeatable: true, subject }, options);
  return typeof answer === 'object' && answer !== null ? answer : {};
}

/** Pure: aggregated discovery to served versions. A stale version is one whose own server does not answer: its lists would only fail. */
export function readAggregated(list: AggregatedList, broken: Discovery['broken']): ServedVersion[] {
  return (list.items ?? []).flatMap((item) => {
    const group = item.metadata?.name ?? '';
    return (item.versions ?? []).flatMap(({ version, freshness, resources }) => {
      if (freshness === 'Stale') {
        broken.push({ group, message: `The server that stands behind ${group}/${version} does not answer (freshness Stale).` });
        return [];
      }
      const usable = (resources ?? []).flatMap(({ resource, responseKind, scope, verbs }) =>
        responseKind?.kind ? [{ resource, kind: responseKind.kind, namespaced: scope === 'Namespaced', verbs: verbs ?? [] }] : [],
      );
      return [{ group, version, resources: usable }];
    });
  });
}

function legacyVersions(answer: LegacyGroups): { group: string; version: string }[] {
  const core = (answer.versions ?? []).map((version) => ({ group: '', version }));
  const named = (answer.groups ?? []).flatMap(({ name, versions, preferredVersion }) => {
    const served = (versions ?? []).map(({ version }) => version);
    const preferred = preferredVersion?.version;
    return [...served.filter((version) => version === preferred), ...served.filter((version) => version !== preferred)].map((version) => ({
      group: name,
      version,
    }));
  });
  return [...core, ...named];
}

/** Pure: one APIResourceList; subresources (`pods/log`) are left out. */
export function readLegacy(group: string, version: string, list: LegacyResources): ServedVersion {
  const whole = (list.resources ?? []).filter(({ name }) => !name.includes('/'));
  return {
    group,
    version,
    resources: whole.map(({ name, kind, namespaced, verbs }) => ({ resource: name, kind, namespaced, verbs: verbs ?? [] })),
  };
}

/** Pure: one entry per group and resource; versions in the server's order of preference. */
export function joinVersions(served: ServedVersion[]): ResourceType[] {
  const joined = new Map<string, ResourceType & { versions: string[] }>();
  for (const { group, version, resources } of served) {
    for (const { resource, kind, namespaced, verbs } of resources) {
      const known = joined.get(`${group}/${resource}`);
      if (known === undefined)
        joined.set(`${group}/${resource}`, { group, version, resource, kind, namespaced, verbs, versions: [version] });
      else known.versions.push(version);
    }
  }
  return [...joined.values()];
}
