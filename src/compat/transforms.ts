/** Files with transforms: a TransformSet of ours, one of Kasten K10, a plain list of transforms, or Velero's resource modifiers. */
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { isRecord } from '../api/fields.ts';
import { transformSchema, transformSetSchema, type Transform } from '../api/transform.ts';
import { TranshipError } from '../errors.ts';
import { fromModifiers, isModifiers } from './velero-modifiers.ts';

/** A file is written by people; one that is larger is something else. */
const LARGEST = 1024 * 1024;

const kastenSet = z.looseObject({ spec: z.looseObject({ transforms: z.array(z.unknown()).min(1) }) });

/**
 * All transforms of a file, in order; several YAML documents are read one after the other.
 * @param source what the file is called, for messages
 * @throws InvalidInput naming the document, the field and what is wrong
 */
export function parseTransforms(text: string, source: string): Transform[] {
  if (text.length > LARGEST) throw invalid(source, 'it is larger than 1 MiB');
  const documents = parseAllDocuments(text, { merge: false });
  if (!Array.isArray(documents)) throw invalid(source, 'it is empty');
  const found = documents.flatMap((document, index) => {
    const where = documents.length === 1 ? source : `${source}, document ${index + 1}`;
    const [error] = document.errors;
    if (error !== undefined) throw invalid(where, error.message.split('\n')[0] ?? 'it is no YAML');
    // Aliases can make a small file huge.
    let value: unknown;
    try {
      value = document.toJS({ maxAliasCount: 100 });
    } catch (cause) {
      throw invalid(where, cause instanceof Error ? cause.message : 'it is no YAML');
    }
    return value === null || value === undefined ? [] : transformsOf(value, where);
  });
  if (found.length === 0) throw invalid(source, 'it holds no transforms');
  return found;
}

function transformsOf(value: unknown, where: string): Transform[] {
  if (Array.isArray(value)) return checked(z.array(transformSchema).min(1), value, where);
  if (isModifiers(value)) return checked(z.array(transformSchema), fromModifiers(value, where), where);
  if (!isRecord(value)) throw invalid(where, 'it is neither a TransformSet nor a list of transforms');
  const { apiVersion, kind } = value;
  if (kind === 'TransformSet' && apiVersion === 'config.kio.kasten.io/v1alpha1') {
    // What belongs to that cluster (status, uid) is of no interest; the transforms themselves are read as strictly as ours.
    const { spec } = checked(kastenSet, value, where);
    return checked(z.array(transformSchema), spec.transforms.map(withoutEmptySubject), where, 'spec.transforms');
  }
  if (kind !== 'TransformSet') throw invalid(where, `its kind is ${String(kind)}, not TransformSet`);
  return checked(transformSetSchema, value, where).spec.transforms;
}

/** There an empty field of a subject means any; in ours the empty group is the core group. */
function withoutEmptySubject(transform: unknown): unknown {
  if (!isRecord(transform) || !isRecord(transform['subject'])) return transform;
  return { ...transform, subject: Object.fromEntries(Object.entries(transform['subject']).filter(([, value]) => value !== '')) };
}

function checked<Schema extends z.ZodType>(schema: Schema, value: unknown, where: string, prefix = ''): z.output<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const path = [...(prefix === '' ? [] : [prefix]), ...(issue?.path ?? [])].join('.');
  throw invalid(where, `${path === '' ? 'it' : path}: ${issue?.message ?? 'is not valid'}`);
}

function invalid(where: string, what: string): TranshipError {
  return new TranshipError('InvalidInput', `${where} can't be used: ${what}.`, { hint: 'docs/transforms.md describes the form.' });
}
