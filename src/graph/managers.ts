/** Who else writes to an object: a tool that applies from elsewhere undoes what a move does. Pure. */
import type { KubeObject } from '../api/object.ts';

export interface Manager {
  tool: 'Helm' | 'Argo CD' | 'Flux' | 'OLM';
  /** `Helm release shop`, for people. */
  text: string;
  /** What to do about it during a move; absent where moving the object is all. */
  fix?: string;
}

/** The first that marks the object as its own; undefined for objects that a person or a controller has written. */
export function managerOf(object: KubeObject): Manager | undefined {
  const labels = object.metadata.labels ?? {};
  const annotations = object.metadata.annotations ?? {};
  const tracking = annotations['argocd.argoproj.io/tracking-id'];
  if (tracking !== undefined) {
    return {
      tool: 'Argo CD',
      text: `Argo CD application ${tracking.split(':')[0] ?? ''}`,
      fix: 'Add the target cluster to the Argo CD application, and pause its automatic sync during the move.',
    };
  }
  for (const [kind, prefix] of [
    ['Kustomization', 'kustomize'],
    ['HelmRelease', 'helm'],
  ] as const) {
    const name = labels[`${prefix}.toolkit.fluxcd.io/name`];
    if (name === undefined) continue;
    return {
      tool: 'Flux',
      text: `Flux ${kind} ${labels[`${prefix}.toolkit.fluxcd.io/namespace`] ?? ''}/${name}`,
      fix: 'Suspend it on the source during the move, and let Flux of the target take over afterwards.',
    };
  }
  const operator = Object.keys(labels).find((key) => key.startsWith('operators.coreos.com/'));
  if (operator !== undefined) {
    return { tool: 'OLM', text: `OLM ${operator.slice(operator.indexOf('/') + 1)}`, fix: 'The operator must be installed on the target.' };
  }
  const release = annotations['meta.helm.sh/release-name'];
  return release === undefined ? undefined : { tool: 'Helm', text: `Helm release ${release}` };
}
