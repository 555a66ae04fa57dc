/** Pods that nobody can stop for the last copy: they stand against the move before it has stopped the rest. */
import type { Captured, UnstoppablePod } from '../api/captured.ts';
import type { Finding } from '../api/finding.ts';
import { refText } from '../api/object.ts';

export function stoppingFindings(captured: Pick<Captured, 'unstoppable'>): Finding[] {
  return (captured.unstoppable ?? []).map((each) => ({
    id: 'PodCannotBeStopped',
    severity: 'block',
    subject: each.pod,
    ...textsOf(each),
    proof: 'read',
  }));
}

function textsOf({ pod, owners, reason, claims }: UnstoppablePod): { message: string; fix: string } {
  const chain = owners.map((owner) => refText(owner)).join(', which belongs to ');
  const top = owners.at(-1);
  const owner = top === undefined ? '' : refText(top);
  const who = `Pod ${pod.namespace ?? ''}/${pod.name}${chain === '' ? '' : ` belongs to ${chain}`}`;
  const mounted = claims.length === 0 ? '' : ` It mounts ${claims.join(', ')}.`;
  const exclude = 'or exclude it with the label tranship.io/exclude=true';
  switch (reason) {
    case 'NoController':
      return {
        message: `${who} has no controller and mounts ${claims.join(', ')}: it can't be stopped and started again.`,
        fix: 'Put it under a Deployment or StatefulSet, or remove it.',
      };
    case 'OwnerNotStoppable':
      return {
        message: `${who}, a kind that can't be stopped by us: what it owns would be started again.${mounted}`,
        fix: `Let ${owner} scale its pods down before the move, ${exclude}.`,
      };
    case 'OwnerNotSelected':
      return {
        message: `${who}, which stays behind and is not stopped.${mounted}`,
        fix: `Remove ${owner} or wait for its end, let it move, ${exclude}.`,
      };
    case 'OwnerUnknown':
      return {
        message: `${who}, which does not exist or is hidden from us, so nothing is known to stop it.${mounted}`,
        fix: `Grant get and list on it, remove the pod, ${exclude}.`,
      };
    case 'ExcludedWithClaim':
      return {
        message: `${who}; it is excluded and would run on, but it mounts ${claims.join(', ')}, which moves.`,
        fix: 'Stop it before the move, or exclude the claim too.',
      };
    default:
      return reason satisfies never;
  }
}
