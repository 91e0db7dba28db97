/**
 * What the first hundred bytes of an SQLite file tell without opening it as a database. Pure.
 */

/** As much of a file as {@link readFileHeader} looks at. */
export const FILE_HEADER_BYTES = 100;

/** The parts of the header that matter here. */
export interface FileHeader {
  /** Kept in WAL mode: the file alone is not the whole truth. */
  readonly isWal: boolean;
  /** False for a format that SQLite does not write: it opens such a file for reading only, or not at all. */
  readonly isWritable: boolean;
  /** Raised by SQLite with every change outside WAL mode. */
  readonly changeCounter: number;
  /** `PRAGMA user_version`: the version of the schema inside. */
  readonly userVersion: number;
}

/** Where the versions of the format stand, for writing and for reading, and what they are in every file SQLite has written. */
const FORMAT_AT = 18;
const LEGACY = 1;
const WAL = 2;

/** Where the change counter stands, and the counter for which the size beside it holds: SQLite keeps them equal. */
const CHANGE_COUNTER_AT = 24;
const VALID_FOR_AT = 92;

const MAGIC = 'SQLite format 3\0';

/** Reads the header; undefined when these bytes do not begin an SQLite file. An empty file does not. */
export function readFileHeader(bytes: Uint8Array): FileHeader | undefined {
  if (bytes.length < FILE_HEADER_BYTES) return undefined;
  for (let at = 0; at < MAGIC.length; at += 1) if (bytes[at] !== MAGIC.charCodeAt(at)) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const format = bytes.subarray(FORMAT_AT, FORMAT_AT + 2);
  return {
    isWal: format.includes(WAL),
    isWritable: format.every((byte) => byte === LEGACY || byte === WAL),
    changeCounter: view.getUint32(CHANGE_COUNTER_AT),
    userVersion: view.getUint32(60),
  };
}

/** The same database with this change counter. sql.js never raises it by itself. Bytes that are no database come back as they are. */
export function withChangeCounter(bytes: Uint8Array, counter: number): Uint8Array {
  if (readFileHeader(bytes) === undefined) return bytes;
  const raised = bytes.slice();
  const view = new DataView(raised.buffer);
  view.setUint32(CHANGE_COUNTER_AT, counter);
  view.setUint32(VALID_FOR_AT, counter);
  return raised;
}

/** The same database in a format that SQLite opens: one wrong byte there hides every row. Bytes in a known one come back as they are. */
export function withKnownFormat(bytes: Uint8Array): Uint8Array {
  const header = readFileHeader(bytes);
  if (header === undefined || header.isWritable) return bytes;
  return bytes.slice().fill(header.isWal ? WAL : LEGACY, FORMAT_AT, FORMAT_AT + 2);
}
