/** Checks on what the user asked for, before any single object is looked at. */
import type { Captured } from '../api/captured.ts';
import { byText } from '../api/fields.ts';
import type { Finding } from '../api/finding.ts';
import type { Mapping, Surface } from '../api/plan.ts';
import type { Renames } from './namespaces.ts';

const namespaceRef = (name: string) => ({ group: '', kind: 'Namespace', name });

export function checkInput(captured: Captured, mapping: Mapping, source: Surface, target: Surface, renames: Renames): Finding[] {
  const findings: Finding[] = [];
  for (const [from, to] of [...renames].toSorted(([a], [b]) => byText(a, b))) {
    if (from === to && source.cluster.id === target.cluster.id) {
      findings.push({
        id: 'SameNamespace',
        severity: 'block',
        subject: namespaceRef(from),
        message: `${source.cluster.name} and ${target.cluster.name} are the same cluster, and the namespace ${from} would move onto itself.`,
        fix: `Name another cluster, or another namespace: --map-namespace ${from}=NAME.`,
        proof: 'read',
      });
    }
    if (!/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(to) || to.length > 63) {
      findings.push({
        id: 'InvalidNamespaceName',
        severity: 'block',
        subject: namespaceRef(to),
        message: `"${to}" can't be the name of a namespace.`,
        fix: 'Use at most 63 lower case letters, digits and "-", beginning and ending with a letter or digit.',
        proof: 'read',
      });
    }
  }
  for (const [to, sources] of Map.groupBy(renames, ([, target_]) => target_)) {
    if (sources.length < 2) continue;
    const names = sources.map(([from]) => from).toSorted(byText);
    findings.push({
      id: 'NamespacesMerged',
      severity: 'block',
      subject: namespaceRef(to),
      message: `The namespaces ${names.join(' and ')} would both become ${to}.`,
      fix: 'Give each its own target namespace.',
      proof: 'read',
    });
  }
  findings.push(...unusedMappings(captured, mapping, source, renames));
  return findings;
}

/** A mapping that matches nothing is most often a typing error. */
function unusedMappings(captured: Captured, mapping: Mapping, source: Surface, renames: Renames): Finding[] {
  const findings: Finding[] = [];
  for (const from of Object.keys(mapping.namespaces).toSorted(byText)) {
    if (renames.has(from)) continue;
    findings.push({
      id: 'MappingUnused',
      severity: 'warn',
      message: `The namespace ${from} is mapped but not part of the move.`,
      fix: `The move has: ${captured.namespaces.toSorted(byText).join(', ')}.`,
      proof: 'read',
    });
  }
  for (const from of Object.keys(mapping.storageClasses).toSorted(byText)) {
    if (from === '' || source.storageClasses.some((each) => each.name === from)) continue;
    if (captured.volumes.some((each) => each.storageClass === from)) continue;
    findings.push({
      id: 'MappingUnused',
      severity: 'warn',
      message: `The storage class ${from} is mapped, but ${source.cluster.name} has no class of that name.`,
      fix: `It has: ${source.storageClasses
        .map((each) => each.name)
        .toSorted(byText)
        .join(', ')}.`,
      proof: 'read',
    });
  }
  return findings;
}

/**
 * What a surface does not show because it was refused to us is not "nothing". A claim that we do not see could stand where a volume must go,
 * and would be met only after the application was stopped.
 */
export function unreadFindings(surface: Surface, role: 'source' | 'target'): Finding[] {
  return (surface.unread ?? []).map(({ group, resource, namespace, message }) => {
    const what = group === '' ? resource : `${resource}.${group}`;
    return {
      id: 'SurfaceNotReadable',
      severity: role === 'target' && what === 'persistentvolumeclaims' ? 'block' : 'unknown',
      ...(namespace !== undefined && { subject: namespaceRef(namespace) }),
      message: `Which ${what} ${surface.cluster.name} has${namespace === undefined ? '' : ` in ${namespace}`} is not known: ${message}`,
      fix: `Grant list on ${what}.`,
      proof: 'asked',
    };
  });
}
