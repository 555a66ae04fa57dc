import { type Entry, readEntries, type RoundDocument, type VolumeStore } from '../archive/index.ts';

/** More than this of each kind is not kept: the manifest is read again instead. */
export const mostKept = 20_000;

/**
 * What a copy-in does when all else is written: names of files that are there already (hardlinks), and the attributes of directories, because work inside them
 * moves their times. Memory is bounded: what does not fit, or was not seen because shards were skipped, is found in the manifest once more.
 */
export class Later {
  #links: { path: string; link: string }[] | undefined = [];
  /** Directories whose attributes must be set; `all` when they are too many to name. */
  #dirty: Set<string> | 'all' = new Set();
  #directories: Map<string, Entry> | undefined = new Map();
  /** Work for the end that needs every hardlink of the round, skipped shards included. */
  #everyLink = false;

  link(path: string, link: string): void {
    this.#links?.push({ path, link });
    if ((this.#links?.length ?? 0) > mostKept) this.#links = undefined;
  }

  /** A path got another inode: names of the former one may be in shards that were skipped. */
  replaced(): void {
    this.#everyLink = true;
  }

  dirty(path: string): void {
    if (this.#dirty === 'all') return;
    this.#dirty.add(path);
    if (this.#dirty.size > mostKept) this.#dirty = 'all';
  }

  directory(entry: Entry): void {
    if (this.#directories === undefined) return;
    const { seen: _, ...kept } = entry;
    this.#directories.set(entry.path, kept);
    if (this.#directories.size > mostKept) this.#directories = undefined;
  }

  async *links(
    store: VolumeStore,
    document: RoundDocument,
    skipped: boolean,
    signal: AbortSignal,
  ): AsyncGenerator<{ path: string; link: string }> {
    if (this.#links !== undefined && !(skipped && this.#everyLink)) {
      yield* this.#links;
      return;
    }
    for await (const { path, type, link } of readEntries(store, document, signal))
      if (type === 'hardlink' && link !== undefined) yield { path, link };
  }

  /** Entries of the directories to finish. */
  async *dirtyDirectories(store: VolumeStore, document: RoundDocument, signal: AbortSignal): AsyncGenerator<Entry> {
    const dirty = this.#dirty;
    if (dirty !== 'all' && dirty.size === 0) return;
    const kept = this.#directories;
    const complete = kept !== undefined && dirty !== 'all' && [...dirty].every((path) => kept.has(path));
    for await (const entry of complete ? kept.values() : readEntries(store, document, signal))
      if (entry.type === 'directory' && (dirty === 'all' || dirty.has(entry.path))) yield entry;
  }
}
