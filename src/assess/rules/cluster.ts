/** The move itself: rights, collisions, owners, what was asked for. Most of it is found by capture and plan. */
import type { Found, Rule, RuleContext } from '../rule.ts';
import { some } from '../rule.ts';

export const clusterRules: readonly Rule[] = [
  {
    id: 'RGT-1',
    title: 'Our credential may do what a move needs',
    severity: 'block',
    proof: 'clusters',
    reads: 'access reviews on both clusters; what was refused while reading',
    fix: 'Grant the rights, or use another context.',
    reason: 'A right that is missing shows at the step that needs it, which may be after the stop.',
    findings: ['RightMissing', 'KindForbidden', 'KindNotReadable', 'SurfaceNotReadable', 'FactNotReadable'],
    check: checkRights,
  },
  {
    id: 'COL-1',
    title: 'Nothing of the same name is in the way on the target',
    severity: 'block',
    proof: 'clusters',
    reads: 'objects of the target namespaces, cluster-scoped objects of the same names',
    fix: 'Choose another target namespace, remove what is there, or say what to do with it: --existing.',
    reason: 'Overwriting what belongs to others is worse than not moving.',
    findings: ['ObjectsExist', 'ClaimExists', 'ClusterObjectDiffers', 'SharedObjectDiffers', 'BindingExtended', 'SystemObjectMissing'],
  },
  {
    id: 'DEP-1',
    title: 'What the pods refer to moves along or is there',
    severity: 'warn',
    proof: 'clusters',
    reads: 'references of pod templates; objects of the plan and of the target',
    fix: 'Create it in the target namespace.',
    reason: 'A pod whose Secret or ConfigMap is missing does not start.',
    findings: ['ReferenceMissing'],
  },
  {
    id: 'TRF-1',
    title: 'Transforms do what was meant',
    severity: 'block',
    proof: 'objects',
    reads: 'the transforms of the move, tried on its objects',
    fix: 'Try the set with "tranship transform test", and correct the subject or the operation.',
    reason:
      'A transform that fits nothing is most often a typing error, and one that fails half-way would leave an object as nobody meant it.',
    findings: ['TransformFailed', 'TransformCollision', 'TransformUnused', 'TransformWithoutEffect'],
  },
  {
    id: 'OWN-1',
    title: 'Nobody else manages the objects',
    severity: 'warn',
    proof: 'objects',
    reads: 'labels and annotations of Argo CD, Flux, OLM; records of Helm',
    fix: 'Pause the tool on the source, and add the target to it.',
    reason: 'A tool that applies from elsewhere starts the stopped application again.',
    findings: ['ManagedElsewhere', 'HelmReleaseRenamed'],
  },
  {
    id: 'FIN-1',
    title: 'Finalizers have their controller on the target',
    severity: 'info',
    proof: 'objects',
    reads: 'finalizers of the objects',
    fix: 'Install the controller on the target.',
    reason: 'Without it the object can never be deleted.',
    findings: ['ForeignFinalizer'],
  },
  {
    id: 'SIZ-1',
    title: 'No object is too large',
    severity: 'warn',
    proof: 'objects',
    reads: 'size of the objects',
    fix: 'Split the object.',
    reason: 'etcd refuses objects of more than 1.5 MiB; another field owner can push one over the limit.',
    findings: ['ObjectLarge'],
  },
  {
    id: 'INP-1',
    title: 'What was asked for is possible',
    severity: 'block',
    proof: 'clusters',
    reads: 'the flags, the namespaces and classes of both clusters',
    fix: 'Correct the mapping.',
    reason: 'Most mistakes of a mapping are typing errors.',
    findings: ['SameNamespace', 'InvalidNamespaceName', 'NamespacesMerged', 'MappingUnused'],
  },
];

function checkRights({ source, target }: RuleContext): Found[] {
  const found: Found[] = [];
  for (const { surface, facts } of [source, target]) {
    const missing = facts.rights.filter(({ allowed }) => !allowed);
    // Full rights on roles may come by binding what one has: a warning, because it depends on the roles.
    const hard = missing.filter(({ verb }) => verb !== 'escalate');
    const named = (rights: typeof missing) =>
      some(
        rights.map(({ verb, group, resource }) => `${verb} ${group === '' ? resource : `${resource}.${group}`}`),
        12,
      );
    if (hard.length > 0) {
      found.push({
        id: 'RightMissing',
        severity: 'block',
        message: `Our credential on ${surface.cluster.name} may not: ${named(hard)}.`,
        fix: 'Grant these rights, or use another context.',
      });
    }
    if (missing.length > hard.length) {
      found.push({
        id: 'RightMissing',
        severity: 'info',
        message: `Our credential on ${surface.cluster.name} may create only roles whose rights it has itself.`,
        fix: 'If roles that move say more, grant escalate on roles.',
      });
    }
    for (const { group, resource, namespace, message } of facts.unread) {
      found.push({
        id: 'FactNotReadable',
        severity: 'unknown',
        message: `${group === '' ? resource : `${resource}.${group}`} of ${surface.cluster.name}${namespace === undefined ? '' : ` in ${namespace}`} can't be read: ${message}`,
        fix: 'Grant list on it; the checks that need it are not made.',
      });
    }
  }
  return found;
}
