/**
 * An application cut down to what may leave its cluster in a file: of Secrets and ConfigMaps only the host names that stand in them, no
 * passwords in addresses, no values of variables that sound like secrets. A live assessment looks at the same reduced objects, so that it
 * finds what one from a file finds. Reducing twice changes nothing.
 */
import type { Captured, CapturedObject } from '../api/captured.ts';
import { everyField, fieldAt, find, isRecord, recordOf, textOf } from '../api/fields.ts';
import type { Finding } from '../api/finding.ts';
import { refOf, refText, type KubeObject } from '../api/object.ts';
import { hostsIn, hostText } from './host-names.ts';

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';
export const REDACTED = '(redacted)';
const SECRET_KEY = /(?:password|passwd|passphrase|pwd|token|secret|api_?key|private_?key|access_?key|credentials?|auth)$/i;
/** Names that stand for Secrets, not their content: `existingSecret: db` in a custom resource. */
const NAMES_A_SECRET = /(?:existing|name|ref|type)_?(?:secret|token)$/i;
const USER_INFO = /(\b[a-z][a-z0-9+.-]{1,30}:\/\/)[^\s/?#'"<>]*@/gi;
/** `--db-password=…`, `TOKEN=…` in commands and arguments. */
const SECRET_FLAG = /((?:password|passwd|passphrase|token|secret|api[-_]?key|access[-_]?key)=)[^\s"']+/i;
const SECRET_FLAG_ALL = new RegExp(SECRET_FLAG.source, 'gi');

export function reduceCaptured(captured: Captured): Captured {
  const known = new Set(captured.findings.filter(({ id }) => id === 'ObjectLarge').map(({ subject }) => subject && refText(subject)));
  const large = captured.objects
    .flatMap(({ object }) => largeFinding(object))
    .filter(({ subject }) => !known.has(subject && refText(subject)));
  return {
    ...captured,
    objects: captured.objects.map((each): CapturedObject => ({ ...each, object: reduceObject(each.object) })),
    findings: [...captured.findings, ...large],
  };
}

/** etcd takes 1.5 MiB; asked before the reduction, after which a large Secret is small. */
const LARGE = 1_000_000;

function largeFinding(object: KubeObject): Finding[] {
  const size = Buffer.byteLength(JSON.stringify(object));
  if (size < LARGE || object.kind === 'CustomResourceDefinition') return [];
  const message = `It has ${(size / 1e6).toFixed(1)} MB; etcd refuses objects of more than 1.5.`;
  return [{ id: 'ObjectLarge', severity: 'warn', subject: refOf(object), message, fix: 'Split it.', proof: 'read' }];
}

/** Pure; the object that is given stays as it is. */
export function reduceObject(object: KubeObject): KubeObject {
  const copy = structuredClone(object);
  reduceLastApplied(copy);
  if (copy.kind === 'Secret' && copy.apiVersion === 'v1') {
    // Names are long known to be no secret; what else an annotation of a Secret may hold is not.
    if (isRecord(copy['data'])) copy['data'] = hostsOnly(copy['data'], 'base64');
    if (isRecord(copy['stringData'])) copy['stringData'] = hostsOnly(copy['stringData'], 'utf8');
  } else if (copy.kind === 'ConfigMap' && copy.apiVersion === 'v1') {
    if (isRecord(copy['data'])) copy['data'] = hostsOnly(copy['data'], 'utf8');
    if (isRecord(copy['binaryData'])) copy['binaryData'] = hostsOnly(copy['binaryData'], 'base64');
  } else if (copy.kind === 'CustomResourceDefinition') {
    for (const hit of find(copy, 'spec.versions[*].schema')) hit.remove();
  }
  for (const field of everyField(copy)) {
    if (typeof field.value !== 'string') continue;
    const named = field.key === 'value' ? (textOf(fieldAt(at(copy, field.pointer), 'name')) ?? '') : field.key;
    if (sounds(named) && !field.pointer.startsWith('/metadata/') && !isName(field.pointer)) field.set(REDACTED);
    else if (SECRET_FLAG.test(field.value) || field.value.includes('://')) {
      field.set(field.value.replaceAll(USER_INFO, '$1').replaceAll(SECRET_FLAG_ALL, `$1${REDACTED}`));
    }
  }
  return copy;
}

const sounds = (name: string) => SECRET_KEY.test(name) && !NAMES_A_SECRET.test(name);

/** Fields of built-in kinds whose name ends like a secret's and that hold a name. */
function isName(pointer: string): boolean {
  return (
    /\/(?:secretKeyRef|configMapKeyRef|secret|imagePullSecrets|roleRef|subjects)(?:\/|$)/.test(pointer) || pointer.startsWith('/data/')
  );
}

/** What holds the field that a pointer leads to. */
function at(root: unknown, pointer: string): unknown {
  const tokens = pointer
    .split('/')
    .slice(1, -1)
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
  let here: unknown = root;
  for (const token of tokens) here = Array.isArray(here) ? here[Number(token)] : fieldAt(here, token);
  return here;
}

function hostsOnly(values: Record<string, unknown>, encoding: 'base64' | 'utf8'): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).map(([key, value]) => {
      const text = Buffer.from(textOf(value) ?? '', encoding).toString('utf8');
      const hosts = hostsIn(text.slice(0, 1_000_000), key).map((host) => `any://${hostText(host)}`);
      return [key, Buffer.from(hosts.join(' ')).toString(encoding)];
    }),
  );
}

/** What `kubectl apply` sent, without values: its version, and of a Service the ports, by which chosen node ports are known. */
function reduceLastApplied(object: KubeObject): void {
  const text = object.metadata.annotations?.[LAST_APPLIED];
  if (text === undefined || object.metadata.annotations === undefined) return;
  let applied: unknown;
  try {
    applied = JSON.parse(text);
  } catch {
    delete object.metadata.annotations[LAST_APPLIED];
    return;
  }
  const { apiVersion, kind, metadata, spec } = recordOf(applied);
  const { name, namespace } = recordOf(metadata);
  const kept = kind === 'Service' ? { spec } : {};
  object.metadata.annotations[LAST_APPLIED] = JSON.stringify({ apiVersion, kind, metadata: { name, namespace }, ...kept });
}
