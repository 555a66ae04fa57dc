/** A surface file without the names of nodes: they often tell about machines and people. Pure. */
import { find } from '../api/fields.ts';
import type { KubeObject } from '../api/object.ts';
import type { SurfaceFile } from '../api/surface-file.ts';

const HOST_LABEL = 'kubernetes.io/hostname';

export function nameless(file: SurfaceFile): SurfaceFile {
  const names = new Map<string, string>();
  const nodes = file.facts.objects.filter(({ kind }) => kind === 'Node').map(({ metadata }) => metadata.name);
  for (const name of nodes.toSorted()) names.set(name, `node-${names.size + 1}`);
  const renamed = (name: string): string => {
    if (!names.has(name)) names.set(name, `node-${names.size + 1}`);
    return names.get(name) ?? name;
  };
  const objects = file.facts.objects.map((object) => (['Node', 'CSINode'].includes(object.kind) ? renamedNode(object, renamed) : object));
  const usage = file.facts.usage?.map((each) => ({ ...each, node: renamed(each.node) }));
  const application = file.application;
  return {
    ...file,
    facts: { ...file.facts, objects, usage },
    ...(application !== undefined && {
      application: {
        ...application,
        volumes: application.volumes.map((volume) => ({
          ...volume,
          usedBy: volume.usedBy.map((each) => ({ ...each, node: each.node === undefined ? undefined : renamed(each.node) })),
        })),
        objects: application.objects.map((each) => ({ ...each, object: unscheduled(each.object, renamed) })),
      },
    }),
  };
}

function renamedNode(object: KubeObject, renamed: (name: string) => string): KubeObject {
  const copy = structuredClone(object);
  copy.metadata.name = renamed(object.metadata.name);
  for (const hit of find(copy, `metadata.labels["${HOST_LABEL}"]`)) hit.set(renamed(object.metadata.name));
  return copy;
}

/** Nodes that an object names in the fields that are made for it. */
function unscheduled(object: KubeObject, renamed: (name: string) => string): KubeObject {
  const annotation = 'volume.kubernetes.io/selected-node';
  const paths = [
    'spec.nodeName',
    'spec.template.spec.nodeName',
    `metadata.annotations["${annotation}"]`,
    'status.hostIP',
    'status.hostIPs',
  ];
  if (!paths.some((path) => find(object, path).length > 0)) return object;
  const copy = structuredClone(object);
  for (const hit of paths.flatMap((path) => find(copy, path))) {
    if (hit.pointer.startsWith('/status')) hit.remove();
    else if (typeof hit.value === 'string' && hit.value !== '') hit.set(renamed(hit.value));
  }
  return copy;
}
