/** The shape of a kubeconfig file, checked. Unknown fields are allowed: other tools put theirs beside ours. */
import { z } from 'zod';
import { parseDocument } from 'yaml';
import { TranshipError } from '../errors.ts';

const text = z.string();
const flag = z.boolean();

const cluster = z.looseObject({
  server: text.optional(),
  'certificate-authority': text.optional(),
  'certificate-authority-data': text.optional(),
  'insecure-skip-tls-verify': flag.optional(),
  'tls-server-name': text.optional(),
  'proxy-url': text.optional(),
  extensions: z.array(z.looseObject({ name: text, extension: z.unknown() })).nullish(),
});

const execPlugin = z.looseObject({
  apiVersion: text.optional(),
  command: text,
  args: z.array(text).nullish(),
  env: z.array(z.looseObject({ name: text, value: text })).nullish(),
  installHint: text.optional(),
  provideClusterInfo: flag.optional(),
  interactiveMode: z.enum(['Never', 'IfAvailable', 'Always']).optional(),
});

const user = z.looseObject({
  token: text.optional(),
  tokenFile: text.optional(),
  'client-certificate': text.optional(),
  'client-certificate-data': text.optional(),
  'client-key': text.optional(),
  'client-key-data': text.optional(),
  username: text.optional(),
  password: text.optional(),
  as: text.optional(),
  'as-uid': text.optional(),
  'as-groups': z.array(text).nullish(),
  'as-user-extra': z.record(text, z.array(text)).nullish(),
  exec: execPlugin.nullish(),
  'auth-provider': z.unknown().optional(),
});

const context = z.looseObject({ cluster: text.optional(), user: text.optional(), namespace: text.optional() });

const kubeconfig = z.looseObject({
  'current-context': text.nullish(),
  clusters: z.array(z.looseObject({ name: text, cluster: cluster.nullish() })).nullish(),
  users: z.array(z.looseObject({ name: text, user: user.nullish() })).nullish(),
  contexts: z.array(z.looseObject({ name: text, context: context.nullish() })).nullish(),
});

export type ClusterEntry = z.infer<typeof cluster>;
export type UserEntry = z.infer<typeof user>;
export type ContextEntry = z.infer<typeof context>;
export type ExecEntry = z.infer<typeof execPlugin>;

export interface KubeconfigFile {
  currentContext: string | undefined;
  clusters: Map<string, ClusterEntry>;
  users: Map<string, UserEntry>;
  contexts: Map<string, ContextEntry>;
}

/**
 * Reads the text of one kubeconfig file.
 *
 * @param origin names the text in errors, for example a path
 * @throws InvalidInput for broken YAML, a wrong shape (by field, never by value) or a name given twice
 */
export function parseKubeconfigText(content: string, origin: string): KubeconfigFile {
  // The parser's own message quotes the source line, which may be a key: only the position is passed on.
  const document = parseDocument(content, { uniqueKeys: true, prettyErrors: true });
  const broken = document.errors[0];
  if (broken !== undefined) {
    const line = broken.linePos?.[0].line;
    throw new TranshipError('InvalidInput', `${origin} is not valid YAML (${broken.code}${line === undefined ? '' : `, line ${line}`}).`);
  }
  const value: unknown = document.toJS({ maxAliasCount: 100 }) ?? {};
  const checked = kubeconfig.safeParse(value);
  if (!checked.success) {
    const fields = checked.error.issues.map((issue) => `${issue.path.join('.') || 'document'}: ${issue.code}`);
    throw new TranshipError('InvalidInput', `${origin} is not a kubeconfig: ${fields.slice(0, 5).join(', ')}.`);
  }
  const { data } = checked;
  return {
    currentContext: data['current-context'] || undefined,
    clusters: byName(data.clusters ?? [], (entry) => entry.cluster ?? {}, 'cluster', origin),
    users: byName(data.users ?? [], (entry) => entry.user ?? {}, 'user', origin),
    contexts: byName(data.contexts ?? [], (entry) => entry.context ?? {}, 'context', origin),
  };
}

function byName<Entry extends { name: string }, Value>(
  entries: Entry[],
  valueOf: (entry: Entry) => Value,
  what: string,
  origin: string,
): Map<string, Value> {
  const map = new Map<string, Value>();
  for (const entry of entries) {
    if (map.has(entry.name)) throw new TranshipError('InvalidInput', `${origin} has two entries for the ${what} "${entry.name}".`);
    map.set(entry.name, valueOf(entry));
  }
  return map;
}
