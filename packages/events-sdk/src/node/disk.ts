/**
 * The disk as the home's small file protocols see it: the few calls of `node:fs` they are built from, so that a test
 * can fail any of them, cut the power between any two, and count what is left. Calls behave and throw as those of
 * `node:fs` do (errors carry a `code`); what is special to one protocol is built above.
 *
 * The real disk and the simulated one of `testing` pass the same suite (`diskCases`).
 */
import {
  chmodSync,
  closeSync,
  fchmodSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  realpathSync,
  renameSync,
  rmdirSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import type { BigIntStats } from 'node:fs';

/** What is known of a file or directory. */
export interface DiskEntry {
  readonly isDirectory: boolean;
  /** Bytes; of no meaning for a directory. */
  readonly size: number;
  /** Last change, in nanoseconds since the epoch. */
  readonly changedAtNs: bigint;
  /** Tells a file from another one that was put in its place. */
  readonly ino: bigint;
}

/** How a file is opened: to read; anew or emptied; only if it is not there yet; to add at its end. */
export type OpenMode = 'r' | 'w' | 'wx' | 'a';

export interface Disk {
  /** A descriptor. A file that is made gets exactly the rights of its owner (0600). */
  open(path: string, mode: OpenMode): number;
  /** Fills `bytes` from position `at`; answers how many there were. */
  read(file: number, bytes: Uint8Array, at: number): number;
  /** Writes `bytes` from index `from` on at the current position; answers how many were taken: a full disk may take fewer without an error. */
  write(file: number, bytes: Uint8Array, from: number): number;
  /** Returns once the content of the file, or the entries of the directory, survive a loss of power. */
  fsync(file: number): void;
  close(file: number): void;
  /** Undefined when there is none. Follows symbolic links. */
  look(path: string): DiskEntry | undefined;
  lookAt(file: number): DiskEntry;
  /** Names in a directory. */
  list(path: string): readonly string[];
  /** Puts `from` in the place of `to`, at once. A directory replaces only an empty one. */
  rename(from: string, to: string): void;
  unlink(path: string): void;
  /** One level, for its owner only (0700). */
  mkdir(path: string): void;
  rmdir(path: string): void;
  /** The path without symbolic links. */
  realpath(path: string): string;
}

/** The machine's own disk. */
export const systemDisk: Disk = {
  open(path, mode) {
    const file = openSync(path, mode, 0o600);
    // A umask may take rights away from the owner too; what is opened so is new, or ours to replace.
    if (mode === 'w' || mode === 'wx') fchmodSync(file, 0o600);
    return file;
  },
  read: (file, bytes, at) => readSync(file, bytes, 0, bytes.length, at),
  write: (file, bytes, from) => writeSync(file, bytes, from),
  fsync: fsyncSync,
  close: closeSync,
  look(path) {
    const found = statSync(path, { bigint: true, throwIfNoEntry: false });
    return found === undefined ? undefined : toEntry(found);
  },
  lookAt: (file) => toEntry(fstatSync(file, { bigint: true })),
  list: (path) => readdirSync(path),
  rename: renameSync,
  unlink: unlinkSync,
  mkdir: (path) => {
    mkdirSync(path, { mode: 0o700 });
    chmodSync(path, 0o700);
  },
  rmdir: (path) => {
    rmdirSync(path);
  },
  realpath: (path) => realpathSync(path),
};

function toEntry(stats: BigIntStats): DiskEntry {
  return {
    isDirectory: stats.isDirectory(),
    size: Number(stats.size),
    changedAtNs: stats.mtimeNs,
    ino: stats.ino,
  };
}

/** The system's short code of a failed file operation, e.g. `ENOSPC`: says why without saying where. */
export function errorCodeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown error';
}

/** The whole content of a file. Throws as `open` and `read` do. */
export function readFile(disk: Disk, path: string): Uint8Array {
  const file = disk.open(path, 'r');
  try {
    return readOpenFile(disk, file);
  } finally {
    disk.close(file);
  }
}

/** The whole content of an open file. */
export function readOpenFile(disk: Disk, file: number): Uint8Array {
  // One byte more than there should be: the end is seen without asking again, and a file that grows is read on.
  let bytes = new Uint8Array(disk.lookAt(file).size + 1);
  let filled = 0;
  for (;;) {
    const taken = disk.read(file, bytes.subarray(filled), filled);
    filled += taken;
    if (taken === 0) return bytes.subarray(0, filled);
    if (filled === bytes.length) {
      const larger = new Uint8Array(bytes.length * 2);
      larger.set(bytes);
      bytes = larger;
    }
  }
}

/** The content of a text file; undefined when there is none, also when what should be its folder is a file. */
export function readTextFile(disk: Disk, path: string): string | undefined {
  try {
    // A byte order mark is the reader's to judge.
    return new TextDecoder('utf-8', { ignoreBOM: true }).decode(readFile(disk, path));
  } catch (error) {
    const code = errorCodeOf(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
}

/** Removes a file that may have gone already. */
export function removeFile(disk: Disk, path: string): void {
  try {
    disk.unlink(path);
  } catch (error) {
    if (errorCodeOf(error) !== 'ENOENT') throw error;
  }
}

/** Removes a file whose staying harms nothing: it was never promised, and the next one to come by tries again. */
export function removeQuietly(disk: Disk, path: string): void {
  try {
    removeFile(disk, path);
  } catch {
    // The failure before this one is the one to tell.
  }
}

/** Names in a folder; none where it cannot be listed. */
export function namesIn(disk: Disk, path: string): readonly string[] {
  try {
    return disk.list(path);
  } catch {
    return [];
  }
}

/** Returns once the entries of a folder survive a loss of power. */
export function syncDirectory(disk: Disk, path: string): void {
  // Windows cannot open a folder; there a rename is as durable as it gets.
  if (process.platform === 'win32') return;
  const directory = disk.open(path, 'r');
  try {
    disk.fsync(directory);
  } finally {
    disk.close(directory);
  }
}
