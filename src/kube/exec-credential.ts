/**
 * Login plugins of the operator's own kubeconfig: `users[].user.exec`.
 * Protocol: client.authentication.k8s.io v1 and v1beta1 (kubernetes.io, "client-go credential plugins").
 */
import { spawn } from 'node:child_process';
import { isAbsolute, join } from 'node:path';
import { z } from 'zod';
import { TranshipError } from '../errors.ts';
import type { ClusterAccess, Credential, CredentialSource } from './access.ts';
import type { ClusterEntry, ExecEntry } from './kubeconfig-schema.ts';

const VERSIONS = ['client.authentication.k8s.io/v1', 'client.authentication.k8s.io/v1beta1'];
/** A plugin that may not ask anybody has no reason to take longer. */
const UNATTENDED_LIMIT_MS = 120_000;

const answer = z.looseObject({
  apiVersion: z.string(),
  kind: z.literal('ExecCredential'),
  status: z.looseObject({
    token: z.string().optional(),
    clientCertificateData: z.string().optional(),
    clientKeyData: z.string().optional(),
    expirationTimestamp: z.string().optional(),
  }),
});

/**
 * A credential source that runs the plugin when there is no credential, when it expired, and after the server refused it.
 * Calls that come at the same time share one run.
 */
export function execCredential(
  plugin: ExecEntry,
  directory: string,
  access: Omit<ClusterAccess, 'credentials'>,
  cluster: ClusterEntry,
): CredentialSource {
  let running: Promise<{ credential: Credential; expires: number }> | undefined;
  let held: { credential: Credential; expires: number } | undefined;
  return {
    async current() {
      if (held !== undefined && Date.now() < held.expires) return held.credential;
      running ??= runPlugin(plugin, directory, access, cluster).finally(() => (running = undefined));
      held = await running;
      return held.credential;
    },
    refused() {
      held = undefined;
      return true;
    },
  };
}

async function runPlugin(plugin: ExecEntry, directory: string, access: Omit<ClusterAccess, 'credentials'>, cluster: ClusterEntry) {
  const version = plugin.apiVersion ?? '';
  const who = `The login plugin "${plugin.command}" of context "${access.context}"`;
  if (!VERSIONS.includes(version))
    throw new TranshipError('Unsupported', `${who} speaks ${version || 'no apiVersion'}; known are ${VERSIONS.join(', ')}.`);
  const terminal = process.stdin.isTTY;
  if (plugin.interactiveMode === 'Always' && !terminal) {
    throw new TranshipError('Unauthorized', `${who} wants to ask for input, but there is no terminal.`);
  }
  const interactive = plugin.interactiveMode !== 'Never' && terminal;
  const info = JSON.stringify({
    apiVersion: version,
    kind: 'ExecCredential',
    spec: { interactive, ...clusterInfo(plugin, access, cluster) },
  });
  const output = await execute(plugin, directory, who, interactive, {
    ...process.env,
    ...Object.fromEntries((plugin.env ?? []).map(({ name, value }) => [name, value])),
    KUBERNETES_EXEC_INFO: info,
  });
  return readAnswer(output, version, who);
}

function clusterInfo(plugin: ExecEntry, access: Omit<ClusterAccess, 'credentials'>, cluster: ClusterEntry): object {
  if (plugin.provideClusterInfo !== true) return {};
  const config = cluster.extensions?.find((extension) => extension.name === 'client.authentication.k8s.io/exec')?.extension;
  return {
    cluster: {
      server: access.server,
      ...(access.tlsServerName !== undefined && { 'tls-server-name': access.tlsServerName }),
      ...(access.insecureSkipTlsVerify && { 'insecure-skip-tls-verify': true }),
      ...(access.ca !== undefined && { 'certificate-authority-data': Buffer.from(access.ca).toString('base64') }),
      ...(access.proxy !== undefined && { 'proxy-url': access.proxy().href }),
      ...(config !== undefined && { config }),
    },
  };
}

function execute(plugin: ExecEntry, directory: string, who: string, interactive: boolean, env: NodeJS.ProcessEnv): Promise<string> {
  // Like client-go: a command with a slash is relative to the kubeconfig, any other is looked up on PATH.
  const command = plugin.command.includes('/') && !isAbsolute(plugin.command) ? join(directory, plugin.command) : plugin.command;
  const hint = plugin.installHint === undefined ? {} : { hint: plugin.installHint };
  return new Promise((resolve, reject) => {
    // stderr belongs to the user ("your session ended, log in again"); it is not kept, because it may hold secrets.
    const child = spawn(command, plugin.args ?? [], {
      env,
      stdio: [interactive ? 'inherit' : 'ignore', 'pipe', 'inherit'],
      ...(!interactive && { timeout: UNATTENDED_LIMIT_MS }),
    });
    const parts: Buffer[] = [];
    child.stdout?.on('data', (part: Buffer) => parts.push(part));
    child.on('error', (cause) => reject(new TranshipError('Unauthorized', `${who} cannot be started.`, { cause, ...hint })));
    child.on('close', (code, signal) => {
      if (code === 0) resolve(Buffer.concat(parts).toString('utf8'));
      else reject(new TranshipError('Unauthorized', `${who} failed (${signal ?? `exit code ${code}`}).`, hint));
    });
  });
}

function readAnswer(output: string, version: string, who: string): { credential: Credential; expires: number } {
  const parsed = answer.safeParse(parseJson(output));
  if (!parsed.success) throw new TranshipError('Unauthorized', `${who} did not answer with an ExecCredential.`);
  if (parsed.data.apiVersion !== version)
    throw new TranshipError('Unauthorized', `${who} answered as ${parsed.data.apiVersion}, asked was ${version}.`);
  const { token, clientCertificateData: cert, clientKeyData: key, expirationTimestamp } = parsed.data.status;
  if ((cert === undefined) !== (key === undefined))
    throw new TranshipError('Unauthorized', `${who} gave a certificate without key, or the reverse.`);
  if (!token && cert === undefined) throw new TranshipError('Unauthorized', `${who} gave neither a token nor a certificate.`);
  const expires = expirationTimestamp === undefined ? Infinity : Date.parse(expirationTimestamp);
  return {
    credential: { ...(token && { token }), ...(cert !== undefined && key !== undefined && { clientCert: { cert, key } }) },
    expires: Number.isNaN(expires) ? 0 : expires,
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
