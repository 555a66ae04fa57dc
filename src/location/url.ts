import { isAbsolute, resolve } from 'node:path';
import { TranshipError } from '../errors.ts';
import type { LocationSpec } from './location.ts';

/** What a location URL does not say. Credentials left out mean the usual AWS chain (variables, profile, web identity). */
export interface LocationUrlOptions {
  endpoint?: string;
  region?: string;
  /** Default: true when an endpoint is given (most S3 servers that are not AWS need it). */
  pathStyle?: boolean;
  credentials?: { accessKeyId: string; secretAccessKey: string; sessionToken?: string };
  /** PEM text. */
  caBundle?: string;
}

/**
 * Reads `s3://bucket/prefix` or `dir:/path`. A relative directory is made absolute against the working directory.
 * @throws TranshipError InvalidInput
 * @example parseLocationUrl('s3://backups/team-a', { endpoint: 'http://127.0.0.1:9000', region: 'us-east-1' })
 */
export function parseLocationUrl(url: string, options: LocationUrlOptions = {}): LocationSpec {
  if (url.startsWith('dir:')) return directorySpec(url.slice(4).replace(/^\/\/\//, '/'));
  if (url.startsWith('s3://')) return s3Spec(url, options);
  throw new TranshipError('InvalidInput', `The location "${url}" is not understood.`, { hint: 'Use s3://bucket/prefix or dir:/path.' });
}

function directorySpec(path: string): LocationSpec {
  if (path === '') throw new TranshipError('InvalidInput', 'The location "dir:" names no directory.', { hint: 'Use dir:/path.' });
  return { kind: 'directory', path: isAbsolute(path) ? path : resolve(path) };
}

function s3Spec(url: string, options: LocationUrlOptions): LocationSpec {
  const [bucket = '', ...rest] = url.slice('s3://'.length).split('/');
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket)) {
    throw new TranshipError('InvalidInput', `"${bucket}" is not a valid bucket name.`, {
      hint: 'A bucket name has 3 to 63 characters: a-z, 0-9, dots and dashes.',
    });
  }
  const prefix = rest.filter((part) => part !== '').join('/');
  if (!/^[A-Za-z0-9/._=-]*$/.test(prefix) || prefix.split('/').includes('..')) {
    throw new TranshipError('InvalidInput', `"${prefix}" is not a usable prefix.`, { hint: 'Use letters, digits, / . _ = and -.' });
  }
  const spec: LocationSpec = {
    kind: 's3',
    bucket,
    prefix,
    region: options.region ?? 'us-east-1',
    pathStyle: options.pathStyle ?? options.endpoint !== undefined,
  };
  if (options.endpoint !== undefined) spec.endpoint = checkedEndpoint(options.endpoint);
  if (options.credentials !== undefined) spec.credentials = options.credentials;
  if (options.caBundle !== undefined) spec.caBundle = options.caBundle;
  return spec;
}

function checkedEndpoint(endpoint: string): string {
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '') {
    // The text is not repeated: people put credentials into URLs.
    throw new TranshipError('InvalidInput', 'The endpoint is not an http(s) URL without credentials.', {
      hint: 'Example: https://s3.example.com',
    });
  }
  return endpoint;
}

/** The URL of a spec for messages; never holds credentials. */
export function locationUrl(spec: LocationSpec): string {
  if (spec.kind === 's3') return `s3://${spec.bucket}${spec.prefix === '' ? '' : `/${spec.prefix}`}`;
  return spec.kind === 'directory' ? `dir:${spec.path}` : spec.url;
}
