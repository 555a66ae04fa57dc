// Runs inside a pod, read only: prints what a ledger device holds. Argument: how many journal entries to count in; -1 for all.
import { createHash } from 'node:crypto';
import { openSync, readSync } from 'node:fs';

const journalStart = 25_165_824;
const entryBytes = 512;
const wanted = Number(process.argv.at(-2));
const device = openSync(process.argv.at(-1) ?? '', 'r');
const block = Buffer.allocUnsafe(1 << 20);

let bytes = 0;
const parts: Buffer[] = [];
for (let read = readSync(device, block); read > 0; read = readSync(device, block)) {
  parts.push(Buffer.from(block.subarray(0, read)));
  bytes += read;
}
const content = Buffer.concat(parts, bytes);

let entries = 0;
while (journalStart + (entries + 1) * entryBytes <= bytes) {
  const at = journalStart + entries * entryBytes;
  if (content.toString('latin1', at, at + entryBytes).trimEnd() !== `entry ${entries + 1}`) break;
  entries += 1;
}
const counted = wanted < 0 ? entries : Math.min(wanted, entries);
const end = journalStart + counted * entryBytes;
console.log(
  JSON.stringify({
    bytes,
    entries,
    counted,
    sha256: createHash('sha256').update(content.subarray(0, end)).digest('hex'),
    zeroBehind: content.subarray(journalStart + entries * entryBytes).every((byte) => byte === 0),
  }),
);
