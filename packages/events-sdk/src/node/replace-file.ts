/**
 * Replaces a file whole or not at all: the new content is written beside it and put in its place by one rename.
 * Durable when asked for: content before the rename, the folder's entry after it, so that a loss of power leaves the
 * old file or the new one, and the new one once the call has returned.
 *
 * A call that throws has not promised the new content, yet it may be there: a rename may have happened that was
 * reported as failed, or only the last sync of the folder failed. It is then the whole new file or the whole old one.
 */
import { basename, dirname, join } from 'node:path';

import { EventsSdkError } from '../errors.ts';
import { systemTime, type Time } from '../internal/time.ts';
import { errorCodeOf, namesIn, removeFile, removeQuietly, syncDirectory, systemDisk, type Disk } from './disk.ts';
import { makeDirectory, syncAbove } from './make-directory.ts';
import { isGone, nameToOwner, ownerToName, systemProcesses } from './process-owner.ts';
import type { ProcessOwner, Processes } from './process-owner.ts';

const TEMP_SUFFIX = '.tmp';

/** How to replace. */
export interface ReplaceOptions {
  /** Where the content stands until it is complete: see {@link temporaryOf}. It must not be there yet. */
  readonly temporary: string;
  /** Waits until the content survives a loss of power. */
  readonly isDurable: boolean;
  /** A last look right before the old file goes, with the new one complete in `temporary`: throwing keeps the old one. */
  readonly check?: () => void;
}

/** Replaces `path` by `bytes`, making its folder (0700) where it is missing. Throws as the disk does; the temporary file is then gone. */
export function replaceFile(disk: Disk, path: string, bytes: Uint8Array, options: ReplaceOptions): void {
  const { temporary, isDurable } = options;
  const folder = dirname(path);
  makeDirectory(disk, folder);
  // The first file of a folder that may be as new as the file itself.
  if (isDurable && disk.look(path) === undefined) syncAbove(disk, folder);
  try {
    // Not there yet, so that it has our rights and nobody else writes to it.
    const file = disk.open(temporary, 'wx');
    try {
      writeFully(disk, file, bytes);
      if (isDurable) disk.fsync(file);
      options.check?.();
    } finally {
      disk.close(file);
    }
    disk.rename(temporary, path);
  } catch (error) {
    removeQuietly(disk, temporary);
    throw error;
  }
  if (isDurable) syncDirectory(disk, folder);
}

/** The name under which `owner`, and nobody else, prepares a new content of `path`. */
export function temporaryOf(path: string, owner: ProcessOwner): string {
  return `${path}.${ownerToName(owner)}${TEMP_SUFFIX}`;
}

/** Removes what others left half written beside `path`, where `isLeft` says so of its owner. What cannot be removed stays for the next time. */
export function sweepTemporaries(disk: Disk, path: string, isLeft: (owner: ProcessOwner) => boolean): void {
  const [folder, prefix] = [dirname(path), `${basename(path)}.`];
  // A folder that cannot be listed is no reason to fail what the caller came for.
  for (const name of namesIn(disk, folder)) {
    if (!name.startsWith(prefix) || !name.endsWith(TEMP_SUFFIX)) continue;
    const owner = nameToOwner(name.slice(prefix.length, -TEMP_SUFFIX.length));
    if (owner !== undefined && isLeft(owner)) removeQuietly(disk, join(folder, name));
  }
}

/** The machine a file protocol works on. Default of each: the machine's own. */
export interface MachinePorts {
  readonly disk?: Disk;
  readonly time?: Time;
  readonly processes?: Processes;
}

/** How a file of the home is changed. */
export interface HomeFileOptions extends MachinePorts {
  /** The file's name in messages. */
  readonly shownAs: string;
  /** Waits until the change survives a loss of power. */
  readonly isDurable: boolean;
  /** Every writer of this file holds one lock, and so does the caller: what stands half written is nobody's. Default false. */
  readonly isAlone?: boolean;
}

/**
 * Writes a file of the home whole or not at all, following a symbolic link to its target, and removes what killed
 * writers left beside it.
 *
 * @throws FILE_UNUSABLE: then the old file stands, or already the new one (see above).
 */
export function writeHomeFile(path: string, text: string, options: HomeFileOptions): void {
  const { disk = systemDisk } = options;
  told(options, () => {
    const target = targetOf(disk, path);
    const owner = sweepHomeFile(disk, target, options);
    replaceFile(disk, target, new TextEncoder().encode(text), {
      temporary: temporaryOf(target, owner),
      isDurable: options.isDurable,
    });
  });
}

/**
 * Removes a file of the home, and the target where it is a symbolic link; one that is not there is fine.
 *
 * @throws FILE_UNUSABLE: then it may still be there, or come back after a loss of power.
 */
export function removeHomeFile(path: string, options: HomeFileOptions): void {
  const { disk = systemDisk } = options;
  told(options, () => {
    const target = targetOf(disk, path);
    sweepHomeFile(disk, target, options);
    removeFile(disk, target);
    if (options.isDurable) syncDirectory(disk, dirname(target));
    if (target !== path) removeFile(disk, path);
  });
}

/** Sweeps, and answers who this process is. */
function sweepHomeFile(disk: Disk, target: string, options: HomeFileOptions): ProcessOwner {
  const { isAlone = false, time = systemTime, processes = systemProcesses } = options;
  const now = time.now();
  sweepTemporaries(disk, target, (owner) => isAlone || isGone(processes, owner, now));
  return processes.current(now);
}

function told(options: HomeFileOptions, change: () => void): void {
  try {
    change();
  } catch (cause) {
    throw new EventsSdkError(
      'FILE_UNUSABLE',
      `Cannot write ${options.shownAs} (${errorCodeOf(cause)}). Check its permissions and free space.`,
      { cause },
    );
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

function targetOf(disk: Disk, path: string): string {
  try {
    return disk.realpath(path);
  } catch {
    return path;
  }
}
