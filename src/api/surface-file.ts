/**
 * The file of `tranship surface export`: all that an assessment needs to know of one cluster, so that it can be made without reaching it. It
 * holds no content of Secrets (see `assess/reduce.ts`).
 */
import { z } from 'zod';
import type { Captured } from './captured.ts';
import type { ClusterFacts, FieldTree } from './facts.ts';
import { apiVersion } from './meta.ts';
import type { KubeObject } from './object.ts';
import type { Surface } from './plan.ts';

/** Grows when a reader of before could misunderstand the file. */
export const SURFACE_FORMAT = 1;

export interface SurfaceFile {
  apiVersion: typeof apiVersion;
  kind: 'ClusterSurface';
  format: typeof SURFACE_FORMAT;
  /** Version of the tranship that wrote it. */
  tool: string;
  /** RFC 3339, UTC. */
  exportedAt: string;
  side: 'source' | 'target';
  /** Names of the namespaces that were looked into. */
  namespaces: string[];
  surface: Surface;
  facts: ClusterFacts;
  /** On the source: the application, reduced. */
  application?: Captured;
}

const text = z.string().max(4096);
const names = z.array(text).max(100_000);
const label = z.string().max(253);

const resourceType = z.strictObject({
  group: label,
  version: label,
  resource: label,
  kind: label,
  namespaced: z.boolean(),
  verbs: z.array(label).max(64),
  versions: z.array(label).max(64),
});
const ref = z.strictObject({ group: label, kind: label, namespace: label.optional(), name: text });
const finding = z.strictObject({
  id: z.string().regex(/^[A-Za-z]{1,64}$/),
  severity: z.enum(['block', 'warn', 'info', 'unknown']),
  subject: ref.optional(),
  message: text,
  fix: text.optional(),
  proof: z.enum(['read', 'asked', 'measured']),
});
const unread = z.array(z.strictObject({ group: label, resource: label, namespace: label.optional(), message: text })).max(100_000);

/** An object as the API server gives it: what we rely on everywhere is checked, the rest is data. */
const object = z.custom<KubeObject>((value) => isObject(value), 'is not a Kubernetes object with apiVersion, kind and metadata.name');

function isObject(value: unknown): boolean {
  if (!isMap(value) || !isShortText(value['apiVersion']) || !isShortText(value['kind'])) return false;
  const { metadata } = value;
  if (!isMap(metadata) || !isShortText(metadata['name'])) return false;
  const optional = ['namespace', 'uid', 'resourceVersion', 'creationTimestamp', 'deletionTimestamp'];
  return (
    optional.every((key) => metadata[key] === undefined || isShortText(metadata[key])) &&
    ['labels', 'annotations'].every((key) => isTexts(metadata[key])) &&
    ['ownerReferences', 'managedFields'].every((key) => isListOf(metadata[key], isMap)) &&
    isListOf(metadata['finalizers'], (item) => typeof item === 'string')
  );
}

const isMap = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);
const isShortText = (value: unknown) => typeof value === 'string' && value.length > 0 && value.length <= 1024;
const isTexts = (value: unknown) => value === undefined || (isMap(value) && Object.values(value).every((each) => typeof each === 'string'));
const isListOf = (value: unknown, is: (item: unknown) => boolean) => value === undefined || (Array.isArray(value) && value.every(is));

const snapshotClass = z.strictObject({ name: label, driver: label, isDefault: z.boolean(), isChosen: z.boolean().optional() });

const surface = z.strictObject({
  cluster: z.strictObject({ id: label, name: text, version: label }),
  resources: z.array(resourceType).max(20_000),
  brokenGroups: z.array(z.strictObject({ group: label, message: text })).max(10_000),
  namespaces: names,
  storageClasses: z
    .array(
      z.strictObject({
        name: label,
        provisioner: label,
        isDefault: z.boolean(),
        bindingMode: z.enum(['Immediate', 'WaitForFirstConsumer']),
        allowExpansion: z.boolean(),
      }),
    )
    .max(10_000),
  snapshotClasses: z.array(snapshotClass).max(10_000),
  groupSnapshotClasses: z.array(snapshotClass).max(10_000).optional(),
  csiDrivers: names,
  ingressClasses: names,
  existing: z.array(object).max(1_000_000),
  unread: unread.optional(),
});

const tree: z.ZodType<FieldTree> = z.lazy(() =>
  z.strictObject({
    ref: text.optional(),
    properties: z.record(z.string(), tree).optional(),
    items: tree.optional(),
    open: z.literal(true).optional(),
  }),
) as z.ZodType<FieldTree>;

const facts = z.strictObject({
  objects: z.array(object).max(1_000_000),
  usage: z
    .array(z.strictObject({ node: text, cpuMillis: z.number().min(0), memoryBytes: z.number().min(0), pods: z.int().min(0) }))
    .max(100_000)
    .optional(),
  schemas: z.strictObject({
    kinds: z.record(z.string(), text),
    trees: z.record(z.string(), tree),
    unread: z.array(z.strictObject({ groupVersion: text, message: text })).max(10_000),
  }),
  rights: z.array(z.strictObject({ verb: label, group: label, resource: label, allowed: z.boolean() })).max(10_000),
  dnsDomain: label.optional(),
  webhookBackends: z.array(z.strictObject({ namespace: label, name: label, ready: z.boolean() })).max(10_000),
  unread,
});

const application = z.strictObject({
  cluster: z.strictObject({ id: label, name: text, version: label }),
  namespaces: z.array(label).max(10_000),
  capturedAt: label,
  objects: z
    .array(
      z.strictObject({
        object,
        resource: resourceType,
        role: z.enum(['selected', 'related']),
        because: text.optional(),
        shared: z.boolean(),
      }),
    )
    .max(1_000_000),
  leftBehind: z.array(z.strictObject({ ref, rule: label, reason: text, owner: ref.optional() })).max(1_000_000),
  volumes: z
    .array(
      z.strictObject({
        namespace: label,
        claim: label,
        persistentVolume: label,
        mode: z.enum(['Filesystem', 'Block']),
        accessModes: z.array(label).max(16),
        capacityBytes: z.number().min(0),
        storageClass: label.optional(),
        driver: label.optional(),
        usedBy: z.array(z.strictObject({ pod: label, node: label.optional() })).max(10_000),
      }),
    )
    .max(100_000),
  findings: z.array(finding).max(100_000),
  unstoppable: z
    .array(
      z.strictObject({
        pod: ref,
        owners: z.array(ref).max(32),
        reason: z.enum(['NoController', 'OwnerNotStoppable', 'OwnerNotSelected', 'OwnerUnknown', 'ExcludedWithClaim']),
        claims: z.array(label).max(1000),
      }),
    )
    .max(100_000)
    .optional(),
  keptRunning: z.array(label).max(100_000).optional(),
});

export const surfaceFileSchema = z.strictObject({
  apiVersion: z.literal(apiVersion),
  kind: z.literal('ClusterSurface'),
  format: z.literal(SURFACE_FORMAT),
  tool: label,
  exportedAt: z.iso.datetime(),
  side: z.enum(['source', 'target']),
  namespaces: z.array(label).max(10_000),
  surface,
  facts,
  application: application.optional(),
});
