/**
 * What can be told about an SQLite file without opening it as a database: its journal mode, whether it changed, and
 * whether somebody left it in the middle of a change.
 */

import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';

const HEADER_BYTES = 100;

/** A file at one moment. */
export interface SqliteFileState {
  /** Differs after every change: size, time, inode and SQLite's own change counter. */
  readonly generation: string;
  /** Kept in WAL mode: the file alone is not the whole truth. */
  readonly isWal: boolean;
}

/** Looks at the file; undefined when there is none. */
export function sqliteFileState(path: string): SqliteFileState | undefined {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return openFileState(fd);
  } finally {
    closeSync(fd);
  }
}

/** The same for an open file. */
export function openFileState(fd: number): SqliteFileState {
  const header = Buffer.alloc(HEADER_BYTES);
  readSync(fd, header, 0, HEADER_BYTES, 0);
  const { size, mtimeNs, ino } = fstatSync(fd, { bigint: true });
  return {
    generation: `${size}.${mtimeNs}.${ino}.${header.readUInt32BE(24)}`,
    isWal: header[18] === 2 || header[19] === 2,
  };
}

/** Whether the file exists and is in WAL mode. A file that cannot be read counts as not: opening it will tell why. */
export function isWalFile(path: string): boolean {
  try {
    return sqliteFileState(path)?.isWal === true;
  } catch {
    return false;
  }
}

/** Whether a file beside the database (`-wal`, `-journal`) holds something. */
export function hasContent(path: string): boolean {
  return (statSync(path, { throwIfNoEntry: false })?.size ?? 0) > 0;
}
