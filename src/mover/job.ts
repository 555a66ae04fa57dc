import { z } from 'zod';
import { TranshipError } from '../errors.ts';
import { protocolVersion, type MoverJob } from './protocol.ts';

const credentials = z.strictObject({ accessKeyId: z.string(), secretAccessKey: z.string(), sessionToken: z.string().optional() });
const location = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('s3'),
    bucket: z.string(),
    prefix: z.string(),
    endpoint: z.string().optional(),
    region: z.string(),
    pathStyle: z.boolean(),
    credentials: credentials.optional(),
    caBundle: z.string().optional(),
  }),
  z.strictObject({ kind: z.literal('directory'), path: z.string() }),
  z.strictObject({ kind: z.literal('relay'), url: z.string() }),
]);
const end = z.strictObject({ mode: z.enum(['Filesystem', 'Block']), path: z.string().min(1) });
const round = z.int().min(0).max(999_999);
const common = {
  version: z.literal(protocolVersion),
  archive: z.strictObject({ location, lineage: z.string(), key: z.string() }),
  volume: z.string().min(1).max(1024),
  round,
  streams: z.int().min(1).max(16),
};
const rate = z.number().positive().optional();
const job = z.discriminatedUnion('op', [
  z.strictObject({ op: z.literal('copy-out'), ...common, parent: round.optional(), source: end, bytesPerSecondPerStream: rate }),
  z.strictObject({
    op: z.literal('copy-in'),
    ...common,
    have: round.optional(),
    begun: z.array(round).max(1000).optional(),
    fresh: z.boolean(),
    target: end,
    bytesPerSecondPerStream: rate,
    verify: z.enum(['Touched', 'All', 'None']),
  }),
  z.strictObject({ op: z.literal('verify'), ...common, target: end }),
  z.strictObject({ op: z.literal('probe'), version: common.version, archive: common.archive }),
]);

/** Checks a job line. The error names fields, never values: the line holds the key and credentials. */
export function parseJob(line: Record<string, unknown>): MoverJob {
  // `at` belongs to the channel, not to the job.
  const { at: _, ...fields } = line;
  if (fields['version'] !== protocolVersion) {
    throw new TranshipError('Unsupported', `The controller speaks protocol ${String(fields['version'])}, this mover ${protocolVersion}.`, {
      hint: 'Use a mover image of the same release.',
    });
  }
  const checked = job.safeParse(fields);
  if (!checked.success) {
    const where = [...new Set(checked.error.issues.map((issue) => issue.path.join('.')))].join(', ');
    throw new TranshipError('InvalidInput', `The job is not valid; wrong fields: ${where}.`);
  }
  return checked.data as MoverJob;
}
