/** Questions about what clusters serve: built-in or not, served by the other one too, and in which version both can talk. */
import type { ResourceType } from './object.ts';

/** Groups of the API server itself. */
const BUILT_IN: ReadonlySet<string> = new Set([
  '',
  'admissionregistration.k8s.io',
  'apiextensions.k8s.io',
  'apiregistration.k8s.io',
  'apps',
  'authentication.k8s.io',
  'authorization.k8s.io',
  'autoscaling',
  'batch',
  'certificates.k8s.io',
  'coordination.k8s.io',
  'discovery.k8s.io',
  'events.k8s.io',
  'flowcontrol.apiserver.k8s.io',
  'internal.apiserver.k8s.io',
  'networking.k8s.io',
  'node.k8s.io',
  'policy',
  'rbac.authorization.k8s.io',
  'resource.k8s.io',
  'scheduling.k8s.io',
  'storage.k8s.io',
  'storagemigration.k8s.io',
]);

/** True for groups that every API server brings along; all others are custom or aggregated. */
export function isBuiltInGroup(group: string): boolean {
  return BUILT_IN.has(group);
}

/** The target's type for a source's type: same group and kind, and scope. Undefined when the target does not serve it. */
export function servedAs(type: ResourceType, target: readonly ResourceType[]): ResourceType | undefined {
  return target.find((each) => each.group === type.group && each.kind === type.kind && each.namespaced === type.namespaced);
}

/** Stable before beta before alpha, then the higher number: the order of the Kubernetes API conventions. */
export function compareVersions(left: string, right: string): number {
  const rank = (version: string): [number, number, number] => {
    const match = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(version);
    if (match === null) return [0, 0, 0];
    const stage = match[2] === undefined ? 3 : match[2] === 'beta' ? 2 : 1;
    return [stage, Number(match[1]), Number(match[3] ?? 0)];
  };
  const [a, b] = [rank(left), rank(right)];
  for (let index = 0; index < 3; index += 1) {
    const difference = (b[index] ?? 0) - (a[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return left < right ? -1 : left > right ? 1 : 0;
}

/**
 * The version to carry: the target's preferred one if the source serves it, else the source's preferred if the target serves it, else
 * the highest that both serve. Undefined when there is none in common. Without a target type: the source's preferred.
 */
export function chooseVersion(source: ResourceType, target: ResourceType | undefined): string | undefined {
  if (target === undefined) return source.version;
  const [targetFirst] = target.versions;
  if (targetFirst !== undefined && source.versions.includes(targetFirst)) return targetFirst;
  if (target.versions.includes(source.version)) return source.version;
  return source.versions.filter((version) => target.versions.includes(version)).toSorted(compareVersions)[0];
}
