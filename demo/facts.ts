/**
 * Facts about a running or stopped shop, as plain data: what is in its database, its files, its block device and its namespace.
 * The demo compares the facts of both sides; nothing in here is taken from Tranship's own reports.
 */
import type { KubeObject } from '../src/api/object.ts';

export interface FileFact {
  /** Relative to the volume; `hex:…` when the bytes are not UTF-8; '' is the volume's root. */
  path: string;
  type: string;
  /** Octal, with setuid, setgid and sticky bits. */
  mode: string;
  owner: string;
  size: number;
  /** Nanoseconds since 1970. */
  mtime: string;
  /** The first name of the same inode, '' when there is only one name. */
  linkedWith: string;
  links: number;
  /** True when much less is allocated than the size says. */
  holes: boolean;
  pointsTo: string;
  sha256: string;
  /** `name=hex` of the user's extended attributes, sorted, with blanks between; '' when there are none. */
  xattrs: string;
}

export interface TableFact {
  table: string;
  rows: number;
  /** MD5 over the sorted MD5s of all rows. */
  checksum: string;
}

export interface DatabaseFacts {
  tables: TableFact[];
  /** Highest number that the writer inside the cluster has committed, and how many of 1..limit are there. */
  ticks: number;
  ticksCounted: number;
  orders: number;
  /** How many of the customer's acknowledged orders are there. */
  ordersCounted: number;
  bytes: number;
}

export interface LedgerFacts {
  bytes: number;
  /** Unbroken journal entries from the first on. */
  entries: number;
  /** How many of them the hash covers. */
  counted: number;
  sha256: string;
  zeroBehind: boolean;
}

export interface DataFacts {
  database: DatabaseFacts;
  files: FileFact[];
  ledger: LedgerFacts;
}

/** Where the source ended: rows and entries behind it were written on the target after the move and are not compared. */
export interface Limits {
  ticks: number;
  orders: number;
  entries: number;
}

/** What the web front answers. */
export interface WebFacts {
  url: string;
  health: boolean;
  checksum: { rows: number; checksum: string } | undefined;
  /** Namespace and keys that the application read through the API with its own ServiceAccount (Role). */
  settings: { namespace: string; settings: Record<string, string> } | undefined;
  /** Nodes read with the ClusterRole. */
  nodes: number;
  uploads: number;
}

export type ObjectFacts = KubeObject[];
