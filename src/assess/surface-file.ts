/** Reading and writing the files of `tranship surface export`. What is read was perhaps made by somebody else: nothing in it is trusted. */
import { apiVersion } from '../api/meta.ts';
import { SURFACE_FORMAT, surfaceFileSchema, type SurfaceFile } from '../api/surface-file.ts';
import { TranshipError } from '../errors.ts';
import { version } from '../version.ts';
import { reduceCaptured, reduceObject } from './reduce.ts';

/** The largest file that is read: an application of some ten thousand objects has about 100 MB. */
export const LARGEST_FILE = 512 * 2 ** 20;
/** Deeper than any object of Kubernetes; deeper ones would exhaust the stack of what walks over them. */
const DEEPEST = 100;

export function makeSurfaceFile(
  content: Pick<SurfaceFile, 'side' | 'namespaces' | 'surface' | 'facts' | 'application'>,
  exportedAt: string,
): SurfaceFile {
  return { apiVersion, kind: 'ClusterSurface', format: SURFACE_FORMAT, tool: version, exportedAt, ...content };
}

/**
 * @param name of the file, for messages
 * @throws InvalidInput naming the first thing that is wrong, and where; Unsupported for a file of a later format
 */
export function parseSurfaceFile(bytes: Uint8Array, name: string): SurfaceFile {
  const invalid = (what: string, cause?: unknown) =>
    new TranshipError('InvalidInput', `${name} is not a surface file: ${what}`, {
      hint: 'Make it with tranship surface export.',
      ...(cause === undefined ? {} : { cause }),
    });
  if (bytes.byteLength > LARGEST_FILE) throw invalid(`it has ${bytes.byteLength} bytes, more than ${LARGEST_FILE}.`);
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw invalid('it is not JSON.', error);
  }
  const bad = badShape(value);
  if (bad !== undefined) throw invalid(bad);
  const { kind, format } = value as { kind?: unknown; format?: unknown }; // JSON border
  if (kind === 'ClusterSurface' && typeof format === 'number' && format > SURFACE_FORMAT) {
    throw new TranshipError('Unsupported', `${name} has the format ${format}; this tranship reads up to ${SURFACE_FORMAT}.`, {
      hint: 'Use the version of tranship that wrote it, or a later one.',
    });
  }
  const parsed = surfaceFileSchema.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw invalid(`${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'wrong'}.`);
  }
  const file = parsed.data as SurfaceFile;
  // A file that was made by hand may hold what an export leaves out; it must not come back in a report.
  file.surface.existing = file.surface.existing.map(reduceObject);
  return file.application === undefined ? file : { ...file, application: reduceCaptured(file.application) };
}

/** What is wrong with a JSON value as such. Without recursion: it is what protects those that recurse. */
function badShape(root: unknown): string | undefined {
  if (typeof root !== 'object' || root === null || Array.isArray(root)) return 'it is not an object.';
  const open: { value: object; depth: number }[] = [{ value: root, depth: 0 }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { value, depth } = next;
    if (depth > DEEPEST) return `something in it is nested more than ${DEEPEST} deep.`;
    if (Object.hasOwn(value, '__proto__')) return 'it has a key named __proto__.';
    for (const child of Object.values(value))
      if (typeof child === 'object' && child !== null) open.push({ value: child, depth: depth + 1 });
  }
  return undefined;
}
