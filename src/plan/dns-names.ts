/**
 * Service names inside text: `db.shop.svc`, `db-0.db.shop.svc.cluster.local` and, for services that move, `db.shop`. Texts are env values,
 * commands and arguments, ConfigMap data and ExternalName targets. Secrets are only looked at: their values are nobody's to rewrite.
 */
import { everyField, find, podTemplateOf, textOf, type Hit } from '../api/fields.ts';
import type { KubeObject } from '../api/object.ts';
import { setField, type Draft } from './draft.ts';
import type { Renames } from './namespaces.ts';

/** What to look for: namespaces that change their name, and services that move, as `name.namespace`. */
export interface DnsNames {
  full: RegExp | undefined;
  short: RegExp | undefined;
  renames: Renames;
}

const escape = (text: string) => text.replaceAll(/[.*+?^${}()|[\]\\-]/g, String.raw`\$&`);
const anyOf = (names: readonly string[]) =>
  [...names]
    .toSorted((a, b) => b.length - a.length)
    .map(escape)
    .join('|');

/** @param services `name.namespace` (source names) of the services that move */
export function dnsNamesOf(renames: Renames, services: readonly string[]): DnsNames {
  const changed = [...renames].filter(([from, to]) => from !== to).map(([from]) => from);
  const short = services.filter((name) => changed.includes(name.slice(name.indexOf('.') + 1)));
  return {
    // In both, no host name may go on to the left or right: `web.shop.example.com` and `my-shop.svc` are others.
    full:
      changed.length === 0
        ? undefined
        : new RegExp(String.raw`(?<=([a-z0-9-]*[a-z0-9*})])\.)(?:${anyOf(changed)})(?=\.svc(?![a-zA-Z0-9-]))`, 'g'),
    short:
      short.length === 0
        ? undefined
        : new RegExp(String.raw`(?<![a-zA-Z0-9_.-])(?:${anyOf(short)})(?![a-zA-Z0-9_-])(?!\.[a-zA-Z0-9_])`, 'g'),
    renames,
  };
}

/** The text with the names of the target, and which names were found. */
export function rewriteNames(text: string, names: DnsNames): { text: string; found: { from: string; to: string }[] } {
  const found: { from: string; to: string }[] = [];
  let result = text;
  if (names.full !== undefined) {
    result = result.replaceAll(names.full, (namespace, before: string) => {
      const to = names.renames.get(namespace) ?? namespace;
      found.push({ from: `${before}.${namespace}.svc`, to: `${before}.${to}.svc` });
      return to;
    });
  }
  // Short names are looked for in the parts between full ones only because `.svc` follows a full one: the pattern refuses it.
  if (names.short !== undefined) {
    result = result.replaceAll(names.short, (name) => {
      const dot = name.indexOf('.');
      const to = `${name.slice(0, dot)}.${names.renames.get(name.slice(dot + 1)) ?? name.slice(dot + 1)}`;
      found.push({ from: name, to });
      return to;
    });
  }
  return { text: result, found };
}

/** Every text of an object that may name a service: env values, commands, arguments, ConfigMap data, ExternalName. */
export function serviceTexts(object: KubeObject): Hit[] {
  if (object.kind === 'ConfigMap') return find(object, 'data[*]');
  if (object.kind === 'Service') return find(object, 'spec.externalName');
  const pods = podTemplateOf(object);
  if (pods === undefined) return [];
  return ['containers', 'initContainers', 'ephemeralContainers'].flatMap((list) =>
    ['env[*].value', 'args[*]', 'command[*]'].flatMap((field) => find(pods.template, `spec.${list}[*].${field}`, pods.pointer)),
  );
}

export function rewriteServiceNames(draft: Draft, names: DnsNames): void {
  if (names.full === undefined && names.short === undefined) return;
  for (const hit of serviceTexts(draft.manifest)) {
    const { text, found } = rewriteNames(textOf(hit.value) ?? '', names);
    const first = found[0];
    // Only the name is told, never the text around it: connection strings hold passwords.
    if (first !== undefined) setField(draft, 'ServiceName', hit, text, first);
  }
}

/** Keys of a Secret, or fields of a custom resource, that hold a name which a rename will break. */
export function brokenNames(object: KubeObject, names: DnsNames): string[] {
  if (object.kind === 'Secret') {
    return find(object, 'data[*]')
      .filter((hit) => rewriteNames(Buffer.from(textOf(hit.value) ?? '', 'base64').toString('utf8'), names).found.length > 0)
      .map((hit) => hit.pointer);
  }
  return [...everyField(object.spec, '/spec')]
    .filter((field) => typeof field.value === 'string' && rewriteNames(field.value, names).found.length > 0)
    .map((field) => field.pointer);
}
