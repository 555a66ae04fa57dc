/** Migration: one application from a source to a target. What the user writes (spec) and what we say about it (status). */
import { z } from 'zod';
import { conditionSchema } from './condition.ts';
import { kindRulesSchema } from './kind-rules.ts';
import { apiVersion, metadataSchema } from './meta.ts';
import { transformSchema } from './transform.ts';

const namespaceName = z
  .string()
  .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/, 'must be the name of a namespace')
  .max(63);

const pair = z.strictObject({ from: z.string().min(1), to: z.string().min(1) });

export const mappingSpec = z.strictObject({
  namespaces: z
    .array(z.strictObject({ from: namespaceName, to: namespaceName }))
    .default([])
    .describe('Renamed namespaces; others keep their name.'),
  storageClasses: z.array(pair).default([]).describe('Storage classes of the source and what stands for them on the target.'),
  nodePorts: z.enum(['Reset', 'Preserve']).default('Reset').describe('What becomes of automatically assigned node ports.'),
  dnsNames: z.boolean().default(true).describe('Rewrite name.namespace.svc in env, args and ConfigMaps when the namespace is renamed.'),
  existing: z
    .enum(['Skip', 'Update', 'Recreate', 'Fail'])
    .default('Fail')
    .describe('What to do with objects that are on the target already.'),
});

export const transferSpec = z.strictObject({
  streams: z
    .number()
    .int()
    .min(1, 'must be between 1 and 16')
    .max(16, 'must be between 1 and 16')
    .default(2)
    .describe('Parallel streams per volume.'),
  maxBytesPerSecondPerStream: z.number().int().positive().optional().describe('Blank: unlimited.'),
  read: z.enum(['Auto', 'Snapshot', 'Live']).default('Snapshot').describe('Read volumes from snapshots or live (not crash consistent).'),
  finalRead: z
    .enum(['Auto', 'Snapshot'])
    .default('Auto')
    .describe('The final round reads the stopped volume itself where that is possible (Auto), or always a snapshot.'),
  temporaryStorageClasses: z
    .array(pair)
    .default([])
    .describe(
      'Storage classes of the source and what stands for them where a volume is made from a snapshot to be read; of the same driver.',
    ),
  verify: z.enum(['Touched', 'All', 'None']).default('Touched').describe('What is read back on the target after the last round.'),
  moverImage: z.string().optional().describe('Image of the mover; default: the one of this version.'),
  parallelVolumes: z.number().int().min(1).max(16).default(2).describe('Volumes copied at the same time.'),
});

export const timeoutsSpec = z.strictObject({
  snapshotReadySeconds: z.number().int().positive().default(600),
  moverStartSeconds: z.number().int().positive().default(300),
  frozenSeconds: z
    .number()
    .int()
    .positive()
    .default(1800)
    .describe(
      'How long the application may stay stopped before it is started on the source again, if it has not been started on the target.',
    ),
  stopSeconds: z.number().int().positive().default(300).describe('How long the application may take to stop.'),
  readySeconds: z.number().int().positive().default(600).describe('How long the application may take to become ready on the target.'),
});

export const migrationSpec = z.strictObject({
  source: z.strictObject({ cluster: z.string().min(1) }),
  target: z.strictObject({ cluster: z.string().min(1) }),
  namespaces: z.array(namespaceName).min(1, 'must name at least one namespace'),
  location: z.string().min(1).describe('Name of the Location that carries the data.'),
  mapping: mappingSpec.prefault({}),
  kindRules: z.array(kindRulesSchema).max(20).default([]).describe('What is known about further kinds, or corrected about known ones.'),
  transforms: z.array(transformSchema).max(500).default([]).describe('Changes in the objects, after the mapping, in this order.'),
  transfer: transferSpec.prefault({}),
  timeouts: timeoutsSpec.prefault({}),
  warmRounds: z.number().int().min(0).max(10).default(1).describe('Copy rounds while the application still runs, before the final one.'),
  cancel: z.boolean().default(false).describe('Stop, and start the application on the source again if it was stopped.'),
  rollback: z.boolean().default(false).describe('After the move: stop the application on the target and start it on the source.'),
});

/** In order. Every step before Activate can be undone without the user noticing more than a pause. */
export const stepNames = [
  'Connect',
  'Capture',
  'Plan',
  'Prepare',
  'Seed',
  'Freeze',
  'FinalSync',
  'Verify',
  'Rebind',
  'Activate',
  'CleanUp',
] as const;
export type StepName = (typeof stepNames)[number];

const stepStatus = z.object({
  name: z.enum([...stepNames, 'Undo', 'Rollback']),
  state: z.enum(['Pending', 'Running', 'Done', 'Failed', 'Skipped']),
  startedAt: z.string().optional(),
  finishedAt: z.string().optional(),
  attempts: z.number().default(0),
  message: z.string().optional(),
});

const volumeRound = z.object({
  round: z.number(),
  /** Where the round was read from: a snapshot, the volume while the application ran, or the volume of the stopped application. */
  read: z.enum(['Snapshot', 'Live', 'Direct']),
  files: z.number(),
  bytes: z.number().describe('Content of the volume.'),
  bytesChanged: z.number().describe('New chunks of this round.'),
  bytesStored: z.number().describe('Sent to the store.'),
  copyOutMs: z.number(),
  copyInMs: z.number().optional(),
  bytesWritten: z.number().optional().describe('Written to the target volume.'),
  bytesTargetRead: z.number().optional(),
  manifestHash: z.string(),
});

export const volumeStatus = z.object({
  name: z.string().describe('namespace/claim on the source; also the name in the archive.'),
  target: z.string().describe('namespace/claim on the target.'),
  mode: z.enum(['Filesystem', 'Block']),
  capacityBytes: z.number(),
  state: z.enum(['Pending', 'Snapshotting', 'Exposing', 'CopyingOut', 'CopyingIn', 'Synced', 'Verified', 'Bound', 'Failed']),
  /** Committed rounds in the archive. */
  rounds: z.array(volumeRound).default([]),
  /** The round that was last begun on the source, and for which stop: another stop must never take it for its own. */
  attempt: z.object({ round: z.number(), epoch: z.string() }).optional(),
  /** When the target last held a round completely. */
  syncedAt: z.string().optional(),
  /** The round the target volume holds completely, and those begun on top of it. */
  have: z.number().optional(),
  begun: z.array(z.number()).default([]),
  /** uid of the staging claim that `have` speaks of: another uid means another volume, of which nothing is known. */
  stagingClaimUid: z.string().optional(),
  verified: z.boolean().optional(),
  /** Pod of the mover that stands beside the volume on the source, ready for the final round. */
  direct: z.string().optional(),
  /** frozenAt of the freeze that its last round belongs to. */
  finalFor: z.string().optional(),
  progress: z
    .object({
      phase: z.string(),
      bytesDone: z.number(),
      bytesTotal: z.number(),
      filesDone: z.number(),
      filesTotal: z.number(),
      growing: z.boolean(),
      bytesPerSecond: z.number(),
    })
    .optional(),
  notes: z.array(z.object({ path: z.string(), note: z.string() })).default([]),
  message: z.string().optional(),
});

const findingStatus = z.looseObject({
  id: z.string(),
  severity: z.enum(['block', 'warn', 'info', 'unknown']),
  message: z.string(),
  fix: z.string().optional(),
});

export const migrationStatus = z.object({
  observedGeneration: z.number().optional(),
  conditions: z.array(conditionSchema).default([]),
  /** Print column only, derived from the steps. */
  phase: z.string().optional(),
  startedAt: z.string().optional(),
  finishedAt: z.string().optional(),
  steps: z.array(stepStatus).default([]),
  source: z.object({ id: z.string(), version: z.string() }).optional(),
  target: z.object({ id: z.string(), version: z.string() }).optional(),
  lineage: z.string().optional(),
  restorePoint: z.string().optional(),
  /** frozenAt of the stop that the restore point belongs to. */
  restorePointFor: z.string().optional(),
  /** Sections of the archive that are in force: captured objects, plan, outcomes. */
  sections: z.record(z.string(), z.string()).default({}),
  findings: z.array(findingStatus).default([]).describe('The first ones; all are in the plan.'),
  findingCounts: z.record(z.string(), z.number()).default({}),
  objects: z
    .record(z.string(), z.number())
    .default({})
    .describe('Outcomes by result: Created, Updated, Unchanged, Merged, Skipped, Failed; and LeftBehind, Planned.'),
  failedObjects: z.array(z.object({ target: z.string(), reason: z.string(), message: z.string() })).default([]),
  leftBehind: z.array(z.object({ rule: z.string(), count: z.number(), reason: z.string(), examples: z.array(z.string()) })).default([]),
  volumes: z.array(volumeStatus).default([]),
  /** What we stopped on the source, written before it was stopped. */
  frozen: z.array(z.object({ kind: z.string(), namespace: z.string(), name: z.string(), before: z.string() })).default([]),
  frozenAt: z.string().optional(),
  /** All pods gone. */
  stoppedAt: z.string().optional(),
  activatedAt: z.string().optional().describe('The application is ready on the target.'),
  downtimeSeconds: z.number().optional(),
  sourceState: z.enum(['Running', 'Stopped']).optional(),
  targetState: z.enum(['None', 'Running', 'Stopped']).optional(),
  storeBytes: z.number().optional(),
});

export const migrationSchema = z.strictObject({
  apiVersion: z.literal(apiVersion),
  kind: z.literal('Migration'),
  metadata: metadataSchema,
  spec: migrationSpec,
  status: migrationStatus.optional(),
});

export type Migration = z.infer<typeof migrationSchema>;
export type MigrationInput = z.input<typeof migrationSchema>;
export type MigrationSpec = z.infer<typeof migrationSpec>;
export type MigrationStatus = z.infer<typeof migrationStatus>;
export type VolumeStatus = z.infer<typeof volumeStatus>;
export type StepStatus = z.infer<typeof stepStatus>;

/** One line of a migration's log, as `tranship logs` prints it. */
export interface MigrationEvent {
  time: string;
  level: 'info' | 'warn' | 'error';
  step?: string;
  volume?: string;
  message: string;
}
