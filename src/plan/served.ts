/** Kinds: does the target serve what moves? One finding per kind, not per object. */
import type { CapturedObject } from '../api/captured.ts';
import { fieldAt, listOf, textOf } from '../api/fields.ts';
import type { Finding } from '../api/finding.ts';
import type { ResourceType } from '../api/object.ts';
import type { Surface } from '../api/plan.ts';
import { isBuiltInGroup } from '../api/served.ts';
import { servedAs } from '../api/served.ts';

/** `Kind.group` of the custom resources whose definition this plan creates: on the target nothing can act on them yet. */
export function definitionsMoving(objects: readonly CapturedObject[], target: Surface): ReadonlySet<string> {
  const moving = new Set<string>();
  for (const { object } of objects) {
    if (object.kind !== 'CustomResourceDefinition') continue;
    const kind = textOf(fieldAt(object, 'spec', 'names', 'kind')) ?? '';
    const group = textOf(fieldAt(object, 'spec', 'group')) ?? '';
    if (!target.resources.some((each) => each.group === group && each.kind === kind)) moving.add(`${kind}.${group}`);
  }
  return moving;
}

/** The type to write an object as: the target's names, in the version that was captured. */
export function targetType(captured: ResourceType, target: Surface): ResourceType {
  const served = servedAs(captured, target.resources);
  if (served === undefined || !served.versions.includes(captured.version)) return captured;
  return { ...served, version: captured.version };
}

export function kindFindings(objects: readonly CapturedObject[], target: Surface, definitions: ReadonlySet<string>): Finding[] {
  const byKind = Map.groupBy(objects, ({ resource }) => `${resource.kind}.${resource.group}`);
  const findings: Finding[] = [];
  for (const [kind, group] of byKind) {
    const resource = group[0]?.resource;
    if (resource === undefined || definitions.has(kind)) continue;
    const finding = kindFinding(resource, group.length, target);
    if (finding !== undefined) findings.push(finding);
  }
  return findings;
}

function kindFinding(resource: ResourceType, count: number, target: Surface): Finding | undefined {
  const where = target.cluster.name;
  const what = `${resource.kind} (${resource.group === '' ? 'v1' : `${resource.group}/${resource.version}`}), of which ${count} would move`;
  const served = servedAs(resource, target.resources);
  if (served?.versions.includes(resource.version) === true) return undefined;
  const broken = target.brokenGroups.find((each) => each.group === resource.group);
  if (served === undefined && broken !== undefined) {
    return {
      id: 'ApiGroupBroken',
      severity: 'block',
      message: `${where} can't say whether it serves ${what}: ${broken.message}`,
      fix: `Repair the API group ${resource.group} on ${where}, or remove its APIService.`,
      proof: 'asked',
    };
  }
  if (served === undefined) {
    return {
      id: 'KindNotServed',
      severity: 'block',
      message: `${where} does not serve ${what}.`,
      fix: isBuiltInGroup(resource.group)
        ? 'Use a target whose Kubernetes version serves it, or exclude these objects with the label tranship.io/exclude=true.'
        : `Install what serves ${resource.group} on ${where}, or exclude these objects with the label tranship.io/exclude=true.`,
      proof: 'asked',
    };
  }
  return {
    id: 'ApiVersionNotServed',
    severity: 'block',
    message: `${where} does not serve ${what}; it has ${listOf([...served.versions]).join(', ')}, which the source does not serve.`,
    fix: 'Bring one of the two sides to a release that serves a version of the other.',
    proof: 'asked',
  };
}
