/** What all our kinds share. */
import { z } from 'zod';

export const group = 'tranship.io';
export const apiVersion = 'tranship.io/v1alpha1';
/** The namespace of the embedded hub that the CLI writes to. */
export const hubNamespace = 'tranship';

/** Marks everything that we create, on both clusters. Its value is the Migration's name. */
export const migrationLabel = 'tranship.io/migration';
export const managedByLabel = 'app.kubernetes.io/managed-by';
export const managedBy = 'tranship';
/** On a source workload that we scaled down: the replica count (or suspend flag) it had. */
export const replicasAnnotation = 'tranship.io/replicas';
/** On a source workload that we stopped: which migration did it. */
export const frozenByAnnotation = 'tranship.io/frozen-by';

/** DNS-1123 label, at most 40 characters so that names made from it stay within 63. */
export const nameSchema = z
  .string()
  .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/, 'must be lower case letters, digits and "-", beginning and ending with a letter or digit')
  .max(40, 'must have at most 40 characters');

export const metadataSchema = z.looseObject({
  name: nameSchema,
  namespace: z.string().optional(),
  uid: z.string().optional(),
  resourceVersion: z.string().optional(),
  generation: z.number().optional(),
  creationTimestamp: z.string().optional(),
  labels: z.record(z.string(), z.string()).optional(),
  annotations: z.record(z.string(), z.string()).optional(),
});
