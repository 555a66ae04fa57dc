/** What is already on the target: which action each object gets, and when that stands against the move. */
import { migrationLabel } from '../api/meta.ts';
import type { Finding } from '../api/finding.ts';
import { canonicalJson, fieldAt, isRecord, textOf } from '../api/fields.ts';
import { refOf, refText, type KubeObject, type ObjectRef } from '../api/object.ts';
import type { Mapping, PlanStep, Surface } from '../api/plan.ts';
import { MANIFEST_HASH_ANNOTATION } from './marks.ts';

export interface Decision {
  action: PlanStep['action'];
  finding?: Finding;
  /** Set when a foreign object of this name is in the target namespace and the mapping says `Fail`. */
  collides?: true;
  /** Set when the object is left as it is on the target. */
  kept?: true;
}

/** Objects of a surface by refText. */
export function indexExisting(target: Surface): ReadonlyMap<string, KubeObject> {
  return new Map(target.existing.map((object) => [refText(refOf(object)), object]));
}

/** What a collision of two cluster-scoped objects is judged by: content, without what servers and tools add. */
function contentOf(object: KubeObject): string {
  const { metadata, status, apiVersion, ...content } = object;
  void [metadata, status, apiVersion];
  // The rules of an aggregated role are written by the controller of its cluster.
  if (isRecord(content['aggregationRule'])) delete content['rules'];
  return canonicalJson(content);
}

/** Two bindings of one role give rights to the accounts of both: ours are added. Of two roles, one name can hold only one. */
function extendsBinding(target: ObjectRef, manifest: KubeObject, existing: KubeObject): boolean {
  return target.kind === 'ClusterRoleBinding' && canonicalJson(manifest['roleRef']) === canonicalJson(existing['roleRef']);
}

/** Cluster-scoped kinds whose presence is what matters: whatever the target has under that name is what its users rely on. */
const TARGET_DECIDES: ReadonlySet<string> = new Set([
  'Namespace',
  'CustomResourceDefinition.apiextensions.k8s.io',
  'IngressClass.networking.k8s.io',
  'RuntimeClass.node.k8s.io',
  'GatewayClass.gateway.networking.k8s.io',
  'PriorityClass.scheduling.k8s.io',
]);

export function decide(
  target: ObjectRef,
  manifest: KubeObject,
  existing: KubeObject | undefined,
  options: { mapping: Mapping; migration: string; shared: boolean; targetName: string },
): Decision {
  // Accounts are merged in every mode: the cluster makes `default` itself, and pull secrets of both sides are needed.
  if (target.kind === 'ServiceAccount' && target.group === '') return { action: 'Merge' };
  if (existing === undefined || existing.metadata.annotations?.[migrationLabel] === options.migration) return { action: 'Create' };
  if (target.namespace === undefined) return decideClusterScoped(target, manifest, existing, options);
  switch (options.mapping.existing) {
    case 'Skip':
      return { action: 'Exists', kept: true };
    case 'Update':
      return { action: 'Update' };
    case 'Recreate':
      return { action: 'Recreate' };
    case 'Fail':
      return { action: 'Create', collides: true };
    default:
      return options.mapping.existing satisfies never;
  }
}

function decideClusterScoped(
  target: ObjectRef,
  manifest: KubeObject,
  existing: KubeObject,
  options: { mapping: Mapping; shared: boolean; targetName: string },
): Decision {
  const kind = target.group === '' ? target.kind : `${target.kind}.${target.group}`;
  if (TARGET_DECIDES.has(kind) || contentOf(existing) === contentOf(manifest)) return { action: 'Exists', kept: true };
  if (extendsBinding(target, manifest, existing)) {
    return {
      action: 'Merge',
      finding: {
        id: 'BindingExtended',
        severity: 'info',
        subject: target,
        message: `${refText(target)} is on ${options.targetName} for the same role; the accounts of the application are added to it.`,
        proof: 'read',
      },
    };
  }
  if (options.shared) {
    return {
      action: 'Exists',
      kept: true,
      finding: {
        id: 'SharedObjectDiffers',
        severity: 'warn',
        subject: target,
        message: `${refText(target)} is on ${options.targetName} with other content; it is shared with others and left as it is.`,
        fix: 'Compare both, and change the one on the target by hand when the application needs it.',
        proof: 'read',
      },
    };
  }
  if (options.mapping.existing === 'Skip') return { action: 'Exists', kept: true };
  if (options.mapping.existing === 'Update') return { action: 'Update' };
  if (options.mapping.existing === 'Recreate') return { action: 'Recreate' };
  return {
    action: 'Create',
    finding: {
      id: 'ClusterObjectDiffers',
      severity: 'block',
      subject: target,
      message: `${refText(target)} is already on ${options.targetName} with other content.`,
      fix: 'Rename one of them, or choose what to do with existing objects (skip, update or recreate).',
      proof: 'read',
    },
  };
}

/** For a claim that is there: its content is never touched, whatever the mapping says about other objects. */
export function claimExists(target: ObjectRef, targetName: string): Finding {
  return {
    id: 'ClaimExists',
    severity: 'block',
    subject: target,
    message: `${refText(target)} is already on ${targetName}; the content of an existing claim is never overwritten.`,
    fix: 'Remove it, or choose another target namespace.',
    proof: 'read',
  };
}

/**
 * Our own claim from an earlier try, where a volume must go now. Unbound it is no obstacle: the volume is bound to it. Bound, it depends on how
 * it came to be: handed over by us it is this volume (a claim that was written as an object carries the hash of its manifest, a handed-over one
 * does not); made as an object it has a volume of its own, in which the application may have written.
 */
export function hasOwnVolume(claim: KubeObject | undefined): boolean {
  return (
    textOf(fieldAt(claim, 'spec', 'volumeName')) !== undefined && claim?.metadata.annotations?.[MANIFEST_HASH_ANNOTATION] !== undefined
  );
}

/** One finding per target namespace that holds objects of ours' names, with the first of them listed. */
export function collisionFindings(colliding: readonly ObjectRef[], targetName: string): Finding[] {
  const byNamespace = Map.groupBy(colliding, (ref) => ref.namespace ?? '');
  return [...byNamespace].map(([namespace, refs]) => {
    const names = refs.map((ref) => `${ref.kind} ${ref.name}`).toSorted();
    const shown = names.slice(0, 10).join(', ');
    return {
      id: 'ObjectsExist',
      severity: 'block',
      subject: { group: '', kind: 'Namespace', name: namespace },
      message: `Namespace ${namespace} on ${targetName} already holds ${names.length} of the objects: ${shown}${names.length > 10 ? ', …' : ''}.`,
      fix: 'Choose another target namespace, remove them, or choose what to do with existing objects (skip, update or recreate).',
      proof: 'read',
    };
  });
}

/** For what a cluster brings along by itself (system roles): it has to be there, and is never written. */
export function mustExist(target: ObjectRef, existing: KubeObject | undefined, targetName: string): Decision {
  if (existing !== undefined) return { action: 'Exists', kept: true };
  return {
    action: 'Exists',
    finding: {
      id: 'SystemObjectMissing',
      severity: 'block',
      subject: target,
      message: `${refText(target)}, which the application refers to, does not exist on ${targetName}.`,
      fix: `Create it on ${targetName}.`,
      proof: 'read',
    },
  };
}
