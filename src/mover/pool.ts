// oxlint-disable unicorn/require-post-message-target-origin -- worker threads have no origins
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import type { KnownChunks } from '../archive/index.ts';
import { codeOf, sentenceOf, TranshipError, type ErrorCode } from '../errors.ts';
import type { RelayReply, RelayRequest, RelayTransport } from '../location/index.ts';
import type { VolumeJob } from './protocol.ts';
import type { Run } from './run.ts';

/** What every stream gets when it starts. */
export interface StreamSetup {
  role: 'tranship-stream';
  job: VolumeJob;
  meter: SharedArrayBuffer;
  chunkSize: number;
  known?: ReturnType<KnownChunks['share']>;
}

type FromWorker =
  | { t: 'result'; id: number; result: unknown }
  | { t: 'error'; id: number; error: Plain }
  | { t: 'store'; id: number; request: RelayRequest; body?: Uint8Array };
type ToWorker =
  | { t: 'stop' }
  | { t: 'task'; id: number; task: unknown }
  | { t: 'stored'; id: number; reply: RelayReply }
  | { t: 'storeFailed'; id: number; error: Plain };
interface Plain {
  code: ErrorCode;
  message: string;
  hint?: string;
}

function plainError(error: unknown): Plain {
  if (error instanceof TranshipError)
    return { code: error.code, message: error.message, ...(error.hint === undefined ? {} : { hint: error.hint }) };
  return { code: codeOf(error), message: sentenceOf(error) };
}

function revived({ code, message, hint }: Plain): TranshipError {
  return new TranshipError(code, message, hint === undefined ? {} : { hint });
}

interface Slot {
  worker: Worker;
  tasks: Map<number, { resolve: (result: unknown) => void; reject: (error: unknown) => void }>;
}

/** MiB of heap of one stream: several times what it needs. Packs and read buffers are outside of it. */
const heapLimit = 256;

/** What the end of a thread means to people. */
function streamFailure(error: unknown): TranshipError {
  if (error instanceof Error && 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY') {
    return new TranshipError('Internal', `A stream of the mover needed more than its ${heapLimit} MiB of heap and was stopped.`, {
      hint: 'Copy again: what is stored or written is used. If it happens again, report it with the number and size of the files.',
      cause: error,
    });
  }
  return new TranshipError('Internal', `A stream of the mover failed: ${sentenceOf(error)}`, { cause: error });
}

/** A stream that does not end by itself within this time is stopped, milliseconds. */
const longestStep = 5000;

/** The worker threads of one job. A worker has at most `depth` tasks: enough that it never waits for the main thread. */
export class Pool {
  readonly #workers: Slot[] = [];
  readonly #depth: number;
  #next = 1;
  #waiting: (() => void)[] = [];
  #failure: unknown;

  /** Workers run the same program file, and see from their data that they are streams. */
  constructor(run: Run, setup: StreamSetup, depth: number) {
    const { entry, relay, signal } = run;
    signal.addEventListener('abort', () => void this.close(), { once: true });
    this.#depth = depth;
    for (let stream = 0; stream < setup.job.streams; stream++) {
      const worker = new Worker(entry, {
        workerData: setup,
        name: `stream-${stream}`,
        resourceLimits: { maxOldGenerationSizeMb: heapLimit, maxYoungGenerationSizeMb: 4 },
      });
      const slot: Slot = { worker, tasks: new Map() };
      this.#workers.push(slot);
      worker.on('message', (message: FromWorker) => {
        if (message.t === 'store') {
          void this.#relayed(worker, message, relay);
          return;
        }
        const task = slot.tasks.get(message.id);
        slot.tasks.delete(message.id);
        if (message.t === 'result') task?.resolve(message.result);
        else task?.reject(revived(message.error));
        this.#waiting.shift()?.();
      });
      worker.on('error', (error) => this.#broken(streamFailure(error)));
      worker.on('exit', (code) => {
        if (code !== 0) this.#broken(new TranshipError('Internal', `A stream of the mover ended with code ${code}.`));
      });
    }
  }

  /** Gives a task to the least busy worker; waits while all are full. The promise inside ends with the task. */
  async submit<T>(task: unknown): Promise<{ done: Promise<T> }> {
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure;
      const slot = this.#workers.reduce((best, other) => (other.tasks.size < best.tasks.size ? other : best));
      if (slot.tasks.size < this.#depth) return { done: this.#give<T>(slot, task) };
      await new Promise<void>((resume) => this.#waiting.push(resume));
    }
  }

  /** Gives one task to every worker. */
  async toAll<T>(task: unknown): Promise<T[]> {
    if (this.#failure !== undefined) throw this.#failure;
    return await Promise.all(this.#workers.map((slot) => this.#give<T>(slot, task)));
  }

  /**
   * Ends all streams; tasks under way fail as canceled. Each stream ends itself between two steps: a thread that is stopped from outside within a native
   * call takes the process with it. One that does not come back from a call (a disk that hangs) is stopped all the same.
   */
  async close(): Promise<void> {
    this.#broken(new TranshipError('Canceled', 'The mover stops.'));
    await Promise.all(
      this.#workers.map(async ({ worker }) => {
        const force = setTimeout(() => void worker.terminate(), longestStep);
        if (worker.threadId >= 0)
          await new Promise((ended) => (worker.once('exit', ended), worker.postMessage({ t: 'stop' } satisfies ToWorker)));
        clearTimeout(force);
      }),
    );
  }

  #give<T>(slot: Slot, task: unknown): Promise<T> {
    const id = this.#next++;
    const done = new Promise<T>((resolve, reject) => slot.tasks.set(id, { resolve: resolve as (result: unknown) => void, reject }));
    done.catch(() => {}); // whoever awaits it sees the error; until then it must not end the process
    slot.worker.postMessage({ t: 'task', id, task } satisfies ToWorker);
    return done;
  }

  #broken(error: unknown): void {
    this.#failure ??= error;
    for (const slot of this.#workers) {
      for (const task of slot.tasks.values()) task.reject(error);
      slot.tasks.clear();
    }
    for (const resume of this.#waiting.splice(0)) resume();
  }

  async #relayed(worker: Worker, message: Extract<FromWorker, { t: 'store' }>, relay: RelayTransport | undefined): Promise<void> {
    try {
      if (relay === undefined) throw new TranshipError('Internal', 'No relay channel is open.');
      worker.postMessage({ t: 'stored', id: message.id, reply: await relay.request(message.request, message.body) } satisfies ToWorker);
    } catch (error) {
      worker.postMessage({ t: 'storeFailed', id: message.id, error: plainError(error) } satisfies ToWorker);
    }
  }
}

/** The setup of this thread when it is a stream of a pool. */
export function streamSetup(): StreamSetup | undefined {
  const data = workerData as Partial<StreamSetup> | null;
  return !isMainThread && data?.role === 'tranship-stream' ? (data as StreamSetup) : undefined;
}

/** Inside a worker: answers tasks; `relay` reaches the main thread's channel. */
export function serveTasks(start: (relay: RelayTransport) => (task: unknown) => Promise<unknown>): void {
  const port = parentPort;
  if (port === null) throw new TranshipError('Internal', 'A stream has no main thread.');
  const waiting = new Map<number, { resolve: (reply: RelayReply) => void; reject: (error: unknown) => void }>();
  let next = 1;
  const work = start({
    async request(request, body) {
      const id = next++;
      const reply = new Promise<RelayReply>((resolve, reject) => waiting.set(id, { resolve, reject }));
      port.postMessage({ t: 'store', id, request, ...(body === undefined ? {} : { body }) } satisfies FromWorker);
      return await reply;
    },
  });
  port.on('message', (message: ToWorker) => {
    if (message.t === 'task') {
      work(message.task).then(
        (result) => port.postMessage({ t: 'result', id: message.id, result } satisfies FromWorker),
        (error: unknown) => port.postMessage({ t: 'error', id: message.id, error: plainError(error) } satisfies FromWorker),
      );
      return;
    }
    if (message.t === 'stop') process.exit(0);
    const asked = waiting.get(message.id);
    waiting.delete(message.id);
    if (message.t === 'stored') asked?.resolve(message.reply);
    else asked?.reject(revived(message.error));
  });
}
