/**
 * The ledger of a bed: every effect on the machine is written down here BEFORE it is made, so that whoever comes next (this process, `down`,
 * the next `up` of any checkout) can take it back, also after SIGKILL at any moment.
 *
 * It lies outside the checkout (a deleted checkout must not lose it): `<root>/<bed id>/ledger.jsonl`, one JSON object per line.
 */
import { appendFileSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A process by number AND start time (clock ticks since boot): numbers are used again, the pair is not. */
export type ProcessId = { readonly pid: number; readonly started: string };

/** First record of every ledger: whose bed it is and what of the machine it claims. */
export type Header = {
  readonly kind: 'bed';
  readonly id: string;
  readonly level: 'nodes' | 'light';
  readonly checkout: string;
  readonly name: string;
  /** Start times mean nothing after a reboot. */
  readonly boot: string;
  /** The process that makes the bed. */
  readonly launcher: ProcessId;
  /** true: the bed ends with its launcher. */
  readonly owned: boolean;
  /** IPv4 ranges in CIDR form, and the first of 32 ports of this machine, that no other bed may use. */
  readonly ranges: readonly string[];
  readonly firstPort: number;
};

export type Effect =
  | ({ readonly kind: 'process'; readonly what: string } & ProcessId)
  | { readonly kind: 'link'; readonly name: string }
  | { readonly kind: 'cgroup'; readonly path: string }
  /** A directory or file, deleted with everything in it. */
  | { readonly kind: 'path'; readonly path: string }
  /** Mount points on the host that several beds use: removed by the last one, when empty. */
  | { readonly kind: 'shared-directory'; readonly path: string }
  /** A setting of the machine and its value before any bed: put back by the last one. */
  | { readonly kind: 'sysctl'; readonly path: string; readonly old: string }
  /** Every loop device whose backing file lies below `path`, and those on top of them. */
  | { readonly kind: 'loops'; readonly path: string }
  | { readonly kind: 'kind-cluster'; readonly name: string };

/** Written when the bed became ready. Until then it is a bed in the making. */
export type Ready = { readonly kind: 'ready' };

export type LedgerRecord = Header | Effect | Ready;

/** Where all ledgers of this user lie. /run for root: emptied by a reboot on most machines. */
export function ledgerRoot(): string {
  const given = process.env['TRANSHIP_TESTBED_LEDGERS'];
  if (given !== undefined && given !== '') return given;
  const uid = process.getuid?.() ?? 0;
  if (uid === 0 && existsSync('/run')) return '/run/tranship-testbed';
  return join(process.env['XDG_RUNTIME_DIR'] ?? tmpdir(), `tranship-testbed-${uid}`);
}

export class Ledger {
  readonly id: string;
  readonly directory: string;
  readonly path: string;

  constructor(id: string, root: string = ledgerRoot()) {
    this.id = id;
    this.directory = join(root, id);
    this.path = join(this.directory, 'ledger.jsonl');
  }

  begin(header: Header): void {
    mkdirSync(this.directory, { recursive: true, mode: 0o700 });
    this.write(header);
  }

  /** Records go to the file in one write. They start with a newline too, so that half a line left by a killed writer stays alone. */
  write(record: LedgerRecord): void {
    appendFileSync(this.path, `\n${JSON.stringify(record)}\n`);
  }

  read(): LedgerRecord[] {
    let text: string;
    try {
      text = readFileSync(this.path, 'utf8');
    } catch {
      return [];
    }
    return parseLedger(text);
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** Records of a ledger's text. Lines that do not parse were cut off by a kill before their effect was made: they are left out. */
export function parseLedger(text: string): LedgerRecord[] {
  const records: LedgerRecord[] = [];
  for (const line of text.split('\n')) {
    if (line.trim() === '') continue;
    try {
      records.push(JSON.parse(line) as LedgerRecord);
    } catch {
      continue;
    }
  }
  return records;
}

export function headerOf(records: readonly LedgerRecord[]): Header | undefined {
  return records.find((record) => record.kind === 'bed');
}

/** All ledgers of this user on this machine. A directory without a readable header (killed at the first write) is there with no records. */
export function allLedgers(root: string = ledgerRoot()): Ledger[] {
  try {
    return readdirSync(root, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => new Ledger(entry.name, root));
  } catch {
    return [];
  }
}
