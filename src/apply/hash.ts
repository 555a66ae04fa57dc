/** The hash of a manifest: equal content, equal hash, whatever the order of its keys. */
import { createHash } from 'node:crypto';
import { canonicalJson } from '../api/fields.ts';
import type { KubeObject } from '../api/object.ts';

/** SHA-256 (hex) of a planned manifest. */
export function manifestHash(manifest: KubeObject): string {
  return createHash('sha256').update(canonicalJson(manifest)).digest('hex');
}
