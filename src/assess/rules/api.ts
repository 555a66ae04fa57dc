/** Versions, fields and definitions: does the target understand what would be sent to it? */
import { fieldAt, find, isRecord, listOf, textOf } from '../../api/fields.ts';
import type { FieldTree, FieldTrees } from '../../api/facts.ts';
import type { KubeObject } from '../../api/object.ts';
import { isBuiltInGroup } from '../../api/served.ts';
import { coversRelease, lifecycleOf } from '../lifecycle.ts';
import { factsOf, some, type Found, type Rule, type RuleContext } from '../rule.ts';

export const apiRules: readonly Rule[] = [
  {
    id: 'API-1',
    title: 'The target serves every kind that moves',
    severity: 'block',
    proof: 'clusters',
    reads: 'discovery of both clusters',
    fix: 'Use a target whose version serves it, install what serves it, or leave the objects behind.',
    reason: 'A kind that is not served cannot be created; tools that only warn here lose objects.',
    findings: ['KindNotServed', 'ApiVersionNotServed', 'ApiGroupBroken'],
  },
  {
    id: 'API-2',
    title: 'No field is dropped by the target',
    severity: 'warn',
    proof: 'clusters',
    reads: 'OpenAPI v3 of the target, field by field against what would be sent',
    fix: 'Bring the target to a release that knows the field, or decide to do without it.',
    reason: 'An API server drops fields that it does not know, and answers with success.',
    findings: ['FieldNotKnown', 'SchemaNotRead'],
    check: checkFields,
  },
  {
    id: 'API-3',
    title: 'Definitions of custom resources agree',
    severity: 'block',
    proof: 'clusters',
    reads: 'CustomResourceDefinitions of both clusters',
    fix: 'Bring the operator and its definitions on the target to the version of the source.',
    reason: 'A definition of another scope or without the version in use refuses or loses custom resources.',
    findings: ['DefinitionScopeDiffers', 'DefinitionVersionMissing', 'DefinitionStorageDiffers', 'DefinitionConversionDiffers'],
    check: checkDefinitions,
  },
  {
    id: 'API-4',
    title: 'Aggregated APIs that are used are up on the target',
    severity: 'block',
    proof: 'clusters',
    reads: 'APIServices of the target',
    fix: 'Repair the server behind the APIService.',
    reason: 'Objects of an aggregated API can only be created while its server answers.',
    findings: ['AggregatedApiUnavailable'],
    check: checkAggregated,
  },
  {
    id: 'API-5',
    title: 'Tools that write these objects use versions that the target serves',
    severity: 'warn',
    proof: 'objects',
    reads: 'managedFields and the annotation of kubectl apply, against the table of API versions',
    fix: 'Change the manifests (chart, repository, pipeline) to the version that replaces it before they are applied to the target.',
    reason: 'The object itself moves in a version that is served; the next deployment of a manifest in a removed version fails.',
    findings: ['ApiVersionRemoved', 'ApiVersionDeprecated', 'ApiVersionUnknown'],
    check: checkUsedVersions,
  },
];

/** Fields of an object that a tree does not have, as paths without indexes; at most some. */
export function unknownFields(object: KubeObject, trees: FieldTrees): string[] | undefined {
  const slash = object.apiVersion.indexOf('/');
  const [group, version] = slash < 0 ? ['', object.apiVersion] : [object.apiVersion.slice(0, slash), object.apiVersion.slice(slash + 1)];
  const name = trees.kinds[`${group}/${version}/${object.kind}`];
  const root = name === undefined ? undefined : trees.trees[name];
  if (root === undefined) return undefined;
  const unknown = new Set<string>();
  const walk = (value: unknown, tree: FieldTree | undefined, path: string) => {
    if (tree === undefined || tree.open === true || unknown.size >= 20) return;
    if (tree.ref !== undefined) walk(value, Object.hasOwn(trees.trees, tree.ref) ? trees.trees[tree.ref] : undefined, path);
    else if (Array.isArray(value)) for (const item of value) walk(item, tree.items, `${path}[]`);
    else if (isRecord(value) && tree.properties !== undefined) {
      for (const [key, child] of Object.entries(value)) {
        if (Object.hasOwn(tree.properties, key)) walk(child, tree.properties[key], path === '' ? key : `${path}.${key}`);
        else unknown.add(path === '' ? key : `${path}.${key}`);
      }
    } else if (isRecord(value) && tree.items !== undefined)
      for (const [key, child] of Object.entries(value)) walk(child, tree.items, `${path}.${key}`);
  };
  walk(object, root, '');
  return [...unknown].toSorted();
}

function checkFields({ moving, target }: RuleContext): Found[] {
  const found: Found[] = [];
  const { schemas } = target.facts;
  const without = new Map<string, number>();
  for (const { object, origin } of moving) {
    const fields = unknownFields(object, schemas);
    if (fields === undefined) without.set(object.apiVersion, (without.get(object.apiVersion) ?? 0) + 1);
    else if (fields.length > 0) {
      found.push({
        id: 'FieldNotKnown',
        severity: 'warn',
        subject: origin,
        message: `${target.surface.cluster.name} does not know ${some(fields)} of ${object.kind} (${object.apiVersion}) and would drop it.`,
        fix: 'Bring the target to a release that knows the field, or decide to do without it.',
      });
    }
  }
  // Of a kind whose definition moves along, the schema comes with it.
  const defined = new Set(
    moving.filter(({ object }) => object.kind === 'CustomResourceDefinition').map(({ object }) => textOf(fieldAt(object, 'spec', 'group'))),
  );
  for (const [apiVersion, count] of without) {
    if (defined.has(apiVersion.slice(0, apiVersion.indexOf('/')))) continue;
    found.push({
      id: 'SchemaNotRead',
      severity: 'unknown',
      message: `The fields that ${target.surface.cluster.name} knows of ${apiVersion} are not known, so ${count} of its objects were not compared with them.`,
      fix: 'Let our credential read /openapi/v3, and see that the API group answers.',
    });
  }
  return found;
}

function checkDefinitions({ captured, target }: RuleContext): Found[] {
  const there = new Map(factsOf(target, 'CustomResourceDefinition').map((object) => [object.metadata.name, object]));
  return captured.objects.flatMap(({ object }) => {
    const other = object.kind === 'CustomResourceDefinition' ? there.get(object.metadata.name) : undefined;
    return other === undefined ? [] : compareDefinitions(object, other, captured, target.surface.cluster.name);
  });
}

function compareDefinitions(source: KubeObject, target: KubeObject, captured: RuleContext['captured'], where: string): Found[] {
  const subject = { group: 'apiextensions.k8s.io', kind: source.kind, name: source.metadata.name };
  const found: Found[] = [];
  const scope = (object: KubeObject) => textOf(fieldAt(object, 'spec', 'scope')) ?? '';
  if (scope(source) !== scope(target)) {
    found.push({
      id: 'DefinitionScopeDiffers',
      severity: 'block',
      subject,
      message: `${where} defines ${source.metadata.name} with the scope ${scope(target)}, the source with ${scope(source)}.`,
      fix: 'They are two different things under one name: bring both operators to the same version.',
    });
  }
  const versions = (object: KubeObject, mark: string) =>
    listOf(fieldAt(object, 'spec', 'versions'))
      .filter((each) => fieldAt(each, mark) === true)
      .map((each) => textOf(fieldAt(each, 'name')) ?? '');
  const used = new Set(
    captured.objects
      .filter(({ resource }) => `${resource.resource}.${resource.group}` === source.metadata.name)
      .flatMap(({ object }) => [
        object.apiVersion,
        ...listOf(object.metadata.managedFields).map((each) => textOf(fieldAt(each, 'apiVersion')) ?? ''),
      ])
      .map((apiVersion) => apiVersion.slice(apiVersion.indexOf('/') + 1)),
  );
  const missing = versions(source, 'served').filter((each) => used.has(each) && !versions(target, 'served').includes(each));
  if (missing.length > 0) {
    found.push({
      id: 'DefinitionVersionMissing',
      severity: 'warn',
      subject,
      message: `${where} does not serve ${missing.join(', ')} of ${source.metadata.name}, which the source uses; it serves ${versions(target, 'served').join(', ')}.`,
      fix: 'Bring the operator on the target to the version of the source, and see which fields its versions share.',
    });
  }
  const [from, to] = [versions(source, 'storage').join(), versions(target, 'storage').join()];
  if (from !== to) {
    found.push({
      id: 'DefinitionStorageDiffers',
      severity: 'info',
      subject,
      message: `${source.metadata.name} is stored as ${to} on ${where} and as ${from} on the source.`,
    });
  }
  const conversion = (object: KubeObject) => textOf(fieldAt(object, 'spec', 'conversion', 'strategy')) ?? 'None';
  if (conversion(source) !== conversion(target)) {
    found.push({
      id: 'DefinitionConversionDiffers',
      severity: 'warn',
      subject,
      message: `${source.metadata.name} is converted by ${conversion(target)} on ${where} and by ${conversion(source)} on the source.`,
      fix: 'Bring the operator on the target to the version of the source.',
    });
  }
  return found;
}

function checkAggregated({ moving, target }: RuleContext): Found[] {
  const used = new Set(moving.map(({ resource }) => resource.group));
  return factsOf(target, 'APIService').flatMap((service): Found[] => {
    const group = textOf(fieldAt(service, 'spec', 'group')) ?? '';
    const backend = fieldAt(service, 'spec', 'service');
    const down = find(service, 'status.conditions[*]').some(
      ({ value }) => fieldAt(value, 'type') === 'Available' && fieldAt(value, 'status') === 'False',
    );
    if (!used.has(group) || !isRecord(backend) || !down) return [];
    return [
      {
        id: 'AggregatedApiUnavailable',
        severity: 'block',
        subject: { group: 'apiregistration.k8s.io', kind: 'APIService', name: service.metadata.name },
        message: `The server behind ${service.metadata.name} on ${target.surface.cluster.name} is not available, and objects of ${group} move.`,
        fix: `Repair the service ${String(backend['namespace'])}/${String(backend['name'])}.`,
      },
    ];
  });
}

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/** API versions in which clients have written an object, with the client's name where it is known. */
export function usedVersions(object: KubeObject): { apiVersion: string; by: string }[] {
  const found = new Map<string, string>();
  for (const entry of listOf(object.metadata.managedFields)) {
    const apiVersion = textOf(fieldAt(entry, 'apiVersion'));
    if (apiVersion !== undefined) found.set(apiVersion, textOf(fieldAt(entry, 'manager')) ?? 'a client');
  }
  try {
    const applied: unknown = JSON.parse(object.metadata.annotations?.[LAST_APPLIED] ?? 'null');
    const apiVersion = textOf(fieldAt(applied, 'apiVersion'));
    if (apiVersion !== undefined) found.set(apiVersion, 'kubectl apply');
  } catch {
    // somebody wrote something else there; then it is no evidence
  }
  return [...found].map(([apiVersion, by]) => ({ apiVersion, by }));
}

function checkUsedVersions({ captured, target }: RuleContext): Found[] {
  const release = target.surface.cluster.version;
  const found: Found[] = [];
  let beyond = false;
  for (const { object, resource } of captured.objects) {
    if (!isBuiltInGroup(resource.group)) continue;
    for (const { apiVersion, by } of usedVersions(object)) {
      const version = apiVersion.slice(apiVersion.indexOf('/') + 1);
      // Written through another group (extensions/v1beta1 Ingress): the group of that version counts.
      const group = apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '';
      const cycle = lifecycleOf(group, version, object.kind, release);
      const { namespace, name } = object.metadata;
      const subject = { group: resource.group, kind: object.kind, ...(namespace !== undefined && { namespace }), name };
      if (cycle.state === 'removed') {
        found.push({
          id: 'ApiVersionRemoved',
          severity: 'warn',
          subject,
          message: `${by} wrote it as ${apiVersion}, which Kubernetes removed in ${cycle.since}; ${target.surface.cluster.name} is ${release}.`,
          fix: cycle.replacement === undefined ? 'Nothing replaces it.' : `Change the manifests to ${cycle.replacement}.`,
        });
      } else if (cycle.state === 'deprecated') {
        found.push({
          id: 'ApiVersionDeprecated',
          severity: 'info',
          subject,
          message: `${by} wrote it as ${apiVersion}, which is deprecated since Kubernetes ${cycle.since}.`,
          ...(cycle.replacement !== undefined && { fix: `Change the manifests to ${cycle.replacement}.` }),
        });
      } else if (cycle.state === 'unknown' && cycle.why === 'release') beyond = true;
    }
  }
  if (beyond) {
    found.push({
      id: 'ApiVersionUnknown',
      severity: 'unknown',
      message: `Which API versions are deprecated in ${release} is not known: the table covers Kubernetes up to ${coversRelease}.`,
      fix: 'Use a later tranship, or read the release notes of the target for removed API versions.',
    });
  }
  return found;
}
