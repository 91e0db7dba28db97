/**
 * Replaces a file whole or not at all: the new content is written beside it and put in its place by one rename.
 * Durable when asked for: content before the rename, the folder's entry after it, so that a loss of power leaves the
 * old file or the new one, and the new one once the call has returned.
 */
import { dirname } from 'node:path';

import { EventsSdkError } from '../errors.ts';
import { errorCodeOf, removeFile, type Disk } from './disk.ts';
import { makeDirectory } from './make-directory.ts';

/** How to replace. */
export interface ReplaceOptions {
  /** Where the content stands until it is complete: in the same folder, and nobody else's. */
  readonly temporary: string;
  /** Waits until the content survives a loss of power. */
  readonly isDurable: boolean;
  /** A last look right before the old file goes, with the new one complete in `temporary`: throwing keeps the old one. */
  readonly check?: () => void;
}

/** Replaces `path` by `bytes`, making its folder (0700) where it is missing. Throws as the disk does, the old file untouched and the temporary one gone. */
export function replaceFile(disk: Disk, path: string, bytes: Uint8Array, options: ReplaceOptions): void {
  const { temporary } = options;
  makeDirectory(disk, dirname(path));
  try {
    const file = disk.open(temporary, 'w');
    try {
      writeFully(disk, file, bytes);
      if (options.isDurable) disk.fsync(file);
      options.check?.();
    } finally {
      disk.close(file);
    }
    disk.rename(temporary, path);
  } catch (error) {
    removeQuietly(disk, temporary);
    throw error;
  }
  if (options.isDurable) syncDirectory(disk, dirname(path));
}

/**
 * Writes a file of the home whole or not at all, following a symbolic link to its target. `shownAs` names it in
 * messages.
 *
 * @throws FILE_UNUSABLE, with the old file untouched.
 */
export function writeHomeFile(
  disk: Disk,
  path: string,
  text: string,
  options: { readonly isDurable: boolean; readonly shownAs: string },
): void {
  try {
    const target = targetOf(disk, path);
    replaceFile(disk, target, new TextEncoder().encode(text), {
      // The name is fixed for a process, so that what a killed one left is bounded and reused.
      temporary: `${target}.${process.pid}.tmp`,
      isDurable: options.isDurable,
    });
  } catch (cause) {
    throw new EventsSdkError(
      'FILE_UNUSABLE',
      `Cannot write ${options.shownAs} (${errorCodeOf(cause)}). Check its permissions and free space.`,
      { cause },
    );
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

function writeFully(disk: Disk, file: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length;) {
    // A full disk may take a part and report no error.
    const taken = disk.write(file, bytes, done);
    if (taken === 0) throw Object.assign(new Error('The disk took no bytes.'), { code: 'ENOSPC' });
    done += taken;
  }
}

function removeQuietly(disk: Disk, path: string): void {
  try {
    removeFile(disk, path);
  } catch {
    // The first failure is the one to tell; what stays behind is swept by the next writer.
  }
}

function targetOf(disk: Disk, path: string): string {
  try {
    return disk.realpath(path);
  } catch {
    return path;
  }
}
