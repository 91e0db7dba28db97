/**
 * What can be told about an SQLite file without opening it as a database: its journal mode, whether it changed, and
 * whether somebody left it in the middle of a change.
 */

import { FILE_HEADER_BYTES, readFileHeader } from '../storage/sql/file-header.ts';
import { errorCodeOf, type Disk } from './disk.ts';

/** A file at one moment. */
export interface SqliteFileState {
  /** Differs after every change: size, time, inode and SQLite's own change counter. The first three alone do not tell files written within one tick of the clock apart. */
  readonly generation: string;
  /** 0 for an empty file. */
  readonly changeCounter: number;
  /** Kept in WAL mode: the file alone is not the whole truth. */
  readonly isWal: boolean;
}

/** Looks at the file; undefined when there is none. */
export function sqliteFileState(disk: Disk, path: string): SqliteFileState | undefined {
  let file: number;
  try {
    file = disk.open(path, 'r');
  } catch (error) {
    if (errorCodeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return openFileState(disk, file);
  } finally {
    disk.close(file);
  }
}

/** The same for an open file. */
export function openFileState(disk: Disk, file: number): SqliteFileState {
  const bytes = new Uint8Array(FILE_HEADER_BYTES);
  disk.read(file, bytes, 0);
  const header = readFileHeader(bytes);
  const { size, changedAtNs, ino } = disk.lookAt(file);
  return {
    generation: `${size}.${changedAtNs}.${ino}.${header?.changeCounter ?? ''}`,
    changeCounter: header?.changeCounter ?? 0,
    isWal: header?.isWal === true,
  };
}

/** Whether a file beside the database (`-wal`, `-journal`) holds something. */
export function hasContent(disk: Disk, path: string): boolean {
  return (disk.look(path)?.size ?? 0) > 0;
}
