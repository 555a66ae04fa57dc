/**
 * Velero's resource modifiers (velero.io/docs, "Restore Resource Modifiers") as transforms. A rule becomes one transform: its conditions the
 * subject, its patches the operations; a failed test undoes the rule, as a JSON patch is all or nothing. Values are texts there, and their type is guessed
 * by Velero's rule. Not taken over: that a rule which fails is only reported; here it stands against the move.
 */
import { parse } from 'yaml';
import { z } from 'zod';
import { isRecord } from '../api/fields.ts';
import { labelSelector, type TransformInput } from '../api/transform.ts';
import { TranshipError } from '../errors.ts';

const patch = z.strictObject({
  operation: z.enum(['test', 'add', 'remove', 'replace', 'copy', 'move']),
  path: z.string(),
  from: z.string().optional(),
  value: z.string().optional(),
});
const patchData = z.strictObject({ patchData: z.string() });
const rule = z.strictObject({
  conditions: z.strictObject({
    namespaces: z.array(z.string()).optional(),
    groupResource: z.string().min(1),
    resourceNameRegex: z.string().optional(),
    labelSelector: labelSelector.optional(),
    matches: z.array(z.strictObject({ path: z.string(), value: z.string().optional() })).optional(),
  }),
  patches: z.array(patch).optional(),
  mergePatches: z.array(patchData).optional(),
  strategicPatches: z.array(patchData).optional(),
});
const modifiers = z.strictObject({ version: z.literal('v1'), resourceModifierRules: z.array(rule).min(1) });

/** The file itself, or the ConfigMap that Velero reads it from. */
export function isModifiers(value: unknown): boolean {
  return isRecord(value) && ('resourceModifierRules' in value || (value['kind'] === 'ConfigMap' && value['apiVersion'] === 'v1'));
}

/** @throws InvalidInput naming the rule and what is wrong */
export function fromModifiers(value: unknown, where: string): TransformInput[] {
  const result = modifiers.safeParse(isRecord(value) && value['kind'] === 'ConfigMap' ? inside(value, where) : value);
  if (!result.success) {
    const [issue] = result.error.issues;
    throw invalid(where, `${(issue?.path ?? []).join('.')}: ${issue?.message ?? 'is not valid'}`);
  }
  return result.data.resourceModifierRules.map((each, index) => transformOf(each, `modifier ${index + 1}`, where));
}

function inside(configMap: Record<string, unknown>, where: string): unknown {
  const texts = isRecord(configMap['data']) ? Object.values(configMap['data']) : [];
  const [text] = texts;
  if (texts.length !== 1 || typeof text !== 'string') throw invalid(where, 'a ConfigMap with modifiers has exactly one entry in data');
  return yaml(text, where);
}

function transformOf(
  { conditions, patches, mergePatches, strategicPatches }: z.infer<typeof rule>,
  name: string,
  where: string,
): TransformInput {
  const { namespaces = [], groupResource, resourceNameRegex, labelSelector: labels, matches = [] } = conditions;
  const everywhere = namespaces.length === 0 || namespaces.includes('*');
  const subject: TransformInput['subject'] = {
    groupResource,
    ...(!everywhere && { namespaces }),
    ...(resourceNameRegex !== undefined && resourceNameRegex !== '' && { nameRegex: resourceNameRegex }),
    ...(labels !== undefined && { labels }),
    ...(matches.length > 0 && { where: matches.map(({ path, value }) => ({ path, value: guessed(value ?? '', where) })) }),
  };
  const given = [patches, mergePatches, strategicPatches].filter((list) => list !== undefined && list.length > 0);
  if (given.length !== 1) throw invalid(where, `${name} must have exactly one of patches, mergePatches and strategicPatches`);
  if (mergePatches !== undefined) return { name, subject, merge: mergePatches.map((each) => yaml(each.patchData, where)) };
  if (strategicPatches !== undefined) return { name, subject, strategic: strategicPatches.map((each) => yaml(each.patchData, where)) };
  return { name, subject, onTestFailed: 'UndoAll', json: (patches ?? []).map((each) => operationOf(each, name, where)) };
}

function operationOf(
  { operation: op, path, from, value }: z.infer<typeof patch>,
  name: string,
  where: string,
): NonNullable<TransformInput['json']>[number] {
  if ([path, from ?? ''].some((each) => each.split('/').some((token) => token === '*' || token === '**'))) {
    throw invalid(where, `${name}: ${path} has a key "*", which is a wildcard in transforms`);
  }
  if (op === 'remove') return { op, path };
  if (op === 'copy' || op === 'move') {
    if (from === undefined) throw invalid(where, `${name}: ${op} ${path} needs from`);
    return { op, from, path };
  }
  return { op, path, value: guessed(value ?? '', where) };
}

/** Velero's rule: null, booleans, numbers, and what begins as a map or list are that; a text in quotes of its own is what is between them. */
function guessed(text: string, where: string): unknown {
  if (text.length > 1 && text.startsWith('"') && text.endsWith('"')) return text.slice(1, -1);
  if (/^(?:true|false)$/i.test(text)) return text.toLowerCase() === 'true';
  if (text === 'null') return null;
  if (text.trim() !== '' && Number.isFinite(Number(text))) return Number(text);
  if (!/^[{[]/.test(text)) return text;
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw invalid(where, `the value ${text.slice(0, 60)} is no JSON (${cause instanceof Error ? cause.message : ''})`);
  }
}

function yaml(text: string, where: string): unknown {
  try {
    return parse(text, { maxAliasCount: 100 });
  } catch (cause) {
    throw invalid(where, cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : 'it is no YAML');
  }
}

function invalid(where: string, what: string): TranshipError {
  return new TranshipError('InvalidInput', `${where} can't be used: ${what}.`, {
    hint: 'docs/transforms.md says what is taken of resource modifiers.',
  });
}
