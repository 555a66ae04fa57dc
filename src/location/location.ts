import type { TranshipError } from '../errors.ts';

/**
 * An object store behind few verbs. Names are chosen by `archive/` alone: `[a-z0-9/._-]`, no leading slash, no `..`.
 * Nothing is ever overwritten: `put` with `ifAbsent` is how every object is written.
 */
export interface Location {
  /** For messages: `s3://bucket/prefix`, `dir:/path`. Never holds credentials. */
  readonly url: string;
  /**
   * Stores one object. With `ifAbsent` an existing object is left alone and 'exists' is returned (conditional create where the
   * store has it, head-then-put where not).
   */
  put(name: string, body: Uint8Array, options?: { ifAbsent?: boolean; signal?: AbortSignal }): Promise<'created' | 'exists'>;
  /** Bytes [offset, offset+length) of an object, exactly; fewer is an Integrity error. The bytes are the caller's alone. */
  getRange(name: string, offset: number, length: number, signal?: AbortSignal): Promise<Uint8Array>;
  /** A whole object of at most `maxBytes`; a larger one is an Integrity error before it is read. */
  get(name: string, maxBytes: number, signal?: AbortSignal): Promise<Uint8Array>;
  /** Size in bytes, or undefined when there is no such object. */
  head(name: string, signal?: AbortSignal): Promise<{ size: number } | undefined>;
  /** All objects under a prefix, in name order, paged. */
  list(prefix: string, signal?: AbortSignal): AsyncIterable<Listed>;
  /** Deletes one object; one that is not there is no error. */
  delete(name: string, signal?: AbortSignal): Promise<void>;
  /**
   * Deletes many objects, some at a time, and goes on when one is refused. Returns the refused ones, each with its reason.
   * @throws what stops everything: the store does not answer, the credentials are not accepted, the signal aborts
   */
  deleteMany(names: readonly string[], signal?: AbortSignal): Promise<Refused[]>;
  /** What time the store has, milliseconds since 1970: `modified` is compared with this and never with the clock of this machine. */
  now(signal?: AbortSignal): Promise<number>;
  close(): Promise<void>;
}

/** An object in a listing. */
export interface Listed {
  name: string;
  /** Bytes. */
  size: number;
  /** When it was written, by the store's clock: milliseconds since 1970, often in whole seconds. */
  modified: number;
}

/** An object that was not deleted, and why: mostly Forbidden (rights, object lock, legal hold). */
export interface Refused {
  name: string;
  error: TranshipError;
}

/** Serializable: it travels to the mover on its standard input. Credentials are secrets: never log a LocationSpec. */
export type LocationSpec =
  | {
      kind: 's3';
      bucket: string;
      prefix: string;
      endpoint?: string;
      region: string;
      pathStyle: boolean;
      credentials?: { accessKeyId: string; secretAccessKey: string; sessionToken?: string };
      /** PEM, for stores with a private CA. */
      caBundle?: string;
    }
  | { kind: 'directory'; path: string }
  /** The mover asks its controller, over the channel, to do the verbs: for stores that pods cannot reach (a directory of the CLI's host). */
  | { kind: 'relay'; url: string };
