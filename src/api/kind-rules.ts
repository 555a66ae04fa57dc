/** KindRules: what is known about kinds of objects, as data: what they name, how they are stopped, what makes them ready. No code, no templates. */
import { z } from 'zod';
import { apiVersion } from './meta.ts';

/** `spec.tls[*].secretName`, `metadata.annotations["a.b/c"]`: as `find` of fields.ts reads it. Bounded, so that a file can't cost more than it says. */
const path = z
  .string()
  .max(300)
  .regex(
    /^(?:[\w$-]+|\["[^"\]]{1,250}"\])(?:\.[\w$-]+|\[(?:\*|\d{1,4})\]|\["[^"\]]{1,250}"\])*$/,
    'must be a path such as spec.tls[*].secretName',
  );

const kindName = z.string().regex(/^(?:\*|[A-Z][A-Za-z0-9]{0,62})$/, 'must be the name of a kind, or * for all kinds of the group');
const groupName = z.string().regex(/^(?:[a-z0-9]([-a-z0-9.]*[a-z0-9])?)?$/, 'must be an API group; empty for the core group');
/** `Secret`, `Certificate.cert-manager.io`; `*` for whatever the kind field says. */
const kindInGroup = z
  .string()
  .regex(/^(?:\*|[A-Z][A-Za-z0-9]{0,62}(?:\.[a-z0-9][-a-z0-9.]*)?)$/, 'must be Kind or Kind.group, or * for what the object says');

/** What an arrow of the graph says, read from the object that names to the one that is named. */
export const edgeTypes = [
  'uses',
  'uses-secret',
  'uses-config',
  'writes-secret',
  'mounts',
  'runs-as',
  'grants',
  'grants-to',
  'selects',
  'routes-to',
  'scales',
  'issued-by',
  'of-class',
  'calls',
  'reads-from',
  'depends-on',
  'part-of',
  'binds',
] as const;

const referenceRule = z
  .strictObject({
    path: path.describe('Leads to the name itself, or to a record that holds it.'),
    name: path.optional().describe('In a record: where the name is. Default: name.'),
    namespace: path.optional().describe('In a record: where the namespace is. Absent or empty: that of the object.'),
    kind: path.optional().describe('In a record: where the kind is. Absent: the first of `to`.'),
    group: path.optional().describe('In a record: where the API group is, or an apiVersion.'),
    optional: path.optional().describe('In a record: a field whose `true` says that the object does without.'),
    qualified: z.boolean().optional().describe('The text may be namespace/name.'),
    to: z.array(kindInGroup).min(1).max(20).describe('Kinds that can be meant; the first one when the object does not say.'),
    edge: z.enum(edgeTypes).default('uses'),
    strength: z
      .enum(['required', 'optional', 'runtime'])
      .default('required')
      .describe('runtime: only used while it works, it starts without.'),
    backwards: z.boolean().optional().describe('The object belongs to what it names: a cluster-scoped one moves along with that.'),
  })
  .readonly();

const selectorRule = z
  .strictObject({
    path: path.describe('Leads to a label selector.'),
    form: z.enum(['LabelSelector', 'Labels']).default('LabelSelector').describe('Labels: a plain map that all have to equal.'),
    to: z.array(kindInGroup).min(1).max(20).describe('Pod stands for everything with a pod template.'),
    edge: z.enum(edgeTypes).default('selects'),
  })
  .readonly();

const setField = z.strictObject({ path, value: z.union([z.string(), z.number(), z.boolean()]) }).readonly();

const generatedRule = z
  .strictObject({
    kinds: z.array(kindInGroup).min(1).max(50),
    labels: z.record(z.string().max(317), z.string().max(63)).optional().describe('Only objects with these labels.'),
    reason: z.string().min(1).max(200),
  })
  .readonly();

const kindRule = z
  .strictObject({
    kind: kindName,
    group: groupName.default(''),
    scope: z.enum(['Namespaced', 'Cluster']).default('Namespaced'),
    references: z.array(referenceRule).max(200).default([]),
    selectors: z.array(selectorRule).max(50).default([]),
    podTemplates: z.array(path).max(20).default([]).describe('Records with metadata and spec of a pod.'),
    podSpecs: z.array(path).max(20).default([]).describe('Records that have the fields of a pod spec.'),
    namespaceFields: z
      .array(path)
      .max(100)
      .default([])
      .describe('Further fields that hold the name of a namespace; those of references are known.'),
    stop: setField.optional().describe('What ends its pods; the value that was there is put back.'),
    pause: setField.optional().describe('What makes its controller leave it alone, pods running on.'),
    ready: z
      .strictObject({ condition: z.string().min(1).max(100) })
      .optional()
      .describe('The condition that is True when it works.'),
    place: z
      .strictObject({ phase: z.enum(['Prepare', 'Activate']), layer: z.number().int().min(0).max(15), why: z.string().min(1).max(200) })
      .optional()
      .describe('When it is created on the target.'),
    whenNeeded: z
      .enum(['Carry', 'MustExist', 'Ignore'])
      .default('MustExist')
      .describe(
        'A cluster-scoped one that something of the move names: it moves along, has to be on the target, or is dealt with elsewhere.',
      ),
  })
  .readonly();

export const kindRulesSchema = z.strictObject({
  apiVersion: z.literal(apiVersion),
  kind: z.literal('KindRules'),
  metadata: z.looseObject({ name: z.string().min(1).max(63) }),
  spec: z.strictObject({
    comment: z.string().max(2000).optional(),
    /** Where the paths were looked up; see tools/crd-paths.ts. */
    checkedAgainst: z.array(z.strictObject({ source: z.string(), version: z.string() })).optional(),
    pods: z.array(referenceRule).max(200).default([]).describe('What every pod template names; paths start at the pod.'),
    kinds: z.array(kindRule).max(500).default([]),
    generated: z.array(generatedRule).max(100).default([]).describe('What controllers make again; it stays behind.'),
  }),
});

export type KindRules = z.infer<typeof kindRulesSchema>;
export type KindRulesInput = z.input<typeof kindRulesSchema>;
export type KindRule = z.infer<typeof kindRule>;
export type ReferenceRule = z.infer<typeof referenceRule>;
export type SelectorRule = z.infer<typeof selectorRule>;
export type GeneratedRule = z.infer<typeof generatedRule>;
export type EdgeType = (typeof edgeTypes)[number];
export type Strength = ReferenceRule['strength'];
