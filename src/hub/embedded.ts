/** The hub in one SQLite file: no cluster, no server, several processes at once. */
import { randomUUID } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import type { KubeObject } from '../api/object.ts';
import { refOf, refText } from '../api/object.ts';
import { TranshipError } from '../errors.ts';
import { differences } from './differences.ts';
import type { Hub, HubEvent, HubKind } from './hub.ts';
import { checkVersion, created, isGone, isSame, markedDeleted, updated, withStatus } from './rules.ts';
import { explained, inTransaction, openHubFile } from './schema.ts';

/** How often changes of other processes are looked for: one PRAGMA, about 10 µs. */
const POLL_MS = 250;

/**
 * Opens (and creates) a hub file.
 *
 * Events of a watch are level-based: several changes between two looks come as one.
 *
 * @throws Integrity for a damaged file, Unsupported for one of a newer version, NoSpace, Forbidden
 * @example const hub = openEmbeddedHub({ file: defaultHubFile() });
 */
export function openEmbeddedHub({ file }: { file: string }): Hub {
  const db = openHubFile(file);
  const store = statements(db);
  const watchers = new Set<() => void>();
  let seen = store.dataVersion();
  let poll: NodeJS.Timeout | undefined;
  const closing = new AbortController();

  const wakeAll = (): void => watchers.forEach((wake) => wake());

  function look(): void {
    const now = store.dataVersion();
    if (now === seen) return;
    seen = now;
    wakeAll();
  }

  /** Runs one write; our own watchers hear of it at once, other processes by their poll. */
  async function write<Result>(work: () => Result): Promise<Result> {
    if (closing.signal.aborted) throw new TranshipError('Canceled', 'The hub was closed.');
    const result = explained(file, () => inTransaction(db, work));
    wakeAll();
    return result;
  }

  function read<Result>(work: () => Result): Result {
    if (closing.signal.aborted) throw new TranshipError('Canceled', 'The hub was closed.');
    return explained(file, work);
  }

  function save(object: KubeObject): KubeObject {
    const version = store.nextVersion();
    const saved = { ...object, metadata: { ...object.metadata, resourceVersion: String(version) } };
    store.put(saved, version);
    return saved;
  }

  /** Changes what is stored, under the rules that updates share. */
  function change(given: KubeObject, next: (stored: KubeObject) => KubeObject): KubeObject {
    const { namespace, name } = addressOf(given);
    const stored = store.get(given.kind, namespace, name);
    if (stored === undefined) throw new TranshipError('NotFound', `${refText(refOf(given))} does not exist.`);
    checkVersion(stored, given);
    const wanted = next(stored);
    if (isGone(wanted)) {
      store.remove(given.kind, namespace, name);
      return wanted;
    }
    return isSame(stored, wanted) ? stored : save(wanted);
  }

  return {
    get: async (kind, namespace, name) => read(() => store.get(kind, namespace, name)),
    list: async (kind, namespace) =>
      read(() => store.list(kind).filter((object) => namespace === undefined || object.metadata.namespace === namespace)),
    create: (object) =>
      write(() => {
        const { namespace, name } = addressOf(object);
        if (store.get(object.kind, namespace, name) !== undefined) {
          throw new TranshipError('Conflict', `${refText(refOf(object))} exists already.`, { details: { reason: 'AlreadyExists' } });
        }
        return save(created(object, randomUUID(), timestamp()));
      }),
    update: (object) => write(() => change(object, (stored) => updated(stored, object))),
    updateStatus: (object) => write(() => change(object, (stored) => withStatus(stored, object))),
    delete: (kind, namespace, name) =>
      write(() => {
        const stored = store.get(kind, namespace, name);
        if (stored === undefined) return false;
        if ((stored.metadata.finalizers ?? []).length === 0) store.remove(kind, namespace, name);
        else if (stored.metadata.deletionTimestamp === undefined) save(markedDeleted(stored, timestamp()));
        return true;
      }),
    watch: (kind, signal) => watch(kind, signal),
    async close() {
      if (closing.signal.aborted) return;
      closing.abort();
      clearInterval(poll);
      wakeAll();
      db.close();
    },
  };

  async function* watch(kind: HubKind, signal: AbortSignal): AsyncGenerator<HubEvent> {
    const known = new Map<string, KubeObject>();
    let dirty = true;
    let wake = (): void => undefined;
    const notice = (): void => {
      dirty = true;
      wake();
    };
    watchers.add(notice);
    signal.addEventListener('abort', notice);
    // Not a reason for the process to live: who waits for an event has a reason of his own.
    poll ??= setInterval(() => {
      try {
        explained(file, look);
      } catch {
        wakeAll(); // each watch meets the error itself, where somebody can catch it
      }
    }, POLL_MS).unref();
    try {
      while (!signal.aborted && !closing.signal.aborted) {
        if (dirty) {
          dirty = false;
          for (const event of differences(
            known,
            read(() => store.list(kind)),
          )) {
            if (signal.aborted || closing.signal.aborted) return;
            yield event;
          }
        } else {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      }
    } finally {
      watchers.delete(notice);
      signal.removeEventListener('abort', notice);
      if (watchers.size === 0) {
        clearInterval(poll);
        poll = undefined;
      }
    }
  }
}

function addressOf(object: KubeObject): { namespace: string; name: string } {
  const { namespace, name } = object.metadata;
  if (!namespace || !name) throw new TranshipError('InvalidInput', `A ${object.kind} in the hub needs a name and a namespace.`);
  return { namespace, name };
}

/** As the API server writes times: whole seconds. */
function timestamp(): string {
  return new Date().toISOString().replace(/\.\d+Z$/, 'Z');
}

function statements(db: DatabaseSync) {
  const get = db.prepare('SELECT body FROM objects WHERE kind = ? AND namespace = ? AND name = ?');
  const list = db.prepare('SELECT body FROM objects WHERE kind = ? ORDER BY namespace, name');
  const put = db.prepare('INSERT OR REPLACE INTO objects (kind, namespace, name, uid, version, body) VALUES (?, ?, ?, ?, ?, ?)');
  const remove = db.prepare('DELETE FROM objects WHERE kind = ? AND namespace = ? AND name = ?');
  const next = db.prepare('UPDATE counter SET value = value + 1 RETURNING value');
  const dataVersion = db.prepare('PRAGMA data_version');
  const parse = (body: unknown): KubeObject => JSON.parse(String(body)) as KubeObject; // JSON border: we wrote it
  return {
    get(kind: string, namespace: string, name: string): KubeObject | undefined {
      const row = get.get(kind, namespace, name);
      return row === undefined ? undefined : parse(row['body']);
    },
    list: (kind: string): KubeObject[] => list.all(kind).map((row) => parse(row['body'])),
    put(object: KubeObject, version: number): void {
      const { namespace = '', name, uid = '' } = object.metadata;
      put.run(object.kind, namespace, name, uid, version, JSON.stringify(object));
    },
    remove: (kind: string, namespace: string, name: string): void => void remove.run(kind, namespace, name),
    nextVersion: (): number => Number(next.get()?.['value']),
    dataVersion: (): number => Number(dataVersion.get()?.['data_version']),
  };
}
