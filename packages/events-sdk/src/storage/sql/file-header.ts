/**
 * What the first hundred bytes of an SQLite file tell without opening it as a database. Pure.
 */

/** As much of a file as {@link readFileHeader} looks at. */
export const FILE_HEADER_BYTES = 100;

/** The parts of the header that matter here. */
export interface FileHeader {
  /** Kept in WAL mode: the file alone is not the whole truth. */
  readonly isWal: boolean;
  /** Raised by SQLite with every change outside WAL mode. */
  readonly changeCounter: number;
  /** `PRAGMA user_version`: the version of the schema inside. */
  readonly userVersion: number;
}

const MAGIC = 'SQLite format 3\0';

/** Reads the header; undefined when these bytes do not begin an SQLite file. An empty file does not. */
export function readFileHeader(bytes: Uint8Array): FileHeader | undefined {
  if (bytes.length < FILE_HEADER_BYTES) return undefined;
  for (let at = 0; at < MAGIC.length; at += 1) if (bytes[at] !== MAGIC.charCodeAt(at)) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return {
    isWal: bytes[18] === 2 || bytes[19] === 2,
    changeCounter: view.getUint32(24),
    userVersion: view.getUint32(60),
  };
}
