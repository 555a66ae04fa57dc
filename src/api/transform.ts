/** Transforms: changes that the user wants in the objects on their way. What they write, inline in a Migration or in a TransformSet. */
import { z } from 'zod';
import { apiVersion, metadataSchema } from './meta.ts';

/** RFC 6901, with `*` for every key of one level, `**` for one or more levels; where it is a target, `$1` for what the first wildcard of `from` met. */
const pointer = z
  .string()
  .min(1)
  .max(1000)
  .refine((text) => !/~(?![01])/.test(text), 'has a "~" that is neither ~0 (a tilde) nor ~1 (a slash)')
  .refine((text) => text.split('/').filter((token) => token === '**').length <= 3, 'may have ** at most three times');

const regex = z.string().min(1).max(1000).describe('RE2, not anchored: use ^ and $ for the whole text.');

/** Any JSON. Not z.json(), which says "Invalid input" for a field that is missing, and whose schema refers to itself, which no CRD may. */
const value = z.unknown().refine((given) => z.json().safeParse(given).success, 'must be given, as JSON');

const test = z
  .strictObject({ op: z.literal('test'), path: pointer, value: value.optional(), regex: regex.optional() })
  .refine((each) => each.value === undefined || each.regex === undefined, 'takes value or regex, not both');
const add = z.strictObject({ op: z.literal('add'), path: pointer, value });
const remove = z.strictObject({ op: z.literal('remove'), path: pointer });
const replace = z.strictObject({ op: z.literal('replace'), path: pointer, value, regex: regex.optional() });
const carried = { from: pointer, path: pointer, regex: regex.optional(), value: value.optional() };
const copy = z.strictObject({ op: z.literal('copy'), ...carried }).refine(withoutLooseValue, 'takes value only together with regex');
const move = z.strictObject({ op: z.literal('move'), ...carried }).refine(withoutLooseValue, 'takes value only together with regex');

function withoutLooseValue(each: { regex?: string | undefined; value?: unknown }): boolean {
  return each.value === undefined || each.regex !== undefined;
}

const operation = z.discriminatedUnion('op', [test, add, remove, copy, move, replace]);

const glob = z.string().min(1).max(253);

/** As Kubernetes writes it. */
export const labelSelector = z.strictObject({
  matchLabels: z.record(z.string(), z.string()).optional(),
  matchExpressions: z
    .array(
      z.strictObject({
        key: z.string(),
        operator: z.enum(['In', 'NotIn', 'Exists', 'DoesNotExist']),
        values: z.array(z.string()).optional(),
      }),
    )
    .optional(),
});

const subject = z
  .strictObject({
    group: z.string().max(253).optional().describe('API group; "" is the core group.'),
    version: z.string().min(1).max(63).optional(),
    resource: z.string().min(1).max(253).optional().describe('As in the API, in the plural: deployments.'),
    groupResource: glob.optional().describe('deployments.apps; * does not go over a dot.'),
    name: z.string().min(1).max(253).optional(),
    nameRegex: regex.optional(),
    namespaces: z.array(glob).min(1).max(100).optional().describe('On the source; * and ? are wildcards.'),
    labels: labelSelector.optional(),
    where: z
      .array(z.strictObject({ path: pointer, value: value.optional() }))
      .max(20)
      .optional()
      .describe('Fields that must be there, or have this value, before the first transform.'),
  })
  .refine(
    (each) => Object.values(each).some((field) => field !== undefined),
    'must name at least one of group, version, resource, name, …',
  );

export const transformSchema = z
  .strictObject({
    name: z.string().min(1).max(253),
    subject: subject.describe('Which objects: all that is named must fit, what is not named fits always.'),
    json: z.array(operation).min(1).max(100).optional().describe('Operations, in order.'),
    merge: z.array(value).min(1).max(20).optional().describe('JSON merge patches (RFC 7386).'),
    strategic: z.array(value).min(1).max(20).optional().describe('Strategic merge patches; for kinds of the API server only.'),
    onTestFailed: z
      .enum(['KeepEarlier', 'UndoAll'])
      .default('KeepEarlier')
      .describe('What becomes of the operations before a test that fails; those after it are skipped.'),
  })
  .refine(
    ({ json, merge, strategic }) => [json, merge, strategic].filter((list) => list !== undefined).length === 1,
    'must have exactly one of json, merge and strategic',
  );

export const transformSetSchema = z.strictObject({
  apiVersion: z.literal(apiVersion),
  kind: z.literal('TransformSet'),
  metadata: metadataSchema,
  spec: z.strictObject({ comment: z.string().max(2000).optional(), transforms: z.array(transformSchema).min(1).max(200) }),
});

export type Transform = z.infer<typeof transformSchema>;
export type TransformInput = z.input<typeof transformSchema>;
export type Operation = z.infer<typeof operation>;
export type TransformSubject = Transform['subject'];

/** What one transform did to all objects together. Part of a plan. */
export interface TransformReport {
  name: string;
  /** Objects that its subject fits. */
  objects: number;
  /** Places in them that it changed. */
  changes: number;
}
