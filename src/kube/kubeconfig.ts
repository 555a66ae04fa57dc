/**
 * The operator's own kubeconfig: files, merging and every way to log in, as kubectl has them.
 * Text that comes from anywhere else goes through `untrusted-kubeconfig.ts`.
 */
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, isAbsolute, join, resolve } from 'node:path';
import { TranshipError } from '../errors.ts';
import type { ClusterAccess, Credential, CredentialSource, Impersonation } from './access.ts';
import { fixedCredential } from './access.ts';
import { execCredential } from './exec-credential.ts';
import type { ClusterEntry, ContextEntry, KubeconfigFile, UserEntry } from './kubeconfig-schema.ts';
import { parseKubeconfigText } from './kubeconfig-schema.ts';

/** An entry and the directory that its relative paths start from. */
interface Placed<Entry> {
  entry: Entry;
  directory: string;
}

interface Merged {
  currentContext: string | undefined;
  clusters: Map<string, Placed<ClusterEntry>>;
  users: Map<string, Placed<UserEntry>>;
  contexts: Map<string, Placed<ContextEntry>>;
}

export interface ContextInfo {
  name: string;
  /** URL of the API server; undefined when the context names a cluster that is not there. */
  server: string | undefined;
  namespace: string | undefined;
}

export interface Kubeconfig {
  readonly currentContext: string | undefined;
  contexts(): ContextInfo[];
  /**
   * @throws NotFound when there is no such context (naming the known ones), or its cluster or user is missing
   * @throws InvalidInput when the entry cannot be used (no server, unreadable file, broken base64)
   */
  access(contextName: string): ClusterAccess;
}

/**
 * Reads the kubeconfig of the person who runs us.
 *
 * Without `path`: the files of KUBECONFIG (colon list, merged like kubectl: the first file that sets a value wins, missing files are
 * skipped), else ~/.kube/config. Plugins are run and files are opened only for this kubeconfig.
 *
 * @throws NotFound when `path` does not exist; InvalidInput for a broken file
 * @example const kube = openKube(loadKubeconfig().access('old'));
 */
export function loadKubeconfig(options: { path?: string; env?: NodeJS.ProcessEnv } = {}): Kubeconfig {
  const env = options.env ?? process.env;
  const listed = (env.KUBECONFIG ?? '').split(delimiter).filter((path) => path !== '');
  const paths = options.path !== undefined ? [options.path] : listed.length > 0 ? listed : [join(env.HOME ?? homedir(), '.kube', 'config')];
  const merged: Merged = { currentContext: undefined, clusters: new Map(), users: new Map(), contexts: new Map() };
  for (const path of paths) {
    const content = readConfig(path, options.path !== undefined);
    if (content !== undefined) mergeInto(merged, parseKubeconfigText(content, path), dirname(resolve(path)));
  }
  return kubeconfigOf(merged, paths);
}

function readConfig(path: string, mustExist: boolean): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (isMissing(error) && !mustExist) return undefined;
    if (isMissing(error)) throw new TranshipError('NotFound', `The kubeconfig ${path} does not exist.`, { cause: error });
    throw new TranshipError('InvalidInput', `The kubeconfig ${path} cannot be read.`, { cause: error });
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

function mergeInto(merged: Merged, file: KubeconfigFile, directory: string): void {
  merged.currentContext ??= file.currentContext;
  for (const [name, entry] of file.clusters) if (!merged.clusters.has(name)) merged.clusters.set(name, { entry, directory });
  for (const [name, entry] of file.users) if (!merged.users.has(name)) merged.users.set(name, { entry, directory });
  for (const [name, entry] of file.contexts) if (!merged.contexts.has(name)) merged.contexts.set(name, { entry, directory });
}

function kubeconfigOf(merged: Merged, paths: string[]): Kubeconfig {
  return {
    currentContext: merged.currentContext,
    contexts: () =>
      [...merged.contexts].map(([name, { entry }]) => ({
        name,
        server: merged.clusters.get(entry.cluster ?? '')?.entry.server,
        namespace: entry.namespace || undefined,
      })),
    access(contextName) {
      const context = merged.contexts.get(contextName)?.entry;
      if (context === undefined) {
        const known = [...merged.contexts.keys()];
        const hint = known.length > 0 ? `Known contexts: ${known.join(', ')}.` : `No context was found in ${paths.join(', ')}.`;
        throw new TranshipError('NotFound', `Context "${contextName}" is not in the kubeconfig.`, { hint });
      }
      const cluster = merged.clusters.get(context.cluster ?? '');
      if (cluster === undefined) {
        throw new TranshipError(
          'NotFound',
          `Context "${contextName}" names the cluster "${context.cluster ?? ''}", which is not in the kubeconfig.`,
        );
      }
      const user = context.user ? merged.users.get(context.user) : { entry: {}, directory: cluster.directory };
      if (user === undefined) {
        throw new TranshipError(
          'NotFound',
          `Context "${contextName}" names the user "${context.user ?? ''}", which is not in the kubeconfig.`,
        );
      }
      return trustedAccess(contextName, context, cluster, user);
    },
  };
}

function trustedAccess(name: string, context: ContextEntry, cluster: Placed<ClusterEntry>, user: Placed<UserEntry>): ClusterAccess {
  const ca = pem(cluster.entry, 'certificate-authority', cluster.directory, name);
  const access = basicAccess(name, context, cluster.entry, ca);
  const impersonate = impersonation(user.entry);
  return { ...access, ...(impersonate && { impersonate }), credentials: trustedCredentials(name, access, cluster.entry, user) };
}

/**
 * The part of an access that comes from the cluster entry alone; no file is opened and nothing is run.
 *
 * @throws InvalidInput for a missing or unusable server or proxy address
 */
export function basicAccess(
  name: string,
  context: ContextEntry,
  cluster: ClusterEntry,
  ca: string | undefined,
): Omit<ClusterAccess, 'credentials'> {
  const server = httpUrl(cluster.server ?? '', `Context "${name}" has no usable server address.`);
  const proxyUrl = cluster['proxy-url'];
  const proxy = proxyUrl ? httpUrl(proxyUrl, `Context "${name}" has a proxy-url that is not an http or https address.`) : undefined;
  return {
    context: name,
    server: server.href.replace(/\/+$/, ''),
    insecureSkipTlsVerify: cluster['insecure-skip-tls-verify'] ?? false,
    ...(context.namespace && { namespace: context.namespace }),
    ...(ca !== undefined && { ca }),
    ...(cluster['tls-server-name'] && { tlsServerName: cluster['tls-server-name'] }),
    ...(proxy && { proxy: () => proxy }),
  };
}

function httpUrl(value: string, sentence: string): URL {
  const url = URL.parse(value);
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:')) throw new TranshipError('InvalidInput', sentence);
  return url;
}

function trustedCredentials(
  name: string,
  access: Omit<ClusterAccess, 'credentials'>,
  cluster: ClusterEntry,
  user: Placed<UserEntry>,
): CredentialSource {
  const { entry, directory } = user;
  if (entry['auth-provider'] !== undefined && entry['auth-provider'] !== null) {
    throw new TranshipError('Unsupported', `Context "${name}" logs in with an auth-provider, which Kubernetes removed in 1.26.`, {
      hint: 'Let the cloud CLI write the kubeconfig again, so that it uses an exec plugin.',
    });
  }
  if (entry.exec) return execCredential(entry.exec, directory, access, cluster);
  const cert = pem(entry, 'client-certificate', directory, name);
  const key = pem(entry, 'client-key', directory, name);
  if ((cert === undefined) !== (key === undefined)) {
    throw new TranshipError(
      'InvalidInput',
      `Context "${name}" has a client certificate without its key, or a key without its certificate.`,
    );
  }
  const fixed: Credential = {
    ...(entry.token && { token: entry.token }),
    ...(entry.username && { basic: { username: entry.username, password: entry.password ?? '' } }),
    ...(cert !== undefined && key !== undefined && { clientCert: { cert, key } }),
  };
  if (!entry.tokenFile) return fixedCredential(fixed);
  const tokenPath = placed(entry.tokenFile, directory);
  // Like client-go: the file wins over an inline token, and is read again because its writer replaces it.
  return {
    current: () => Promise.resolve({ ...fixed, token: readText(tokenPath, `The token file of context "${name}"`).trim() }),
    refused: () => true,
  };
}

function impersonation(user: UserEntry): Impersonation | undefined {
  if (!user.as) return undefined;
  const base: Impersonation = { user: user.as, groups: user['as-groups'] ?? [], extra: user['as-user-extra'] ?? {} };
  return user['as-uid'] ? { ...base, uid: user['as-uid'] } : base;
}

type PemField = 'certificate-authority' | 'client-certificate' | 'client-key';

function pem(entry: ClusterEntry | UserEntry, field: PemField, directory: string, context: string): string | undefined {
  const inline = entry[`${field}-data`];
  if (typeof inline === 'string' && inline !== '') return inlinePem(inline, field, context);
  const path = entry[field];
  if (typeof path !== 'string' || path === '') return undefined;
  return readText(placed(path, directory), `The ${field} of context "${context}"`);
}

/**
 * Decodes an inline `…-data` field.
 *
 * @throws InvalidInput when it is not base64 of a PEM text; the value is not shown
 */
export function inlinePem(data: string, field: string, context: string): string {
  const decoded = Buffer.from(data, 'base64').toString('utf8');
  if (decoded.includes('-----BEGIN ')) return decoded;
  throw new TranshipError('InvalidInput', `The ${field}-data of context "${context}" is not base64 of a PEM text.`);
}

function placed(path: string, directory: string): string {
  return isAbsolute(path) ? path : join(directory, path);
}

function readText(path: string, what: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new TranshipError('InvalidInput', `${what} (${path}) cannot be read.`, { cause: error });
  }
}
