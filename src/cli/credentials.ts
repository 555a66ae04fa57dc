/**
 * S3 credentials of the person who runs us, in the order of the AWS tools: the named file, the variables, the shared credentials file.
 * They are read at each run and never stored.
 */
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { TranshipError } from '../errors.ts';

export interface S3Credentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
}

/**
 * @param file path given with --s3-credentials-file; it must then exist and hold the profile
 * @returns undefined when nothing is found: then the store's client asks the machine (instance role, web identity)
 * @throws NotFound, InvalidInput; the texts never hold what was read
 */
export function s3Credentials(file: string | undefined, env: NodeJS.ProcessEnv): S3Credentials | undefined {
  const profile = env['AWS_PROFILE'] ?? 'default';
  if (file !== undefined) return fromFile(file, profile, true);
  const id = env['AWS_ACCESS_KEY_ID'] ?? '';
  const secret = env['AWS_SECRET_ACCESS_KEY'] ?? '';
  if (id !== '' && secret !== '') return credentials(id, secret, env['AWS_SESSION_TOKEN']);
  if (id !== '' || secret !== '') {
    const missing = id === '' ? 'AWS_ACCESS_KEY_ID' : 'AWS_SECRET_ACCESS_KEY';
    throw new TranshipError('InvalidInput', `${missing} is not set, but its companion is.`, { hint: 'Set both, or neither.' });
  }
  return fromFile(env['AWS_SHARED_CREDENTIALS_FILE'] ?? join(env['HOME'] ?? homedir(), '.aws', 'credentials'), profile, false);
}

/** PEM text of AWS_CA_BUNDLE, for stores with a private CA. */
export function caBundle(env: NodeJS.ProcessEnv): string | undefined {
  const path = env['AWS_CA_BUNDLE'];
  if (path === undefined || path === '') return undefined;
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new TranshipError('InvalidInput', `AWS_CA_BUNDLE names ${path}, which cannot be read.`, { cause: error });
  }
}

function fromFile(path: string, profile: string, mustExist: boolean): S3Credentials | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (!mustExist) return undefined;
    throw new TranshipError('NotFound', `The credentials file ${path} cannot be read.`, {
      cause: error,
      hint: 'Correct --s3-credentials-file.',
    });
  }
  const values = parseProfiles(text).get(profile);
  const id = values?.get('aws_access_key_id') ?? '';
  const secret = values?.get('aws_secret_access_key') ?? '';
  if (id !== '' && secret !== '') return credentials(id, secret, values?.get('aws_session_token'));
  if (!mustExist) return undefined;
  throw new TranshipError('InvalidInput', `The credentials file ${path} has no key pair in the profile [${profile}].`, {
    hint: 'It needs aws_access_key_id and aws_secret_access_key; another profile is chosen with AWS_PROFILE.',
  });
}

/** INI as the AWS tools write it: `[profile]`, `key = value`, comments with # and ;. */
export function parseProfiles(text: string): Map<string, Map<string, string>> {
  const profiles = new Map<string, Map<string, string>>();
  let current = new Map<string, string>();
  for (const raw of text.split(/\r?\n/)) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#') || line.startsWith(';')) continue;
    const head = /^\[\s*(?:profile\s+)?([^\]]+?)\s*\]$/.exec(line);
    if (head?.[1] !== undefined) {
      current = profiles.get(head[1]) ?? new Map<string, string>();
      profiles.set(head[1], current);
      continue;
    }
    const equals = line.indexOf('=');
    if (equals > 0) current.set(line.slice(0, equals).trim().toLowerCase(), line.slice(equals + 1).trim());
  }
  return profiles;
}

function credentials(accessKeyId: string, secretAccessKey: string, sessionToken: string | undefined): S3Credentials {
  return { accessKeyId, secretAccessKey, ...(sessionToken === undefined || sessionToken === '' ? {} : { sessionToken }) };
}
