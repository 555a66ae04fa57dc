/** What happens to every object on its way, in order. */
import type { Captured, CapturedObject } from '../api/captured.ts';
import type { Mapping } from '../api/plan.ts';
import { BUILT_IN, type Rules } from '../rules/index.ts';
import { dnsNamesOf, rewriteServiceNames, type DnsNames } from './dns-names.ts';
import { draftOf, type Draft } from './draft.ts';
import { takeMarks } from './marks.ts';
import { dropForeignSubjects, renameNamespaces, type Renames } from './namespaces.ts';
import { removeServerFields } from './server-fields.ts';
import { resetService } from './service.ts';

export interface RuleContext {
  /** What is known about kinds. */
  rules: Rules;
  mapping: Mapping;
  renames: Renames;
  names: DnsNames;
  carriedSecrets: ReadonlySet<string>;
}

/** What the rules need to know of an application as a whole. */
export function ruleContextOf(captured: Captured, mapping: Mapping, rules: Rules = BUILT_IN): RuleContext {
  const renames: Renames = new Map(captured.namespaces.map((name) => [name, mapping.namespaces[name] ?? name]));
  const named = (kind: string) =>
    captured.objects.filter(({ object }) => object.kind === kind && object.apiVersion === 'v1').map(({ object }) => object.metadata);
  return {
    mapping,
    rules,
    renames,
    names: dnsNamesOf(
      renames,
      named('Service').map((service) => `${service.name}.${service.namespace ?? ''}`),
    ),
    carriedSecrets: new Set(named('Secret').map((secret) => `${secret.namespace ?? ''}/${secret.name}`)),
  };
}

export function applyRules(captured: CapturedObject, context: RuleContext): Draft {
  const draft = draftOf(captured);
  takeMarks(draft);
  // Before the managed fields go: they are the evidence for what the user set.
  resetService(draft, context.mapping.nodePorts);
  removeServerFields(draft, context.carriedSecrets);
  dropForeignSubjects(draft, context.renames);
  if (context.mapping.dnsNames) rewriteServiceNames(draft, context.names);
  renameNamespaces(draft, context.renames, context.rules);
  return draft;
}
