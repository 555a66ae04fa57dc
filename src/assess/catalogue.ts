/** The whole catalogue: every finding of capture, plan and assessment belongs to exactly one rule of it (a test sees to that). */
import type { Rule } from './rule.ts';
import { admissionRules } from './rules/admission.ts';
import { apiRules } from './rules/api.ts';
import { capacityRules } from './rules/capacity.ts';
import { clusterRules } from './rules/cluster.ts';
import { networkRules } from './rules/network.ts';
import { outsideRules } from './rules/outside.ts';
import { storageRules } from './rules/storage.ts';

export const CATALOGUE: readonly Rule[] = [
  ...apiRules,
  ...admissionRules,
  ...capacityRules,
  ...storageRules,
  ...networkRules,
  ...outsideRules,
  ...clusterRules,
];

const byFinding = new Map(CATALOGUE.flatMap((rule) => rule.findings.map((id) => [id, rule] as const)));

/** The rule that a finding belongs to; undefined for ids that no version of ours has made. */
export function ruleOf(findingId: string): Rule | undefined {
  return byFinding.get(findingId);
}
