/**
 * Where the sql.js store keeps its database between turns: one image of bytes, replaced as a whole. A file, an
 * IndexedDB entry or anything else that can be replaced atomically and locked between its users.
 */

/** The bytes as they are kept. */
export interface StoredImage {
  /** Differs after every change, whoever made it. */
  readonly generation: string;
  /** Null: nothing has been stored yet. */
  readonly bytes: Uint8Array | null;
}

/** Keeps the image. Methods reject with `EventsSdkError` (STORAGE_*). */
export interface Persister {
  /** The image, or undefined when it still is the one of generation `known`. */
  load(known?: string): Promise<StoredImage | undefined>;
  /** Runs `work` while no other user of the image can save. Waits a bounded time. */
  exclusively<T>(work: () => Promise<T>): Promise<T>;
  /**
   * Replaces the image of generation `replaced`, durably, all or nothing; returns the new generation.
   * Only called inside {@link exclusively}. Rejects, changing nothing, when the image is no longer that one.
   */
  save(bytes: Uint8Array, replaced: string): Promise<string>;
}
