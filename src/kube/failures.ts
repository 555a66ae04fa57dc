/** Pure: what a failed answer or a failed connection means, as a TranshipError. Response bodies are quoted only when they are a Status. */
import type { ErrorCode } from '../errors.ts';
import { TranshipError } from '../errors.ts';

/** What `details` of every error of this room holds. */
export interface KubeErrorDetails {
  /** HTTP status; absent when there was no answer. */
  status?: number;
  /** The server's reason (`AlreadyExists`, `Invalid`, …), `NotServed`, or the network's error code. */
  reason?: string;
  causes?: { field?: string; reason?: string; message?: string }[];
  /** The object that the server's answer is about, for example the webhook or quota that said no. */
  about?: { name?: string; kind?: string; group?: string };
  retryAfterSeconds?: number;
  /** `unknown`: the write may or may not have happened; read before writing again. */
  outcome?: 'unknown';
}

/** What a call was about, for messages. */
export interface Subject {
  /** Kubernetes verb: get, list, create, … */
  verb: string;
  /** `ConfigMap shop/web`, `pods in shop`, or a path. */
  what: string;
  /** Context or Cluster name. */
  cluster: string;
  server: string;
}

const CODES: Record<number, ErrorCode> = {
  400: 'InvalidInput',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  405: 'Unsupported',
  406: 'Unsupported',
  409: 'Conflict',
  410: 'Conflict',
  413: 'InvalidInput',
  415: 'Unsupported',
  422: 'InvalidInput',
  504: 'TimedOut',
};

/** The details of an error thrown by this room; undefined for other errors. */
export function kubeDetails(error: unknown): KubeErrorDetails | undefined {
  if (!(error instanceof TranshipError) || typeof error.details !== 'object' || error.details === null) return undefined;
  return error.details;
}

/** True for a create of something that is there already. */
export function isAlreadyExists(error: unknown): boolean {
  return kubeDetails(error)?.reason === 'AlreadyExists';
}

/** Turns an answer with status >= 400 into an error. `text` is the body. */
export function statusError(status: number, text: string, subject: Subject): TranshipError {
  const body = parseStatus(text);
  const said = body?.message ?? (text.trim().length > 0 && text.length < 300 && !text.includes('<') ? text.trim() : `HTTP ${status}`);
  const details: KubeErrorDetails = { status, ...body?.details };
  const hint = hintFor(status);
  const options = hint === undefined ? { details } : { hint, details };
  if (status === 404 && isNotServed(body, text)) {
    details.reason = 'NotServed';
    return new TranshipError('NotFound', `Cluster ${subject.cluster} does not serve what is needed to ${subject.verb} ${subject.what}.`, {
      details,
    });
  }
  if (status === 504 && subject.verb !== 'get' && subject.verb !== 'list' && subject.verb !== 'watch') details.outcome = 'unknown';
  const code = CODES[status] ?? 'Unreachable';
  return new TranshipError(
    code,
    `Cluster ${subject.cluster} ${status >= 500 ? 'failed' : 'refused'} to ${subject.verb} ${subject.what}: ${sentence(said)}`,
    options,
  );
}

function hintFor(status: number): string | undefined {
  if (status === 401) return 'Log in to the cluster again, or check the token or certificate of the context.';
  return undefined;
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

function isNotServed(body: ParsedStatus | undefined, text: string): boolean {
  if (body === undefined) return text.startsWith('404 page not found') || text.trim() === '';
  return body.message?.startsWith('the server could not find the requested resource') ?? false;
}

interface ParsedStatus {
  message: string | undefined;
  details: KubeErrorDetails;
}

/** Reads a `Status` object; undefined for anything else. */
export function parseStatus(text: string): ParsedStatus | undefined {
  let value: StatusShape;
  try {
    value = JSON.parse(text) as StatusShape; // JSON border: every field is checked below
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  // The error channel of an exec carries a Status that does not name its kind: {"metadata":{},"status":"Success"}.
  if (value.kind !== 'Status' && (value.kind !== undefined || (value.status !== 'Success' && value.status !== 'Failure'))) return undefined;
  const details: KubeErrorDetails = {};
  if (typeof value.reason === 'string') details.reason = value.reason;
  const { causes, name, kind, group, retryAfterSeconds } = value.details ?? {};
  if (Array.isArray(causes))
    details.causes = causes.map(({ field, reason, message }) => ({
      ...(field && { field }),
      ...(reason && { reason }),
      ...(message && { message }),
    }));
  if (name || kind || group) details.about = { ...(name && { name }), ...(kind && { kind }), ...(group && { group }) };
  if (typeof retryAfterSeconds === 'number') details.retryAfterSeconds = retryAfterSeconds;
  return { message: typeof value.message === 'string' ? value.message : undefined, details };
}

interface StatusShape {
  kind?: string;
  status?: string;
  message?: string;
  reason?: string;
  details?: {
    name?: string;
    kind?: string;
    group?: string;
    retryAfterSeconds?: number;
    causes?: { field?: string; reason?: string; message?: string }[];
  };
}

const CERTIFICATE: Record<string, string> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is self-signed and not the CA of the context',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is signed by a CA that the context does not name',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate is signed by a CA that the context does not name',
  UNABLE_TO_GET_ISSUER_CERT: 'its certificate is signed by a CA that the context does not name',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its certificate is signed by a CA that the context does not name',
  CERT_SIGNATURE_FAILURE: 'its certificate is not signed by the CA of the context (another cluster on the same address?)',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet (clock of this machine?)',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
};

const CONNECTION: Record<string, string> = {
  ECONNREFUSED: 'nothing listens there',
  ENOTFOUND: 'its host name is not known',
  EAI_AGAIN: 'its host name could not be looked up',
  EHOSTUNREACH: 'there is no route to it',
  ENETUNREACH: 'there is no route to it',
  ETIMEDOUT: 'the connection timed out',
  UND_ERR_CONNECT_TIMEOUT: 'the connection timed out',
  ECONNRESET: 'the connection was cut',
  EPIPE: 'the connection was cut',
  UND_ERR_SOCKET: 'the connection was cut',
  UND_ERR_DESTROYED: 'the client was closed',
  UND_ERR_CLOSED: 'the client was closed',
};

/** Codes of failures that happen before a request is sent: nothing can have been done by the server. */
const BEFORE_SENDING = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
  ...Object.keys(CERTIFICATE),
]);

/** The code of a network error: of itself, its causes, or the first of several tried addresses. */
export function networkCode(error: unknown): string {
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 5; depth++) {
    if ('code' in at && typeof at.code === 'string') return at.code;
    at = at instanceof AggregateError ? (at.errors as unknown[])[0] : at.cause;
  }
  return 'UNKNOWN';
}

/** True when the request cannot have reached the server. */
export function neverSent(code: string): boolean {
  return BEFORE_SENDING.has(code) || code === 'EPROTO' || code.startsWith('ERR_TLS') || code.startsWith('ERR_SSL_WRONG_VERSION');
}

/** Turns a failed connection into an error. `mayHaveHappened`: a write was cut after it may have been sent. */
export function connectionError(error: unknown, subject: Subject, mayHaveHappened: boolean): TranshipError {
  if (error instanceof TranshipError) return error;
  const code = networkCode(error);
  const details: KubeErrorDetails = { reason: code };
  const place = `${subject.server} (context ${subject.cluster})`;
  if (mayHaveHappened) {
    details.outcome = 'unknown';
    return new TranshipError(
      'Unreachable',
      `The connection to ${place} was cut during ${subject.verb} of ${subject.what}: unknown outcome.`,
      {
        hint: 'Read the object before trying again.',
        cause: error,
        details,
      },
    );
  }
  const certificate = CERTIFICATE[code];
  if (certificate !== undefined) {
    return new TranshipError('Unreachable', `The server ${place} is not trusted: ${certificate}.`, {
      hint: 'Check certificate-authority-data and tls-server-name of the context.',
      cause: error,
      details,
    });
  }
  const why =
    CONNECTION[code] ??
    (code === 'EPROTO' || code.startsWith('ERR_SSL') ? tlsTalk(error) : error instanceof Error ? error.message : 'unknown failure');
  return new TranshipError('Unreachable', `The cluster at ${place} does not answer: ${why}.`, {
    hint: `Check that it runs and that this machine reaches it: kubectl --context ${subject.cluster} get --raw /version.`,
    cause: error,
    details,
  });
}

function tlsTalk(error: unknown): string {
  const text = error instanceof Error ? error.message : '';
  if (/wrong version number|packet length too long/i.test(text)) return 'it does not speak TLS (is the address http instead of https?)';
  if (/alert .*certificate|certificate required|bad certificate/i.test(text)) return 'it refuses our client certificate';
  return 'the TLS handshake failed';
}
