import { closeSync, constants, fsyncSync, openSync } from 'node:fs';
import { differing, type Entry, parentOf, readEntries, type RoundDocument } from '../archive/index.ts';
import { TranshipError } from '../errors.ts';
import { applyAttributes, compareAttributes, typeOf } from './attributes.ts';
import { allParts, changedParts, type Part } from './content.ts';
import { Cursor } from './cursor.ts';
import { decide, type Decision } from './decide.ts';
import { Dispatcher } from './dispatch.ts';
import { Later } from './later.ts';
import { lockVolume } from './lock.ts';
import { merge } from './merge.ts';
import { Problems } from './problems.ts';
import type { CopyInJob, MoverResult } from './protocol.ts';
import type { Run } from './run.ts';
import { walk } from './scan.ts';
import { syncFileSystem } from './sys.ts';
import { checkDevice, type Knowledge, knowledgeOf, openTargetSession, type TargetSession } from './target.ts';
import { isGone, Tree } from './tree.ts';
import { verifyAll, verifyTouched } from './verify.ts';
import { createSpecial, ensureDirectory, ensureHardlink, type How, openTarget, removeAny } from './write.ts';

/** Brings a target volume to one round. Top down: open, what is known, write, links and directories, sync, verify. */
export async function copyIn(job: CopyInJob, run: Run): Promise<MoverResult> {
  const started = performance.now();
  const session = await openTargetSession(job, run);
  const unlock = await lockVolume(job.target, 'exclusive', run.signal);
  try {
    const knowledge = await knowledgeOf(job, session, run.signal);
    run.phase('copy', knowledge.kind === 'rounds');
    if (knowledge.kind !== 'rounds') total(run, session.document.bytes, session.document.files);
    const copy = new TargetCopy(job, run, session, knowledge);
    if (job.target.mode === 'Block') await copy.device();
    else await copy.files();
    run.phase('sync', false);
    copy.sync();
    const problems = new Problems(job.volume);
    if (job.verify === 'Touched' && knowledge.kind === 'rounds') await verifyTouched(job, run, session, knowledge.documents, problems);
    else if (job.verify !== 'None') await verifyAll(job, run, session, problems);
    problems.throwIfAny('verified');
    return {
      files: session.document.files,
      bytes: session.document.bytes,
      bytesChanged: run.meter.get('bytesChanged'),
      bytesTransferred: run.meter.get('bytesTransferred'),
      bytesTargetRead: run.meter.get('bytesTargetRead'),
      durationMs: Math.round(performance.now() - started),
      notes: session.document.notes,
      manifestHash: session.manifestHash,
    };
  } finally {
    await session.close();
    unlock();
  }
}

function total(run: Run, bytes: number, files: number): void {
  run.meter.add('bytesTotal', bytes);
  run.meter.add('filesTotal', files);
}

class TargetCopy {
  readonly #job: CopyInJob;
  readonly #run: Run;
  readonly #session: TargetSession;
  readonly #knowledge: Knowledge;
  readonly #problems: Problems;
  readonly #dispatcher: Dispatcher;
  readonly #chunkSize: number;
  readonly #later = new Later();
  #skipped = false;

  constructor(job: CopyInJob, run: Run, session: TargetSession, knowledge: Knowledge) {
    this.#job = job;
    this.#problems = new Problems(job.volume);
    this.#run = run;
    this.#session = session;
    this.#knowledge = knowledge;
    this.#chunkSize = session.document.chunkSize;
    this.#dispatcher = new Dispatcher(session.pool, 'write', this.#problems);
  }

  async device(): Promise<void> {
    const entry = await this.#session.entries().peek();
    if (entry?.type !== 'device') throw new TranshipError('Integrity', 'The round of a block volume holds no device.');
    checkDevice(this.#job.target.path, entry.size ?? 0);
    const { signal } = this.#run;
    const { store } = this.#session;
    let parts: AsyncIterable<Part>;
    let how: How = 'change';
    if (this.#knowledge.kind === 'rounds') {
      const olds: Entry[] = [];
      for (const document of this.#knowledge.documents) {
        const old = await new Cursor(readEntries(store, document, signal)).peek();
        if (old?.type === 'device') olds.push(old);
      }
      parts = changedParts(store, entry, olds, this.#chunkSize, signal);
    } else {
      if (this.#knowledge.kind === 'unknown') how = 'heal';
      parts = allParts(store, entry, true, this.#chunkSize, signal);
    }
    for await (const part of parts) {
      if (this.#problems.hopeless) break;
      this.#grow(part);
      await this.#dispatcher.add(entry, how, part, false);
    }
    await this.#dispatcher.drain();
    this.#run.meter.add('filesDone', 1);
    this.#problems.throwIfAny('written');
  }

  async files(): Promise<void> {
    const tree = new Tree(this.#job.target.path);
    try {
      if (this.#knowledge.kind === 'unknown') await this.#heal(tree);
      else await this.#bring(tree, this.#knowledge.kind === 'rounds' ? this.#knowledge.documents : []);
      await this.#dispatcher.drain();
      if (this.#problems.hopeless) this.#problems.throwIfAny('written');
      await this.#link(tree);
      await this.#finishDirectories(tree);
    } finally {
      tree.close();
    }
    this.#problems.throwIfAny('written');
  }

  /** The target is empty, or in known rounds: nothing on it is read. */
  async #bring(tree: Tree, documents: readonly RoundDocument[]): Promise<void> {
    const rounds = differing([this.#session.document, ...documents]);
    this.#skipped = rounds.some(({ skipped }) => skipped);
    const [news, ...olds] = rounds.map((round) => new Cursor(readEntries(this.#session.store, round, this.#run.signal)));
    if (news === undefined) return;
    for await (const { path, first: wanted, others } of merge(news, olds)) {
      this.#run.signal.throwIfAborted();
      if (this.#problems.hopeless) return;
      // The root is always there.
      const decision = path === '' && olds.length === 0 ? 'attributes' : decide(wanted, others);
      await this.#attempt(path, async () => await this.#perform(tree, path, wanted, decision, others));
    }
  }

  /** Nothing is known of the target: it is walked beside the manifest, and what differs is put right. */
  async #heal(tree: Tree): Promise<void> {
    // What we replace while the walk is on its way to it is gone when it comes.
    const found = new Cursor(
      walk(tree, (path, error) => {
        if (!isGone(error)) this.#problems.add(path, error);
      }),
    );
    for await (const { path, first: wanted, others } of merge(this.#session.entries(), [found])) {
      this.#run.signal.throwIfAborted();
      if (this.#problems.hopeless) return;
      const there = others[0]?.stat;
      await this.#attempt(path, async () => {
        if (wanted === undefined || there === undefined)
          return await this.#perform(tree, path, wanted, wanted === undefined ? 'remove' : 'create', []);
        // Here, not in a stream: the walk must not go on into a directory that somebody else removes.
        if (typeOf(there) === 'directory' && wanted.type !== 'directory') removeAny(tree, path);
        if (wanted.type === 'hardlink') this.#later.link(path, wanted.link ?? '');
        else if (typeOf(there) !== wanted.type || (wanted.type !== 'directory' && there.nlink > 1n))
          await this.#perform(tree, path, wanted, 'create', []);
        else if (wanted.type === 'file')
          await this.#file(tree, wanted, 'heal', allParts(this.#session.store, wanted, true, this.#chunkSize, this.#run.signal));
        else if (wanted.type === 'directory') this.#directory(wanted, true);
        else if (compareAttributes(tree, wanted, there).length > 0) await this.#perform(tree, path, wanted, 'create', []);
      });
    }
  }

  async #perform(tree: Tree, path: string, wanted: Entry | undefined, decision: Decision, olds: (Entry | undefined)[]): Promise<void> {
    if (wanted === undefined) {
      if (path === '') return;
      removeAny(tree, path);
      // It may have gone with its directory.
      if (tree.find(parentOf(path))?.isDirectory() === true) this.#later.dirty(parentOf(path));
      return;
    }
    if (decision === 'create') {
      this.#later.dirty(parentOf(path));
      if (wanted.type !== 'directory' && olds.some((old) => old?.type === 'directory')) removeAny(tree, path);
      if (olds.some((old) => old !== undefined)) this.#later.replaced();
    }
    if (wanted.type === 'hardlink') {
      this.#later.link(path, wanted.link ?? '');
      return;
    }
    if (wanted.type === 'directory') {
      if (decision === 'create') ensureDirectory(tree, path);
      this.#directory(wanted, decision !== 'keep');
      return;
    }
    if (decision === 'keep') return;
    if (wanted.type !== 'file') {
      if (decision === 'attributes') applyAttributes(tree, wanted);
      else createSpecial(tree, wanted);
      this.#run.meter.add('filesDone', 1);
      return;
    }
    if (decision === 'attributes') {
      applyAttributes(tree, wanted);
      return;
    }
    const { store } = this.#session;
    const known = olds.filter((old): old is Entry => old !== undefined);
    const parts =
      decision === 'change'
        ? changedParts(store, wanted, known, this.#chunkSize, this.#run.signal)
        : allParts(store, wanted, false, this.#chunkSize, this.#run.signal);
    await this.#file(tree, wanted, decision === 'change' ? 'change' : 'create', parts);
  }

  /** One part or none: a stream does the whole file. More: the file is made here, its parts go out, and its attributes follow the last one. */
  async #file(tree: Tree, entry: Entry, how: How, parts: AsyncGenerator<Part>): Promise<void> {
    const first = await parts.next();
    const second = first.done === true ? first : await parts.next();
    if (second.done === true) {
      const part = first.done === true ? { from: 0, to: 0, chunks: [], zeros: [] } : first.value;
      this.#grow(part);
      await this.#dispatcher.add(entry, how, part, true);
      return;
    }
    if (first.done === true) return;
    closeSync(openTarget(tree, entry, how));
    let open = 1;
    const done = (): void => {
      open--;
      if (open > 0) return;
      try {
        applyAttributes(tree, entry);
        this.#run.meter.add('filesDone', 1);
      } catch (error) {
        this.#problems.add(entry.path, error);
      }
    };
    const send = async (part: Part): Promise<void> => {
      open++;
      this.#grow(part);
      await this.#dispatcher.add(entry, how, part, false, done);
    };
    await send(first.value);
    await send(second.value);
    for await (const part of parts) {
      if (this.#problems.hopeless) break;
      await send(part);
    }
    done();
  }

  /** With known rounds the total is only known as the comparison goes on. */
  #grow(part: Part): void {
    if (this.#knowledge.kind === 'rounds')
      total(
        this.#run,
        part.chunks.reduce((sum, [, ref]) => sum + ref[4], 0),
        0,
      );
  }

  #directory(entry: Entry, dirty: boolean): void {
    if (dirty) this.#later.dirty(entry.path);
    this.#later.directory(entry);
  }

  async #link(tree: Tree): Promise<void> {
    const { store, document } = this.#session;
    for await (const { path, link } of this.#later.links(store, document, this.#skipped, this.#run.signal)) {
      try {
        if (ensureHardlink(tree, path, link)) this.#later.dirty(parentOf(path));
        this.#run.meter.add('filesDone', 1);
      } catch (error) {
        this.#problems.add(path, error);
      }
    }
  }

  async #finishDirectories(tree: Tree): Promise<void> {
    const { store, document } = this.#session;
    for await (const entry of this.#later.dirtyDirectories(store, document, this.#run.signal))
      await this.#attempt(entry.path, async () => applyAttributes(tree, entry));
  }

  /** One path that fails does not end the job: all of them are listed. Errors of the store and of the format do. */
  async #attempt(path: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (error instanceof TranshipError || this.#run.signal.aborted) throw error;
      this.#problems.add(path, error);
    }
  }

  sync(): void {
    const block = this.#job.target.mode === 'Block';
    const fd = openSync(this.#job.target.path, block ? constants.O_RDWR : constants.O_RDONLY);
    try {
      if (block) fsyncSync(fd);
      else syncFileSystem(fd);
    } catch (error) {
      // A write that the system took and could not bring to the disk: nobody knows which one.
      this.#problems.add('', error);
    } finally {
      closeSync(fd);
    }
    this.#problems.throwIfAny('written');
  }
}
