/** Reads the values of flags. Each reader says in one sentence what would be right. */
import { InvalidArgumentError } from 'commander';

/** One of a few words, in any case; returns it as it is written in the API. */
export function oneOf<Word extends string>(...words: readonly Word[]): (value: string) => Word {
  return (value) => {
    const found = words.find((word) => word.toLowerCase() === value.toLowerCase());
    if (found === undefined) throw new InvalidArgumentError(`Use one of ${words.join(', ')}.`);
    return found;
  };
}

/** @example integer(1, 16) */
export function integer(min: number, max: number): (value: string) => number {
  return (value) => {
    const number = Number(value);
    if (!/^\d+$/.test(value) || number < min || number > max) {
      throw new InvalidArgumentError(`Use a whole number from ${min} to ${max}.`);
    }
    return number;
  };
}

const units: Readonly<Record<string, number>> = {
  '': 1,
  K: 1e3,
  M: 1e6,
  G: 1e9,
  KI: 2 ** 10,
  MI: 2 ** 20,
  GI: 2 ** 30,
};

/** Bytes: `500K`, `20Mi`, `1G`, with `B` and `/s` allowed behind. */
export function bytes(value: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([kmg]i?)?b?(?:\/s)?$/i.exec(value.trim());
  const factor = units[(match?.[2] ?? '').toUpperCase()];
  const amount = Math.round(Number(match?.[1]) * (factor ?? Number.NaN));
  if (!Number.isSafeInteger(amount) || amount < 1) throw new InvalidArgumentError('Use bytes with a unit, such as 500K, 20Mi or 1G.');
  return amount;
}

/** Seconds: `90`, `90s`, `10m`, `1h`. */
export function seconds(value: string): number {
  const match = /^(\d+)(s|m|h)?$/.exec(value.trim());
  const factor = { s: 1, m: 60, h: 3600 }[match?.[2] ?? 's'] ?? 1;
  const amount = Number(match?.[1]) * factor;
  if (!Number.isSafeInteger(amount) || amount < 1) throw new InvalidArgumentError('Use a time such as 90s, 10m or 1h.');
  return amount;
}

const namePattern = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;

/** Repeatable and separated by commas: `-n shop,blog -n wiki`. */
export function namespaceList(value: string, before: string[] | undefined): string[] {
  const names = value.split(',').map((name) => name.trim());
  for (const name of names) {
    if (!namePattern.test(name) || name.length > 63) throw new InvalidArgumentError(`"${name}" is not the name of a namespace.`);
  }
  return [...new Set([...(before ?? []), ...names])];
}

/** Repeatable: `-f one.yaml -f two.yaml`. */
export function fileList(value: string, before: string[] | undefined): string[] {
  return [...(before ?? []), value];
}

export interface Pair {
  from: string;
  to: string;
}

/** Repeatable and separated by commas: `--map-storage-class fast=premium,slow=standard`. */
export function pairs(what: string): (value: string, before: Pair[] | undefined) => Pair[] {
  return (value, before) => {
    const all = [...(before ?? [])];
    for (const text of value.split(',')) {
      const parts = text.split('=').map((part) => part.trim());
      const [from, to] = parts;
      if (parts.length !== 2 || from === undefined || from === '' || to === undefined || to === '') {
        throw new InvalidArgumentError(`Write ${what}-on-the-source=${what}-on-the-target; "${text}" is not of that form.`);
      }
      if (all.some((pair) => pair.from === from)) throw new InvalidArgumentError(`${from} is mapped twice.`);
      all.push({ from, to });
    }
    return all;
  };
}

/** Name of a migration: also part of the names of what we make on the clusters, hence short. */
export function migrationName(value: string): string {
  if (!namePattern.test(value) || value.length > 40) {
    throw new InvalidArgumentError('Use at most 40 lower case letters, digits and "-", beginning and ending with a letter or digit.');
  }
  return value;
}
