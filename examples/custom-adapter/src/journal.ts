/**
 * The file: one line a transaction, each with a checksum in front. Only the last line can be incomplete, because each is
 * on disk before the next begins; it is cut off when it is met. The caller holds the lock.
 */
import {
  closeSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readSync,
  renameSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { crc32 } from 'node:zlib';

import { EventsSdkError } from '@spec-kitty/events-sdk';

import type { Change } from './index-in-memory.ts';

/** An open journal, and how far it has been read. */
export interface Journal {
  /** False when another file has this one's name. Throws STORAGE_REPLACED when none has: what was acknowledged is gone. */
  isCurrent(): boolean;
  /** The transactions that were added since, oldest first. Throws STORAGE_CORRUPT. */
  readOn(): readonly (readonly Change[])[];
  /** On disk when this returns; when it throws, as if it had not been tried. */
  append(changes: readonly Change[]): void;
  /** Puts one line in place of all, as a new file under the same name; this journal is then no longer the current one. */
  rewrite(changes: readonly Change[]): void;
  /** Number of lines read or written. */
  readonly lines: number;
  close(): void;
}

const NEWLINE = 0x0a;

/** Opens the file, or makes it. Throws STORAGE_UNAVAILABLE. */
export function openJournal(path: string): Journal {
  const fd = onDisk('opened', () => openSync(path, 'a+', 0o600));
  syncFolder(path);
  let end = 0;
  let lines = 0;

  return {
    get lines() {
      return lines;
    },
    isCurrent() {
      const named = onDisk('read', () => statSync(path, { throwIfNoEntry: false }));
      if (named === undefined)
        throw new EventsSdkError('STORAGE_REPLACED', 'The journal was removed while it was open. Open it again.');
      // As long as we hold the file open, its number is given to no other.
      return named.ino === fstatSync(fd).ino;
    },
    readOn() {
      const bytes = onDisk('read', () => readFrom(fd, end));
      const complete = bytes.subarray(0, bytes.lastIndexOf(NEWLINE) + 1);
      const found = complete.toString('utf8').split('\n').slice(0, -1).map(readLine);
      const torn = found.indexOf(undefined);
      if (torn !== -1 && torn < found.length - 1)
        throw new EventsSdkError('STORAGE_CORRUPT', `The journal is damaged in line ${lines + torn + 1}.`);
      const whole = torn === -1 ? found : found.slice(0, torn);
      const sound = whole.flatMap((line) => line ?? []);
      end += sound.reduce((sum, line) => sum + line.bytes, 0);
      lines += sound.length;
      // A writer that was killed left it; nobody was told that it is recorded.
      if (fstatSync(fd).size > end) onDisk('mended', () => ftruncateSync(fd, end));
      return sound.map((line) => line.changes);
    },
    append(changes) {
      const bytes = toLine(changes);
      try {
        writeAll(fd, bytes);
        fsyncSync(fd);
      } catch (cause) {
        try {
          ftruncateSync(fd, end);
        } catch {
          // The next to read meets a line that is cut short, or a whole one that was not acknowledged.
        }
        throw unavailable('written', cause);
      }
      end += bytes.length;
      lines += 1;
    },
    rewrite(changes) {
      onDisk('written anew', () => {
        const draft = `${path}.new`;
        const file = openSync(draft, 'w', 0o600);
        try {
          writeAll(file, toLine(changes));
          fsyncSync(file);
        } finally {
          closeSync(file);
        }
        renameSync(draft, path);
      });
      syncFolder(path);
    },
    close() {
      closeSync(fd);
    },
  };
}

function toLine(changes: readonly Change[]): Buffer {
  const text = JSON.stringify(changes);
  return Buffer.from(`${checksum(text)} ${text}\n`);
}

/** Undefined for a line that is not as it was written. */
function readLine(line: string): { readonly changes: readonly Change[]; readonly bytes: number } | undefined {
  const text = line.slice(9);
  if (line.slice(0, 9) !== `${checksum(text)} `) return undefined;
  // The checksum says that we wrote it.
  return { changes: JSON.parse(text) as readonly Change[], bytes: Buffer.byteLength(line) + 1 };
}

function checksum(text: string): string {
  return crc32(text).toString(16).padStart(8, '0');
}

function readFrom(fd: number, start: number): Buffer {
  const bytes = Buffer.alloc(Math.max(0, fstatSync(fd).size - start));
  let filled = 0;
  while (filled < bytes.length) {
    const count = readSync(fd, bytes, filled, bytes.length - filled, start + filled);
    if (count === 0) break;
    filled += count;
  }
  return bytes.subarray(0, filled);
}

function writeAll(fd: number, bytes: Buffer): void {
  for (let written = 0; written < bytes.length;) written += writeSync(fd, bytes, written);
}

/** A file has its name for good only once its folder is on disk. Windows knows no such thing. */
function syncFolder(path: string): void {
  if (process.platform === 'win32') return;
  onDisk('made', () => {
    const folder = openSync(dirname(path), 'r');
    try {
      fsyncSync(folder);
    } finally {
      closeSync(folder);
    }
  });
}

function onDisk<T>(what: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw unavailable(what, cause);
  }
}

/** The port promises errors of ours, with a code a caller can act on. */
function unavailable(what: string, cause: unknown): EventsSdkError {
  const code = cause instanceof Error && 'code' in cause ? ` (${String(cause.code)})` : '';
  return new EventsSdkError('STORAGE_UNAVAILABLE', `The journal cannot be ${what}${code}.`, { cause });
}
