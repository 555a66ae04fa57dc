import { TranshipError } from '../errors.ts';

/** Refuses every name that is not a plain relative name: stored names come from us, but also from listings and from a relay's peer. */
export function checkName(name: string): string {
  const bad =
    name === '' ||
    name.length > 900 ||
    !/^[a-z0-9/._-]+$/.test(name) ||
    name.split('/').some((part) => part === '' || part === '..' || part === '.');
  if (bad) throw new TranshipError('Internal', `"${name.slice(0, 200)}" is not a valid object name.`);
  return name;
}

/** Refuses a list prefix that could leave the location. A prefix may be empty or end with a slash. */
export function checkPrefix(prefix: string): string {
  if (prefix !== '') checkName(prefix.endsWith('/') ? prefix.slice(0, -1) : prefix);
  return prefix;
}

/** The error for an object with fewer bytes than its readers were promised. */
export function tooShort(url: string, name: string, wanted: number, got: number): TranshipError {
  return new TranshipError('Integrity', `Object ${name} in ${url} ended after ${got} of ${wanted} bytes.`, {
    hint: 'The store returned a damaged or truncated object.',
  });
}

/** The error for an object above the limit of its kind; nothing of it was read. */
export function tooLarge(url: string, name: string, size: number, maxBytes: number): TranshipError {
  return new TranshipError('Integrity', `Object ${name} in ${url} has ${size} bytes, more than the ${maxBytes} allowed for its kind.`);
}

/** The error for an object that is not there. */
export function missing(url: string, name: string): TranshipError {
  return new TranshipError('NotFound', `Object ${name} does not exist in ${url}.`);
}
