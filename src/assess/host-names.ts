/**
 * Host names inside texts: what an application calls. Only names are taken out, never the text around them, because connection strings hold
 * passwords.
 */
export interface Host {
  host: string;
  port?: number;
}

const URL_AUTHORITY = /\b[a-z][a-z0-9+.-]{1,30}:\/\/([^\s/?#'"<>]{1,512})/gi;
const SERVICE =
  /(?<![a-z0-9_-])((?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.){2}svc(?:\.[a-z0-9-]+(?:\.[a-z0-9-]+)*)?)(?::(\d{1,5}))?(?![a-z0-9_-])/gi;
/** `db_host = db.shop:5432`, `"endpoint": "db.example.com"`: a line of a settings file. */
const SETTING = /^\s*["']?([\w.-]{1,100})["']?\s*[:=]\s*["']?([^\s"',]{1,300})/gm;
const NAME = /^(?:(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?|\[[0-9a-f:.]{2,45}\])$/i;
/** Keys whose whole value is a host, by the names that people give them. */
export const HOST_KEY = /(?:host|hostname|server|servers|endpoint|endpoints|addr|address|url|uri|broker|brokers|dsn)$/i;

/** `host`, `host:port`; undefined for what is neither. A bare word without dot and port could be anything. */
function hostOf(text: string, bareWord: boolean): Host | undefined {
  const match = /^(\[[^\]]*\]|[^:]*)(?::(\d{1,5}))?$/.exec(text);
  const host = (match?.[1] ?? '').toLowerCase().replace(/\.$/, '');
  const port = match?.[2] === undefined ? undefined : Number(match[2]);
  if (match === null || !NAME.test(host) || /^\d+$/.test(host) || (port !== undefined && (port < 1 || port > 65_535))) return undefined;
  if (!bareWord && !host.includes('.') && !host.startsWith('[') && port === undefined) return undefined;
  return port === undefined ? { host } : { host, port };
}

/** Every host that a text names, in order, without doubles. `key` is the name of the field, variable or file that holds it. */
export function hostsIn(text: string, key = ''): Host[] {
  const found = new Map<string, Host>();
  const take = (host: Host | undefined) => {
    if (host !== undefined) found.set(hostText(host), host);
  };
  for (const [, authority = ''] of text.matchAll(URL_AUTHORITY)) {
    for (const part of authority.slice(authority.lastIndexOf('@') + 1).split(',')) take(hostOf(part, false));
  }
  for (const [, host = '', port] of text.matchAll(SERVICE)) take(hostOf(port === undefined ? host : `${host}:${port}`, false));
  for (const [, name = '', value = ''] of text.matchAll(SETTING)) if (HOST_KEY.test(name)) take(hostOf(value, false));
  if (HOST_KEY.test(key) && text.length <= 1024 && !text.includes('://')) {
    for (const part of text.trim().split(/[\s,;]+/)) take(hostOf(part, false));
  }
  return [...found.values()];
}

export function hostText({ host, port }: Host): string {
  return port === undefined ? host : `${host}:${port}`;
}
