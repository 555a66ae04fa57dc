import { TranshipError } from '../errors.ts';

/** The facts of an SDK or socket error, read without trusting its shape. */
export interface StoreFault {
  name: string;
  code: string;
  status: number | undefined;
  /** Where the bucket is, when the store says so. */
  region: string | undefined;
}

export function storeFault(error: unknown): StoreFault {
  const fields = fieldsOf(error);
  const status = fieldsOf(fields['$metadata'])['httpStatusCode'] ?? fieldsOf(fields['$response'])['statusCode'];
  const region = word(fields['Region']) || word(headerOf(error, 'x-amz-bucket-region'));
  return {
    name: word(fields['name']),
    code: word(fields['Code']) || word(fields['code']),
    status: typeof status === 'number' ? status : undefined,
    region: region === '' ? undefined : region,
  };
}

function fieldsOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function headerOf(error: unknown, name: string): unknown {
  return fieldsOf(fieldsOf(fieldsOf(error)['$response'])['headers'])[name];
}

/** A word such as `SlowDown`. The store chooses it, so anything else is dropped: it would go into our messages. */
function word(value: unknown): string {
  return typeof value === 'string' && /^[\w.-]{1,64}$/.test(value) ? value : '';
}

export const tlsCodes = /^(CERT_|ERR_TLS|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_)/;
const networkCodes =
  /^(ECONNREFUSED|ECONNRESET|ETIMEDOUT|EPIPE|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ECONNABORTED|ERR_STREAM_PREMATURE_CLOSE|HPE_\w+)$/;
/** By the names that AWS, MinIO, Ceph and versitygw use. After a skew the SDK signs with the store's clock, so the second try may succeed. */
const passingNames =
  /SlowDown|Throttl|TooManyRequests|RequestTimeout|RequestTimeTooSkewed|InternalError|ServiceUnavailable|OperationAborted|ConditionalRequestConflict|XAmzContentSHA256Mismatch|BadDigest|IncompleteBody/;

/** True when a later try can help: the store is busy, broke off, did not answer, or got other bytes than we sent. */
export function isTransient(error: unknown): boolean {
  if (error instanceof TranshipError) return error.code === 'Unreachable';
  const { name, code, status } = storeFault(error);
  if (tlsCodes.test(code) || code === 'ENOTFOUND') return false;
  if (networkCodes.test(code) || name === 'TimeoutError' || passingNames.test(`${name} ${code}`)) return true;
  if (status === undefined) return false;
  // 200 with an error: the body broke off or was no XML.
  return status === 429 || status === 408 || status < 300 || (status >= 500 && status !== 501 && status !== 507);
}

/** What the store asked to wait (Retry-After, RFC 9110 10.2.3), milliseconds. */
export function retryAfter(error: unknown, now = Date.now()): number | undefined {
  const value = headerOf(error, 'retry-after');
  if (typeof value !== 'string') return undefined;
  const wait = /^\d{1,6}$/.test(value) ? Number(value) * 1000 : Date.parse(value) - now;
  return Number.isFinite(wait) && wait > 0 ? wait : undefined;
}

/** The store answered that something of that name is there already. */
export function isPreconditionFailed(error: unknown): boolean {
  return storeFault(error).status === 412;
}

/** The store does not know what was asked, such as conditional create. */
export function isNotImplemented(error: unknown): boolean {
  const { name, code, status } = storeFault(error);
  return status === 501 || /NotImplemented/.test(`${name} ${code}`);
}

export function isAbsent(error: unknown): boolean {
  const { name, code, status } = storeFault(error);
  return /^(NoSuchKey|NotFound)$/.test(name) || code === 'NoSuchKey' || (status === 404 && !/NoSuchBucket/.test(`${name} ${code}`));
}

/** The upload in parts is over: completed or aborted. */
export function isNoSuchUpload(error: unknown): boolean {
  const { name, code } = storeFault(error);
  return /NoSuchUpload/.test(`${name} ${code}`);
}
