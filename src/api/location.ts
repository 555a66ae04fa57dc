/** Location: where archives live. Credentials are never part of it: the embedded hub takes them from the environment at each run. */
import { z } from 'zod';
import { conditionSchema } from './condition.ts';
import { apiVersion, metadataSchema } from './meta.ts';

export const locationSpec = z
  .strictObject({
    s3: z
      .strictObject({
        bucket: z.string().min(1),
        prefix: z.string().default(''),
        endpoint: z.string().optional().describe('URL of an S3-compatible store; absent: AWS.'),
        region: z.string().default('us-east-1'),
        pathStyle: z.boolean().default(false).describe('Address the bucket in the path, not in the host name.'),
      })
      .optional(),
    directory: z
      .strictObject({ path: z.string().min(1) })
      .optional()
      .describe('A directory of the host that runs the controller.'),
  })
  .refine((spec) => (spec.s3 === undefined) !== (spec.directory === undefined), 'exactly one of s3 and directory must be set');

export const locationSchema = z.strictObject({
  apiVersion: z.literal(apiVersion),
  kind: z.literal('Location'),
  metadata: metadataSchema,
  spec: locationSpec,
  status: z.looseObject({ observedGeneration: z.number().optional(), conditions: z.array(conditionSchema).optional() }).optional(),
});

export type LocationKind = z.infer<typeof locationSchema>;
