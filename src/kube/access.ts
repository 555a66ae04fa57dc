/** How to reach one cluster and who we are there: what a kubeconfig context comes down to. */

/** One set of credentials, as it is at this moment. Lives in memory only. */
export interface Credential {
  token?: string;
  basic?: { username: string; password: string };
  /** PEM texts. */
  clientCert?: { cert: string; key: string };
}

/**
 * Gives credentials when they are needed. Implemented by closures, so that printing or serialising an access shows no secret.
 */
export interface CredentialSource {
  current(signal?: AbortSignal): Promise<Credential>;
  /** The server answered 401. True when asking again can give another credential (exec plugin, token file). */
  refused(): boolean;
}

export interface Impersonation {
  user: string;
  uid?: string;
  groups: string[];
  extra: Record<string, string[]>;
}

export interface ClusterAccess {
  /** Context name, for messages. */
  context: string;
  /** Base URL without a trailing slash; may have a path (Rancher and other gateways). */
  server: string;
  /** Default namespace of the context. */
  namespace?: string;
  /** PEM bundle; absent means the system's roots. */
  ca?: string;
  insecureSkipTlsVerify: boolean;
  /** Name to check in the server's certificate and to send as SNI, when it is not the host of `server`. */
  tlsServerName?: string;
  /** http or https proxy that we tunnel through (CONNECT). A closure because it may hold a password. */
  proxy?: () => URL;
  impersonate?: Impersonation;
  credentials: CredentialSource;
}

/** A source for a credential that never changes. */
export function fixedCredential(credential: Credential): CredentialSource {
  return { current: () => Promise.resolve(credential), refused: () => false };
}
