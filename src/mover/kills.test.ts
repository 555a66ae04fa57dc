/**
 * SIGKILL at random moments of a backup and a restore of a tree that changes from round to round, at one stream and at four. The end is identical, and no
 * stored object was ever replaced: looked at after each kill in a directory location, refused by the store in a relayed one. TRANSHIP_KILLS=200 for a soak.
 */
import assert from 'node:assert/strict';
import { createHash, hash, randomBytes, randomInt } from 'node:crypto';
import { globSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { codeOf } from '../errors.ts';
import { type Location, openLocation } from '../location/index.ts';
import { runMover } from './client.ts';
import type { MoverJob, MoverResult } from './protocol.ts';
import { portrait, type Rig, rigOn } from './rig.ts';
import { bundleMover } from './testing/bundle.ts';
import { Edits, picker } from './testing/edits.ts';

/** For each number of streams and kind of store; the four together make the number that is asked for. */
const kills = Math.ceil(Number(process.env['TRANSHIP_KILLS'] ?? 16) / 4);
const kibi = 1 << 10;

/** Numbers of a run: how long a whole job takes here and now, from which the moments of the kills are drawn. */
interface Course {
  kills: number;
  finished: number;
  longest: number;
}

const bundle = await bundleMover();
after(() => bundle.remove());

async function runProcess(job: MoverJob, location: Location | undefined, killAfter?: number): Promise<MoverResult> {
  const child = bundle.start();
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const timer = killAfter === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), killAfter);
  try {
    return await runMover(child, job, location === undefined ? {} : { location });
  } finally {
    clearTimeout(timer);
    child.kill('SIGKILL');
    await gone;
  }
}

/** Runs a job to its end through kills: each at a moment between the start and what a whole run took so far. */
async function through(
  job: MoverJob,
  location: Location | undefined,
  course: Course,
  most: number,
  look: () => void,
): Promise<MoverResult> {
  for (let count = 0; count < most; count++) {
    const started = performance.now();
    // Half of them late: a start is the longer part of a small job, and nothing can be hurt in it.
    const from = randomInt(2) === 0 ? course.longest / 2 : 0;
    try {
      await runProcess(job, location, from + randomInt(Math.ceil(course.longest * 1.1)));
      course.finished++;
      course.longest = (course.longest + performance.now() - started) / 2;
    } catch (error) {
      assert.equal(codeOf(error), 'Unreachable', String(error));
      course.kills++;
    }
    look();
  }
  const result = await runProcess(job, location);
  look();
  return result;
}

/** Remembers every object, and fails when one was replaced. */
function ledger(store: string): () => void {
  const seen = new Map<string, string>();
  return () => {
    for (const path of globSync(join(store, 'lineages/**/*'))) {
      const stat = lstatSync(path, { bigint: true, throwIfNoEntry: false });
      if (stat === undefined || !stat.isFile()) continue;
      const mark = `${stat.ino} ${stat.size} ${stat.mtimeNs}`;
      const earlier = seen.get(path);
      if (earlier === undefined) {
        seen.set(path, mark);
        const content = hash('sha256', readFileSync(path));
        seen.set(`${path} content`, content);
      } else assert.equal(mark, earlier, `${path} was replaced`);
    }
    for (const [path, content] of seen)
      if (path.endsWith(' content') && randomInt(20) === 0)
        assert.equal(hash('sha256', readFileSync(path.slice(0, -' content'.length))), content, `${path} has changed`);
  };
}

/** A store that refuses what must not happen: another content under a name that is taken. */
function onceOnly(real: Location): Location & { replaced: string[] } {
  const written = new Map<string, string>();
  const replaced: string[] = [];
  return {
    ...real,
    replaced,
    async put(name, body, options) {
      const content = createHash('sha256').update(body).digest('hex');
      const earlier = written.get(name);
      if (earlier !== undefined && earlier !== content && options?.ifAbsent !== true) replaced.push(name);
      const made = await real.put(name, body, options);
      if (made === 'created') {
        if (earlier !== undefined) replaced.push(name);
        written.set(name, content);
      }
      return made;
    },
  };
}

for (const streams of [1, 4]) {
  for (const kind of ['directory', 'relay'] as const) {
    describe(`${kills} kills at ${streams} streams, store by ${kind}`, () => {
      const base = mkdtempSync(join(tmpdir(), 'tranship-kills-'));
      const source = { mode: 'Filesystem' as const, path: join(base, 'source') };
      const target = { mode: 'Filesystem' as const, path: join(base, 'target') };
      let rig: Rig;
      before(async () => {
        for (const { path } of [source, target]) mkdirSync(path);
        for (let number = 0; number < 60; number++) writeFileSync(join(source.path, `small-${number}`), randomBytes(randomInt(20 * kibi)));
        for (let number = 0; number < 2; number++) writeFileSync(join(source.path, `large-${number}`), randomBytes(5000 * kibi));
        rig = await rigOn(join(base, 'store'));
      });
      after(() => rmSync(base, { recursive: true }));

      it('hurt nothing', async (t) => {
        const location = kind === 'relay' ? onceOnly(openLocation(rig.spec)) : undefined;
        const jobOf = (job: Parameters<Rig['job']>[0]): MoverJob => {
          const made = rig.job({ ...job, streams });
          if (location !== undefined) made.archive.location = { kind: 'relay', url: location.url };
          return made;
        };
        const look = ledger(join(base, 'store'));
        const seed = randomInt(1 << 30);
        const edits = new Edits(source.path, picker(seed));
        const course: Course = { kills: 0, finished: 0, longest: 0 };
        const started = performance.now();
        await runProcess(jobOf({ op: 'copy-out', volume: 'measured', round: 0, source }), location);
        course.longest = performance.now() - started;
        // Half of the kills in backups, half in restores and verifications, over as many rounds as it takes.
        const perJob = 6;
        for (let round = 0; course.kills < kills; round++) {
          if (round > 0) for (let count = 0; count < 15; count++) edits.one();
          const parent = round === 0 ? {} : { parent: round - 1 };
          await through(jobOf({ op: 'copy-out', round, ...parent, source }), location, course, perJob, look);
          const knowledge = round === 0 ? { fresh: true } : { fresh: false, have: round - 1, begun: [round] };
          const verify = round % 2 === 0 ? 'All' : 'Touched';
          await through(jobOf({ op: 'copy-in', round, ...knowledge, target, verify }), location, course, perJob, look);
          assert.deepEqual(portrait(target.path), portrait(source.path), `round ${round}, edits from seed ${seed}`);
        }
        assert.deepEqual(location?.replaced ?? [], []);
        t.diagnostic(
          `${course.kills} kills, ${course.finished} runs ended before theirs, a whole run takes about ${Math.round(course.longest)} ms`,
        );
      });
    });
  }
}
