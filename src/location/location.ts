/**
 * An object store behind five verbs. Names are chosen by `archive/` alone: `[a-z0-9/._-]`, no leading slash, no `..`.
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
  list(prefix: string, signal?: AbortSignal): AsyncIterable<{ name: string; size: number }>;
  delete(name: string, signal?: AbortSignal): Promise<void>;
  close(): Promise<void>;
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
