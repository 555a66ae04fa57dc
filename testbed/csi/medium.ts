/** What volumes are made of. One interface, so that the services above know nothing of directories, subvolumes and images. */

export interface Usage {
  total: number;
  used: number;
  available: number;
}

export interface Medium {
  /** Ending of the names of its volumes and snapshots; tells whose they are. */
  readonly extension: string;
  /** The smallest size it can make, in bytes. */
  readonly leastBytes: number;
  /** Does a file system inside have to be grown as well (`growMounted`) after `resize`, where it is mounted? */
  readonly growsMounted: boolean;

  /** A new empty volume. Whatever is left after a failure is removed by the caller. */
  create(place: string, bytes: number): Promise<void>;
  /** A snapshot of a volume, or a volume from a snapshot or another volume. Of a volume in use, as atomic as the medium can. */
  copy(from: string, to: string, as: { snapshot: boolean; bytes: number }): Promise<void>;
  /** Removes a volume or snapshot with all that hangs on it (devices, inner mounts). Nothing there is fine. */
  remove(place: string): Promise<void>;
  resize(place: string, bytes: number): Promise<void>;
  growMounted(place: string): Promise<void>;

  /** Makes ready and returns the directory or device to bind into pods; the same one when called again. */
  attach(place: string): Promise<string>;
  /** The directory or device to bind, when it is ready. */
  attached(place: string): Promise<string | undefined>;
  /** After the last pod has left. */
  release(place: string): Promise<void>;
  /** Bytes of an attached volume, when the file system's own figures would not be the volume's. */
  usage(place: string): Promise<Usage | undefined>;
}

export const mib = 1024 ** 2;
export const gib = 1024 ** 3;
