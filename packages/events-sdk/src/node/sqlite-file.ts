/**
 * What can be told about an SQLite file without opening it as a database: its journal mode, whether it changed, and
 * whether somebody left it in the middle of a change.
 */

import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { FILE_HEADER_BYTES, readFileHeader } from '../storage/sql/file-header.ts';

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
  const bytes = Buffer.alloc(FILE_HEADER_BYTES);
  readSync(fd, bytes, 0, FILE_HEADER_BYTES, 0);
  const header = readFileHeader(bytes);
  const { size, mtimeNs, ino } = fstatSync(fd, { bigint: true });
  return {
    generation: `${size}.${mtimeNs}.${ino}.${header?.changeCounter ?? ''}`,
    isWal: header?.isWal === true,
  };
}

/** Whether a file beside the database (`-wal`, `-journal`) holds something. */
export function hasContent(path: string): boolean {
  return (statSync(path, { throwIfNoEntry: false })?.size ?? 0) > 0;
}
