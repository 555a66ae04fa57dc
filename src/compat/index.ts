/**
 * compat: readers of what other tools' users have written. A file becomes what our own kinds say, or an error that names the place.
 *
 * Story: `transforms.ts` tells TransformSets of ours and of Kasten K10, plain lists, and Velero's resource modifiers apart;
 * `velero-modifiers.ts` translates the last.
 */
export { parseTransforms } from './transforms.ts';
