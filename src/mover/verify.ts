import { differing, type Entry, readEntries, type RoundDocument } from '../archive/index.ts';
import { compareAttributes } from './attributes.ts';
import { allParts, changedParts, type Part } from './content.ts';
import { Cursor } from './cursor.ts';
import { decide } from './decide.ts';
import { Dispatcher } from './dispatch.ts';
import { lockVolume } from './lock.ts';
import { merge } from './merge.ts';
import { Problems } from './problems.ts';
import type { CopyInJob, MoverResult, VerifyJob } from './protocol.ts';
import type { Run } from './run.ts';
import { LinkedFiles, walk } from './scan.ts';
import { openTargetSession, type TargetSession } from './target.ts';
import { isGone, Tree } from './tree.ts';

/** The verify job: compares a target with a round and writes nothing. */
export async function verify(job: VerifyJob, run: Run): Promise<MoverResult> {
  const started = performance.now();
  const session = await openTargetSession(job, run);
  const unlock = await lockVolume(job.target, 'shared', run.signal);
  try {
    const problems = new Problems(job.volume);
    await verifyAll(job, run, session, problems);
    problems.throwIfAny('verified');
    return {
      files: session.document.files,
      bytes: session.document.bytes,
      bytesChanged: run.meter.get('bytesDone'),
      bytesTransferred: run.meter.get('bytesTransferred'),
      bytesTargetRead: 0,
      durationMs: Math.round(performance.now() - started),
      notes: session.document.notes,
      manifestHash: session.manifestHash,
    };
  } finally {
    await session.close();
    unlock();
  }
}

/** Reads everything back: every path, every attribute, every chunk, and that nothing else is there. */
export async function verifyAll(job: CopyInJob | VerifyJob, run: Run, session: TargetSession, problems: Problems): Promise<void> {
  run.phase('verify', false);
  if (job.op === 'verify') run.meter.add('bytesTotal', session.document.bytes);
  const checker = new Checker(run, session, problems);
  if (job.target.mode === 'Block') {
    const entry = await session.entries().peek();
    if (entry !== undefined) await checker.content(entry, allParts(session.store, entry, true, session.document.chunkSize, run.signal));
    return await checker.drain();
  }
  const tree = new Tree(job.target.path);
  try {
    const found = new Cursor(walk(tree, (path, error) => problems.add(path, error)));
    const linked = new LinkedFiles();
    for await (const { path, first: wanted, others } of merge(session.entries(), [found])) {
      run.signal.throwIfAborted();
      const there = others[0]?.stat;
      if (wanted === undefined) problems.add(path, 'is not in the round');
      else if (there === undefined) problems.add(path, 'is missing');
      else {
        const first = there.nlink > 1n && !there.isDirectory() ? linked.first(there, path) : undefined;
        if (wanted.type === 'hardlink') {
          if (first !== wanted.link) problems.add(path, `is no hardlink of ${wanted.link ?? ''}`);
          continue;
        }
        if (first !== undefined) problems.add(path, `is a hardlink of ${first}, not a file of its own`);
        checker.attributes(tree, wanted, there);
        if (wanted.type === 'file')
          await checker.content(wanted, allParts(session.store, wanted, true, session.document.chunkSize, run.signal));
      }
    }
  } finally {
    tree.close();
  }
  await checker.drain();
}

/** Reads back what a copy from known rounds may have written, and nothing else. */
export async function verifyTouched(
  job: CopyInJob,
  run: Run,
  session: TargetSession,
  documents: RoundDocument[],
  problems: Problems,
): Promise<void> {
  run.phase('verify', false);
  const checker = new Checker(run, session, problems);
  const tree = job.target.mode === 'Block' ? undefined : new Tree(job.target.path);
  const rounds = differing([session.document, ...documents]);
  const [news, ...olds] = rounds.map((round) => new Cursor(readEntries(session.store, round, run.signal)));
  if (news === undefined) return;
  for await (const { path, first: wanted, others } of merge(news, olds)) {
    const decision = decide(wanted, others);
    if (decision === 'keep' || wanted?.type === 'hardlink') continue;
    if (tree !== undefined) {
      const there = tree.find(path);
      if (wanted === undefined && there !== undefined) problems.add(path, 'was not removed');
      if (wanted === undefined) continue;
      if (there === undefined) {
        problems.add(path, 'is missing');
        continue;
      }
      checker.attributes(tree, wanted, there);
    }
    if (wanted === undefined || (wanted.type !== 'file' && wanted.type !== 'device')) continue;
    const known = others.filter((other): other is Entry => other !== undefined);
    const { store, document } = session;
    const parts =
      decision === 'create'
        ? allParts(store, wanted, true, document.chunkSize, run.signal)
        : changedParts(store, wanted, known, document.chunkSize, run.signal);
    await checker.content(wanted, parts);
  }
  await checker.drain();
  tree?.close();
}

class Checker {
  readonly #dispatcher: Dispatcher;
  readonly #problems: Problems;

  constructor(_run: Run, session: TargetSession, problems: Problems) {
    this.#problems = problems;
    this.#dispatcher = new Dispatcher(session.pool, 'verify', problems);
  }

  attributes(tree: Tree, wanted: Entry, there: Parameters<typeof compareAttributes>[2]): void {
    try {
      const differences = compareAttributes(tree, wanted, there);
      if (differences.length > 0) this.#problems.add(wanted.path, differences.join(', '));
    } catch (error) {
      if (isGone(error)) this.#problems.add(wanted.path, 'is missing');
      else this.#problems.add(wanted.path, error);
    }
  }

  async content(entry: Entry, parts: AsyncIterable<Part>): Promise<void> {
    for await (const part of parts) await this.#dispatcher.add(entry, 'change', part, false);
  }

  async drain(): Promise<void> {
    await this.#dispatcher.drain();
  }
}
