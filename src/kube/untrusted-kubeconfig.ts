/**
 * A kubeconfig that somebody else wrote (from a Secret, an upload, a tenant).
 *
 * A kubeconfig is code: `exec` and `auth-provider` run programs, file fields read our files, `proxy-url` sends our traffic elsewhere.
 * Flux had this as GHSA-vvmq-fwmg-2gjc. So only inline values are taken, and everything else is refused with its reason.
 */
import { TranshipError } from '../errors.ts';
import type { ClusterAccess, Credential } from './access.ts';
import { fixedCredential } from './access.ts';
import { basicAccess, inlinePem } from './kubeconfig.ts';
import type { KubeconfigFile } from './kubeconfig-schema.ts';
import { parseKubeconfigText } from './kubeconfig-schema.ts';

const REASONS: Record<string, string> = {
  exec: 'would run a program on our side',
  'auth-provider': 'would run a login plugin on our side',
  tokenFile: 'would read a file on our side',
  'certificate-authority': 'would read a file on our side',
  'client-certificate': 'would read a file on our side',
  'client-key': 'would read a file on our side',
  'proxy-url': 'would send our traffic through an address of its choice',
  'insecure-skip-tls-verify': 'would switch off the check of the server',
};

/**
 * Reads a kubeconfig that is not trusted, for the context `contextName` (default: its current-context, or its only one).
 *
 * The whole text is checked, also entries that the context does not use: a later edit must not turn them on.
 *
 * @throws Forbidden when a field would act on our side, naming entry, field and reason
 * @throws InvalidInput for a broken text; NotFound for a context that is not there
 */
export function parseUntrustedKubeconfig(text: string, options: { origin?: string; contextName?: string } = {}): ClusterAccess {
  const origin = options.origin ?? 'The kubeconfig';
  const file = parseKubeconfigText(text, origin);
  for (const [name, entry] of file.clusters) refuseFields(entry, `cluster "${name}"`, origin);
  for (const [name, entry] of file.users) refuseFields(entry, `user "${name}"`, origin);

  const name = options.contextName ?? file.currentContext ?? onlyContext(file);
  const context = name === undefined ? undefined : file.contexts.get(name);
  const cluster = file.clusters.get(context?.cluster ?? '');
  const user = file.users.get(context?.user ?? '');
  if (name === undefined || context === undefined || cluster === undefined || user === undefined) {
    throw new TranshipError(
      'NotFound',
      `${origin} has no complete context ${name === undefined ? 'that is the current one' : `"${name}"`}.`,
    );
  }
  const inline = cluster['certificate-authority-data'];
  const access = basicAccess(name, context, cluster, inline ? inlinePem(inline, 'certificate-authority', name) : undefined);
  if (!access.server.startsWith('https:'))
    throw new TranshipError('Forbidden', `${origin} names a server without TLS: its token would travel in the clear.`);

  const certData = user['client-certificate-data'];
  const keyData = user['client-key-data'];
  const credential: Credential = {
    ...(user.token && { token: user.token }),
    ...(certData &&
      keyData && { clientCert: { cert: inlinePem(certData, 'client-certificate', name), key: inlinePem(keyData, 'client-key', name) } }),
  };
  if (credential.token === undefined && credential.clientCert === undefined) {
    throw new TranshipError('InvalidInput', `${origin} has neither a token nor an inline client certificate with its key.`);
  }
  return { ...access, credentials: fixedCredential(credential) };
}

function refuseFields(entry: Record<string, unknown>, where: string, origin: string): void {
  for (const [field, reason] of Object.entries(REASONS)) {
    const value = entry[field];
    if (value === undefined || value === null || value === '' || value === false) continue;
    throw new TranshipError('Forbidden', `${origin} sets "${field}" in ${where}, which ${reason}; only inline values are accepted.`, {
      hint: 'Give a server, its CA and a token or client certificate as inline data, for example of a service account.',
    });
  }
}

function onlyContext(file: KubeconfigFile): string | undefined {
  return file.contexts.size === 1 ? [...file.contexts.keys()][0] : undefined;
}
