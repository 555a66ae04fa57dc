/** Cluster: how to reach one. In the embedded hub a kubeconfig context; in a cluster a kubeconfig Secret (later). */
import { z } from 'zod';
import { conditionSchema } from './condition.ts';
import { apiVersion, metadataSchema } from './meta.ts';

export const clusterSpec = z.strictObject({
  context: z.string().min(1).describe("Context of the operator's own kubeconfig. Embedded hub only."),
  kubeconfig: z.string().optional().describe('Path of the kubeconfig file; default: KUBECONFIG or ~/.kube/config, as kubectl.'),
});

export const clusterSchema = z.strictObject({
  apiVersion: z.literal(apiVersion),
  kind: z.literal('Cluster'),
  metadata: metadataSchema,
  spec: clusterSpec,
  status: z
    .looseObject({
      observedGeneration: z.number().optional(),
      conditions: z.array(conditionSchema).optional(),
      id: z.string().optional(),
      version: z.string().optional(),
    })
    .optional(),
});

export type Cluster = z.infer<typeof clusterSchema>;
