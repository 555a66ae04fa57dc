/** The mapping part of a spec in the shapes that other rooms take. */
import type { MigrationSpec } from '../api/migration.ts';
import type { Mapping } from '../api/plan.ts';
import type { ReadOptions } from '../plan/index.ts';

/** Source namespace → target namespace for every namespace that is moved. */
export function namespaceMap(spec: MigrationSpec): Map<string, string> {
  const renamed = new Map(spec.mapping.namespaces.map(({ from, to }) => [from, to]));
  return new Map(spec.namespaces.map((name) => [name, renamed.get(name) ?? name]));
}

export function planMapping(spec: MigrationSpec): Mapping {
  const { mapping } = spec;
  return {
    namespaces: Object.fromEntries(mapping.namespaces.map(({ from, to }) => [from, to])),
    storageClasses: Object.fromEntries(mapping.storageClasses.map(({ from, to }) => [from, to])),
    nodePorts: mapping.nodePorts,
    dnsNames: mapping.dnsNames,
    existing: mapping.existing,
  };
}

export function readOptions({ transfer, warmRounds }: MigrationSpec): ReadOptions {
  return {
    mode: transfer.read,
    warm: warmRounds > 0,
    temporaryClasses: Object.fromEntries(transfer.temporaryStorageClasses.map(({ from, to }) => [from, to])),
  };
}
