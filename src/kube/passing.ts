/** Pure: which refusals of an API server pass by themselves, and which are an answer. Data: a row is a name, a test and what it waits for. */
import { codeOf, sentenceOf } from '../errors.ts';
import { kubeDetails } from './failures.ts';

interface PassingRow {
  reason: string;
  when: (details: { status: number; reason: string; message: string }) => boolean;
}

const PASSING: readonly PassingRow[] = [
  { reason: 'WebhookNotUp', when: ({ status, message }) => status === 500 && message.includes('failed calling webhook') },
  { reason: 'NamespaceTerminating', when: ({ status, message }) => status === 403 && message.includes('because it is being terminated') },
  { reason: 'NamespaceNotYetThere', when: ({ status, message }) => status === 404 && /namespaces? "[^"]+" not found/.test(message) },
  { reason: 'KindNotYetServed', when: ({ reason }) => reason === 'NotServed' },
  // The quota controller has not counted yet, or others have changed the quota at the same moment.
  { reason: 'QuotaRecalculation', when: ({ status, message }) => status === 403 && message.includes('status unknown for quota') },
  { reason: 'QuotaRecalculation', when: ({ status, message }) => status === 409 && message.includes('resourcequotas') },
  { reason: 'AccountNotYetThere', when: ({ status, message }) => status === 403 && message.includes('error looking up service account') },
  { reason: 'ChangedMeanwhile', when: ({ reason }) => reason === 'Conflict' },
  { reason: 'ObjectBeingDeleted', when: ({ message }) => message.includes('object is being deleted') },
  { reason: 'ServerBusy', when: ({ status }) => status === 429 || status === 502 || status === 503 || status === 504 },
];

/** Why a failed write is worth another try; undefined when the answer will not change. */
export function passingReason(error: unknown): string | undefined {
  const details = kubeDetails(error);
  if (details?.outcome === 'unknown') return 'ConnectionCut';
  if (codeOf(error) === 'Unreachable' && details?.status === undefined) return 'Unreachable';
  if (details?.status === undefined) return undefined;
  const asked = { status: details.status, reason: details.reason ?? '', message: sentenceOf(error) };
  return PASSING.find((row) => row.when(asked))?.reason;
}
