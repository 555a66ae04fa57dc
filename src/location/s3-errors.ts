import { TranshipError } from '../errors.ts';

/** The facts of an SDK or socket error, read without trusting its shape. */
interface StoreFault {
  name: string;
  code: string;
  status: number | undefined;
  message: string;
}

function faultOf(error: unknown): StoreFault {
  const fields = (typeof error === 'object' && error !== null ? error : {}) as Record<string, unknown>;
  const metadata = (typeof fields['$metadata'] === 'object' && fields['$metadata'] !== null ? fields['$metadata'] : {}) as Record<
    string,
    unknown
  >;
  const text = (value: unknown): string => (typeof value === 'string' ? value : '');
  return {
    name: text(fields['name']),
    code: text(fields['Code']) || text(fields['code']),
    status: typeof metadata['httpStatusCode'] === 'number' ? metadata['httpStatusCode'] : undefined,
    message: text(fields['message']),
  };
}

const networkCodes =
  /^(ECONNREFUSED|ECONNRESET|ETIMEDOUT|EPIPE|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ECONNABORTED|ERR_STREAM_PREMATURE_CLOSE)$/;
const tlsCodes = /^(CERT_|ERR_TLS|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_)/;

/** True when a later try can help: the store is busy, broke off or did not answer. */
export function isTransient(error: unknown): boolean {
  if (error instanceof TranshipError) return error.code === 'Unreachable';
  const { name, code, status } = faultOf(error);
  if (tlsCodes.test(code) || code === 'ENOTFOUND') return false;
  if (networkCodes.test(code) || name === 'TimeoutError') return true;
  // After a skew the SDK signs with the server's clock: the second try succeeds where the offset is all that was wrong.
  if (
    /SlowDown|Throttl|RequestTimeout|RequestTimeTooSkewed|InternalError|ServiceUnavailable|ConditionalRequestConflict/.test(
      `${name} ${code}`,
    )
  )
    return true;
  return status !== undefined && (status === 429 || status === 408 || (status >= 500 && status !== 501));
}

/** The store answered that something of that name is there already. */
export function isPreconditionFailed(error: unknown): boolean {
  return faultOf(error).status === 412;
}

/** The store does not know conditional create. */
export function isNotImplemented(error: unknown): boolean {
  const { name, code, status } = faultOf(error);
  return status === 501 || /NotImplemented/.test(`${name} ${code}`);
}

export function isAbsent(error: unknown): boolean {
  const { name, code, status } = faultOf(error);
  return /^(NoSuchKey|NotFound)$/.test(name) || code === 'NoSuchKey' || (status === 404 && !/NoSuchBucket/.test(`${name} ${code}`));
}

/** One sentence with bucket, verb and object, and the cure. The store's own words go to the cause only: some echo the access key. */
export function s3Error(error: unknown, verb: string, bucket: string, endpoint: string | undefined, object: string): unknown {
  if (error instanceof TranshipError || (error instanceof Error && error.name === 'AbortError')) return error;
  const { name, code, status } = faultOf(error);
  const kind = `${name} ${code}`;
  const what = `Cannot ${verb}${object === '' ? '' : ` ${object} in`} bucket "${bucket}"`;
  const at = endpoint === undefined ? 'AWS' : endpoint;
  const cause = new Error([name, code, status].filter((part) => part !== '' && part !== undefined).join(' '));
  if (/NoSuchBucket/.test(kind)) {
    return new TranshipError('NotFound', `Bucket "${bucket}" does not exist at ${at}.`, {
      hint: 'Create it, or correct the location, endpoint or region.',
      cause,
    });
  }
  if (
    /InvalidAccessKeyId|SignatureDoesNotMatch|InvalidToken|ExpiredToken|InvalidSecurity|CredentialsProviderError|AuthorizationHeaderMalformed/.test(
      kind,
    ) ||
    status === 401
  ) {
    return new TranshipError('Unauthorized', `${what}: the credentials are not accepted at ${at}.`, {
      hint: /AuthorizationHeaderMalformed/.test(kind)
        ? 'The region is wrong for this bucket.'
        : 'Check the access key, the secret key and whether a session token has expired.',
      cause,
    });
  }
  if (/RequestTimeTooSkewed/.test(kind)) {
    return new TranshipError('Unauthorized', `${what}: the clocks differ too much.`, {
      hint: 'Set the clock of this machine (NTP).',
      cause,
    });
  }
  if (status === 403 || /AccessDenied/.test(kind)) {
    return new TranshipError('Forbidden', `${what}: access denied.`, {
      hint:
        verb === 'write'
          ? 'The credentials need s3:PutObject on this prefix.'
          : verb === 'list'
            ? 'The credentials need s3:ListBucket.'
            : `The credentials may not ${verb} there.`,
      cause,
    });
  }
  if (status === 301 || /PermanentRedirect/.test(kind)) {
    return new TranshipError('InvalidInput', `${what}: the bucket is in another region.`, { hint: 'Set the region of the bucket.', cause });
  }
  if (status === 404) return new TranshipError('NotFound', `${what}: it does not exist.`, { cause });
  if (status === 507 || /StorageFull|QuotaExceeded|XMinioStorageFull/.test(kind))
    return new TranshipError('NoSpace', `${what}: the store is full.`, { cause });
  if (tlsCodes.test(code)) {
    return new TranshipError('Unreachable', `${what}: the certificate of ${at} is not trusted (${code}).`, {
      hint: 'Give the CA of the store.',
      cause,
    });
  }
  return new TranshipError('Unreachable', `${what}: ${at} does not answer properly (${kind.trim() || status || 'no details'}).`, {
    hint: 'Check the endpoint and that this machine can reach it.',
    cause,
  });
}
