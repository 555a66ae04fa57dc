import { TranshipError } from '../errors.ts';
import { storeFault, tlsCodes, type StoreFault } from './s3-faults.ts';

/** What was asked of the store, for sentences. */
export interface Asked {
  verb: 'write' | 'read' | 'look up' | 'list' | 'delete';
  bucket: string;
  endpoint: string | undefined;
  region: string;
  object: string;
}

/** The right of AWS's policies that a verb needs; other stores use the same names. */
const rights = { write: 's3:PutObject', read: 's3:GetObject', 'look up': 's3:GetObject', list: 's3:ListBucket', delete: 's3:DeleteObject' };

/** One sentence with bucket, verb and object, and the cure. The store's own words are left out: some echo the access key. */
export function s3Error(error: unknown, asked: Asked): unknown {
  if (error instanceof TranshipError || (error instanceof Error && error.name === 'AbortError')) return error;
  const fault = storeFault(error);
  const { bucket, object } = asked;
  const what = `Cannot ${asked.verb}${object === '' ? '' : ` ${object} in`} bucket "${bucket}"`;
  const at = asked.endpoint ?? 'AWS';
  const cause = new Error([fault.name, fault.code, fault.status].filter((part) => part !== '' && part !== undefined).join(' '));
  const [code, sentence, hint] = judge(fault, asked, what, at);
  return new TranshipError(code, sentence, { cause, ...(hint === undefined ? {} : { hint }) });
}

type Judgement = [code: TranshipError['code'], sentence: string, hint?: string];

function judge(fault: StoreFault, asked: Asked, what: string, at: string): Judgement {
  const { status, code } = fault;
  const is = (pattern: RegExp): boolean => pattern.test(`${fault.name} ${code}`);
  if (is(/NoSuchBucket/))
    return ['NotFound', `Bucket "${asked.bucket}" does not exist at ${at}.`, 'Create it, or correct the location, endpoint or region.'];
  if (is(/AuthorizationHeaderMalformed|PermanentRedirect|IllegalLocationConstraint/) || status === 301 || status === 307) {
    const right = fault.region === undefined ? 'the region of the bucket' : `the region ${fault.region}`;
    return [
      'InvalidInput',
      `${what}: it is not in the region ${asked.region}.`,
      `Give ${right} (--s3-region), and the endpoint that belongs to it.`,
    ];
  }
  if (is(/RequestTimeTooSkewed/))
    return [
      'Unauthorized',
      `${what}: the clock of this machine and that of ${at} differ too much.`,
      'Set the clock of this machine (NTP).',
    ];
  if (is(/ExpiredToken|TokenRefreshRequired/))
    return ['Unauthorized', `${what}: the session token has expired.`, 'Get new temporary credentials and run the same command again.'];
  if (is(/CredentialsProviderError/))
    return ['Unauthorized', `${what}: no credentials were found.`, 'Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a file.'];
  if (is(/InvalidAccessKeyId|SignatureDoesNotMatch|InvalidToken|InvalidClientTokenId|InvalidSecurity/) || status === 401) {
    const which = is(/InvalidAccessKeyId|InvalidClientTokenId/) ? 'the access key' : is(/Signature/) ? 'the secret key' : 'the keys';
    return ['Unauthorized', `${what}: the credentials are not accepted at ${at}.`, `Check ${which}, and that they belong to this store.`];
  }
  if (status === 403 || is(/AccessDenied/))
    return ['Forbidden', `${what}: access denied.`, `The credentials need ${rights[asked.verb]} on this bucket and prefix.`];
  if (status === 507 || is(/StorageFull|QuotaExceeded|XMinioStorageFull/)) return ['NoSpace', `${what}: the store is full.`];
  if (status === 404) return ['NotFound', `${what}: it does not exist.`];
  if (is(/XAmzContentSHA256Mismatch|BadDigest/))
    return ['Integrity', `${what}: other bytes arrived at ${at} than were sent.`, 'The network or a proxy on the way changes data.'];
  return unreachable(fault, what, at);
}

/** No answer, or none that makes sense: the sentence tells the stage that was reached. */
function unreachable(fault: StoreFault, what: string, at: string): Judgement {
  const { code, status } = fault;
  const no = (why: string, hint: string): Judgement => ['Unreachable', `${what}: ${why}`, hint];
  if (tlsCodes.test(code)) {
    return no(`the certificate of ${at} is not trusted (${code}).`, 'Name the file with its CA in AWS_CA_BUNDLE.');
  }
  if (code === 'EPROTO' || code.startsWith('ERR_SSL'))
    return no(`${at} does not speak TLS.`, 'Use http:// in the endpoint if the store has no TLS.');
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return no(
      `the host name of ${at} does not resolve.`,
      'Correct the endpoint. A bucket in the host name needs DNS for it: else use path style.',
    );
  if (code === 'ECONNREFUSED')
    return no(`${at} cannot be reached, nothing listens there.`, 'Check host and port of the endpoint, and that the store runs.');
  if (status === 429 || status === 503) return no(`${at} is too busy (${status}).`, 'Use fewer streams, or try again later.');
  if (fault.name === 'TimeoutError' || code === 'ETIMEDOUT') return no(`${at} stopped answering.`, 'Check the network to the store.');
  const how = [fault.name, code, status].filter((part) => part !== '' && part !== undefined && part !== 'Error').join(' ');
  return no(`${at} does not answer properly (${how || 'no details'}).`, 'Check the endpoint and that this machine can reach it.');
}
