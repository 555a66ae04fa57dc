/** What `tranship assess` says: findings by the rules of one catalogue, what was not proven, and the questions that nobody can read. */
import { z } from 'zod';
import type { Finding } from './finding.ts';
import { apiVersion } from './meta.ts';

export interface AssessedFinding extends Finding {
  /** Id of the rule in the catalogue (docs/findings.md). */
  rule: string;
  /** Why somebody lives with it: from the answers file. It counts no more. */
  accepted?: string;
}

export interface AssessedRule {
  rule: string;
  title: string;
}

export interface AssessedQuestion {
  id: string;
  question: string;
  why: string;
  /** A question that could stand against the move when its answer is bad. */
  canBlock: boolean;
  answer?: string;
  /** Absent while nobody has answered. */
  result?: 'pass' | 'warn' | 'block';
  /** What the answer means. */
  remark?: string;
}

/** clear: nothing stands against the move. open: nothing is known to, but something that could is not known. blocked: something does. */
export type Verdict = 'clear' | 'open' | 'blocked';

export interface Assessment {
  apiVersion: typeof apiVersion;
  kind: 'Assessment';
  tool: string;
  verdict: Verdict;
  source: AssessedCluster;
  target: AssessedCluster;
  namespaces: { source: string; target: string }[];
  objects: number;
  volumes: number;
  volumeBytes: number;
  counts: { block: number; unknown: number; warn: number; info: number; accepted: number; openQuestions: number };
  findings: AssessedFinding[];
  /** Rules that were checked and found nothing. */
  passed: AssessedRule[];
  /** Rules that could not be checked in full, and why. */
  notProven: (AssessedRule & { reason: string })[];
  questions: AssessedQuestion[];
}

export interface AssessedCluster {
  id: string;
  name: string;
  version: string;
  /** RFC 3339, UTC: when it was read. */
  readAt: string;
}

const reach = z.enum(['reachable', 'unreachable']);
const scalar = z.union([z.string().max(4096), z.number(), z.boolean(), z.array(z.string().max(512)).max(1000)]);

/** The file of `--answers`: what a tool cannot read. */
export const answersSchema = z.strictObject({
  apiVersion: z.literal(apiVersion),
  kind: z.literal('AssessmentAnswers'),
  answers: z.record(z.string(), scalar.nullable()).default({}),
  endpoints: z.record(z.string(), reach).default({}),
  registries: z.record(z.string(), reach).default({}),
  accepted: z
    .array(z.strictObject({ finding: z.string(), subject: z.string().optional(), reason: z.string().min(1) }))
    .max(10_000)
    .default([]),
});

export type AnswersFile = z.infer<typeof answersSchema>;
