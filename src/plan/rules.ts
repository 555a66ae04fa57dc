/** What happens to every object on its way, in order. */
import type { CapturedObject } from '../api/captured.ts';
import type { Mapping } from '../api/plan.ts';
import { rewriteServiceNames, type DnsNames } from './dns-names.ts';
import { draftOf, type Draft } from './draft.ts';
import { takeMarks } from './marks.ts';
import { dropForeignSubjects, renameNamespaces, type Renames } from './namespaces.ts';
import { removeServerFields } from './server-fields.ts';
import { resetService } from './service.ts';

export interface RuleContext {
  mapping: Mapping;
  renames: Renames;
  names: DnsNames;
  carriedSecrets: ReadonlySet<string>;
}

export function applyRules(captured: CapturedObject, context: RuleContext): Draft {
  const draft = draftOf(captured);
  takeMarks(draft);
  // Before the managed fields go: they are the evidence for what the user set.
  resetService(draft, context.mapping.nodePorts);
  removeServerFields(draft, context.carriedSecrets);
  dropForeignSubjects(draft, context.renames);
  if (context.mapping.dnsNames) rewriteServiceNames(draft, context.names);
  renameNamespaces(draft, context.renames);
  return draft;
}
