/** Pure: what a failed write is called in a report. */
import { codeOf, sentenceOf } from '../errors.ts';
import { kubeDetails, passingReason } from '../kube/index.ts';

/** The reason of a Failed outcome: ours when the failure would have passed but did not in time, else the server's. */
export function failureReason(error: unknown): string {
  const message = sentenceOf(error);
  if (/admission webhook "[^"]+" denied/.test(message)) return 'AdmissionDenied';
  if (message.includes('exceeded quota')) return 'QuotaExceeded';
  if (message.includes('violates PodSecurity')) return 'PodSecurity';
  return passingReason(error) ?? kubeDetails(error)?.reason ?? codeOf(error);
}
