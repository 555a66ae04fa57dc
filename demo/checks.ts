/**
 * Does the target hold what the source held? Pure comparisons of facts: every check says what it compared, with numbers, and lists what
 * differs. A check without differences passed.
 */
import type { DataFacts, FileFact, Limits, WebFacts } from './facts.ts';

export interface Check {
  title: string;
  /** What was compared, for people: `300,000 rows`. */
  compared: string;
  /** Empty when the check passed. */
  differences: string[];
}

const count = (n: number): string => n.toLocaleString('en-US');
const mib = (bytes: number): string => `${(bytes / 1048576).toFixed(1)} MiB`;

/** Every table by rows and checksum, up to where the source ended. */
export function checkTables(source: DataFacts, target: DataFacts): Check {
  const differences: string[] = [];
  const byName = new Map(target.database.tables.map((table) => [table.table, table]));
  if (source.database.tables.length === 0) differences.push('the source has no tables: nothing was compared');
  for (const table of source.database.tables) {
    const other = byName.get(table.table);
    if (other === undefined) differences.push(`table ${table.table} is not on the target`);
    else if (other.rows !== table.rows)
      differences.push(`table ${table.table}: ${count(table.rows)} rows on the source, ${count(other.rows)} on the target`);
    else if (other.checksum !== table.checksum)
      differences.push(`table ${table.table}: checksum ${table.checksum} became ${other.checksum}`);
    byName.delete(table.table);
  }
  for (const name of byName.keys()) differences.push(`table ${name} is only on the target`);
  const rows = source.database.tables.reduce((sum, table) => sum + table.rows, 0);
  return {
    title: 'Database',
    compared: `${count(source.database.tables.length)} tables, ${count(rows)} rows, by row count and checksum`,
    differences,
  };
}

/** What was acknowledged before the stop, counted on the target: by the customer outside, and by the writer inside (its last log line). */
export function checkAcknowledged(
  acknowledged: { orders: number; ticks: number; entries: number },
  source: DataFacts,
  target: DataFacts,
  limits: Limits,
): Check {
  const differences: string[] = [];
  const lost = acknowledged.orders - target.database.ordersCounted;
  if (acknowledged.orders === 0) differences.push('the customer got no order acknowledged: nothing was compared');
  if (lost > 0) differences.push(`${count(lost)} of ${count(acknowledged.orders)} acknowledged orders are not on the target`);
  if (limits.ticks < acknowledged.ticks)
    differences.push(`the writer had row ${acknowledged.ticks} committed, the source ends at ${limits.ticks}`);
  const missing = limits.ticks - target.database.ticksCounted;
  if (missing !== 0) differences.push(`${count(missing)} of the writer's ${count(limits.ticks)} rows are not on the target`);
  if (source.ledger.entries < acknowledged.entries)
    differences.push(`the ledger had entry ${acknowledged.entries}, the source ends at ${source.ledger.entries}`);
  return {
    title: 'Acknowledged writes',
    compared: `${count(acknowledged.orders)} orders, ${count(limits.ticks)} rows of the writer, ${count(limits.entries)} ledger entries; lost: ${Math.max(lost, 0) + Math.max(missing, 0)}`,
    differences,
  };
}

const fileFields = [
  'type',
  'mode',
  'owner',
  'size',
  'mtime',
  'linkedWith',
  'links',
  'holes',
  'pointsTo',
  'sha256',
  'xattrs',
] as const satisfies readonly (keyof FileFact)[];

/** Every path with every attribute. */
export function checkFiles(source: DataFacts, target: DataFacts): Check {
  const differences: string[] = [];
  const byPath = new Map(target.files.map((file) => [file.path, file]));
  if (source.files.length < 2) differences.push('the source has no files: nothing was compared');
  for (const file of source.files) {
    const other = byPath.get(file.path);
    byPath.delete(file.path);
    if (other === undefined) differences.push(`${show(file.path)} is not on the target`);
    else {
      for (const field of fileFields) {
        if (file[field] !== other[field])
          differences.push(`${show(file.path)}: ${field} ${String(file[field])} became ${String(other[field])}`);
      }
    }
  }
  for (const path of byPath.keys()) differences.push(`${show(path)} is only on the target`);
  const bytes = source.files.reduce((sum, file) => sum + file.size, 0);
  return {
    title: 'Uploads',
    compared: `${count(source.files.length)} paths, ${mib(bytes)}, by content and ${fileFields.length} attributes`,
    differences,
  };
}

/** The block device byte by byte up to the end of the source's journal. */
export function checkLedger(source: DataFacts, target: DataFacts): Check {
  const differences: string[] = [];
  const [a, b] = [source.ledger, target.ledger];
  if (b.entries < a.entries) differences.push(`${count(a.entries)} journal entries on the source, ${count(b.entries)} on the target`);
  if (a.sha256 !== b.sha256) differences.push(`hash ${a.sha256.slice(0, 16)}… became ${b.sha256.slice(0, 16)}…`);
  if (b.bytes < a.bytes) differences.push(`the device has ${count(a.bytes)} bytes on the source and ${count(b.bytes)} on the target`);
  if (!a.zeroBehind) differences.push('the source has bytes behind its journal that were not compared');
  if (!b.zeroBehind) differences.push('the target has bytes behind its journal that the source never had');
  return { title: 'Block device', compared: `${mib(a.bytes)} with ${count(a.counted)} journal entries, by hash`, differences };
}

/** The application answers on the target, with the data and with its own rights in the renamed namespace. */
export function checkWeb(source: WebFacts, target: WebFacts, namespace: string): Check[] {
  const answers: string[] = [];
  if (!target.health) answers.push(`${target.url} does not answer /health`);
  if (target.checksum === undefined || target.checksum.checksum !== source.checksum?.checksum)
    answers.push(`/checksum is ${target.checksum?.checksum ?? 'not answered'}, was ${source.checksum?.checksum ?? 'not answered'}`);
  if (target.uploads !== source.uploads || target.uploads === 0)
    answers.push(`/uploads lists ${target.uploads} names, was ${source.uploads}`);
  const rights: string[] = [];
  if (target.settings?.namespace !== namespace)
    rights.push(`/settings was read in ${target.settings?.namespace ?? 'no namespace'}, not in ${namespace}`);
  const host = target.settings?.settings['DATABASE_HOST'] ?? '';
  if (host !== `postgres.${namespace}.svc`) rights.push(`DATABASE_HOST is "${host}", not postgres.${namespace}.svc`);
  if (target.nodes === 0) rights.push('/nodes gave no node: the ClusterRoleBinding does not hold');
  return [
    {
      title: 'Application answers',
      compared: `${target.url} with ${count(target.checksum?.rows ?? 0)} products and ${target.uploads} uploads`,
      differences: answers,
    },
    {
      title: 'Access rights',
      compared: `its own account reads a ConfigMap in ${namespace} (Role) and the nodes (ClusterRole)`,
      differences: rights,
    },
  ];
}

function show(path: string): string {
  return path === '' ? 'the root of the volume' : JSON.stringify(path);
}
