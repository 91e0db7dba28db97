/**
 * The steps of the directory lock, each over in one call. Every one is an atomic rename: the directory is prepared with
 * its owner file under another name and then renamed into place, so no moment exists in which it stands without an
 * owner. A dead owner's file is renamed to the new owner's: its name is unique, so of many who try exactly one
 * succeeds, and none can break a lock that lives.
 *
 * Nothing is synced: after a loss of power nobody holds a lock. What it leaves is an owner that is dead, or an empty
 * directory, which cannot be told from SQLite's own lock and is given a minute.
 */
import { basename, dirname, join } from 'node:path';
import { errorCodeOf, removeFile, type Disk } from './disk.ts';
import { makeDirectory } from './make-directory.ts';
import { isGone, nameToOwner, UNKNOWN_OWNER_EXPIRY_MS, type ProcessOwner, type Processes } from './process-owner.ts';

/** The lock, and what is needed to judge it. */
export interface LockPlace {
  readonly path: string;
  readonly disk: Disk;
  readonly processes: Processes;
}

/**
 * Names this process is done with although they may still stand in a lock, because a call failed. It lives on, so
 * nobody else would ever take such a lock from it: its own next try does.
 */
const doneWith = new Set<string>();

/** Who wants the lock, and when. */
export interface Claim {
  readonly name: string;
  readonly nowMs: number;
}

/** One try to take the lock, without waiting. Throws as the disk does; the lock is then not ours, or is given back by the next try. */
export function take(place: LockPlace, claim: Claim): boolean {
  try {
    return takeWhatIsFree(place, claim);
  } catch (error) {
    doneWith.add(claim.name);
    throw error;
  }
}

function takeWhatIsFree(place: LockPlace, claim: Claim): boolean {
  const { disk, path } = place;
  const entries = list(disk, path);
  if (entries === undefined) return create(place, claim);
  const holder = holderAmong(entries);
  if (holder !== undefined) {
    const isFree = doneWith.has(holder.name) || isGone(place.processes, holder.owner, claim.nowMs);
    return isFree && takeOver(place, holder.name, claim.name);
  }
  // An empty directory is SQLite's own dot-file lock, or what a loss of power left of ours.
  if (entries.length > 0 || ageMs(disk, path, claim.nowMs) <= UNKNOWN_OWNER_EXPIRY_MS) return false;
  return removeEmpty(disk, path) && create(place, claim);
}

function create(place: LockPlace, { name, nowMs }: Claim): boolean {
  const { disk, path } = place;
  const prepared = `${path}.${name}`;
  try {
    prepare(disk, prepared, name);
    // A directory is never renamed onto one with an owner inside: the second of two comes too late.
    disk.rename(prepared, path);
  } catch (error) {
    removeHold(disk, prepared);
    const entries = list(disk, path);
    // A rename may be reported as failed and have happened.
    if (entries?.includes(name) !== true) {
      // The other may have let go again by the time we look.
      if (entries !== undefined || ['ENOTEMPTY', 'EEXIST'].includes(errorCodeOf(error))) return false;
      throw error;
    }
  }
  sweep(place, nowMs);
  return true;
}

function prepare(disk: Disk, prepared: string, name: string): void {
  try {
    disk.mkdir(prepared);
  } catch (error) {
    if (errorCodeOf(error) !== 'ENOENT') throw error;
    makeDirectory(disk, dirname(prepared));
    disk.mkdir(prepared);
  }
  disk.close(disk.open(join(prepared, name), 'wx'));
}

function takeOver({ disk, path }: LockPlace, oldName: string, name: string): boolean {
  try {
    disk.rename(join(path, oldName), join(path, name));
  } catch (error) {
    if (list(disk, path)?.includes(name) !== true) {
      // Another waiter was faster, or the owner let go after all.
      if (errorCodeOf(error) === 'ENOENT') return false;
      throw error;
    }
  }
  doneWith.delete(oldName);
  return true;
}

/** Lets go. Never throws: a lock that cannot be given back is taken over by this process's next try, or when it has ended. */
export function release({ disk, path }: LockPlace, name: string): void {
  const leaving = `${path}.${name}`;
  try {
    // Only a machine we cannot see may have judged us dead; then the lock is not ours to remove.
    if (list(disk, path)?.includes(name) !== true) return;
    disk.rename(path, leaving);
  } catch {
    doneWith.add(name);
  }
  // What stays behind names this process and is swept once it has ended.
  removeHold(disk, leaving);
}

/** Removes what killed processes left while taking or letting go. Nobody but its maker ever moves such a directory. */
function sweep({ disk, path, processes }: LockPlace, nowMs: number): void {
  const [folder, prefix] = [dirname(path), `${basename(path)}.`];
  try {
    for (const entry of disk.list(folder)) {
      const owner = entry.startsWith(prefix) ? nameToOwner(entry.slice(prefix.length)) : undefined;
      if (owner !== undefined && isGone(processes, owner, nowMs)) removeHold(disk, join(folder, entry));
    }
  } catch {
    // The lock is ours already; what was left can wait for the next sweep.
  }
}

/** Removes a prepared or abandoned lock directory; only names of ours inside it are touched. What fails stays for the next sweep. */
function removeHold(disk: Disk, directory: string): void {
  try {
    for (const name of list(disk, directory) ?? []) {
      if (nameToOwner(name) !== undefined) removeFile(disk, join(directory, name));
    }
    disk.rmdir(directory);
  } catch {
    // Another process may be removing it as well.
  }
}

/** Who holds the lock now; undefined: nobody, or somebody without a name. Throws as the disk does. */
export function holderOf({ disk, path }: LockPlace): ProcessOwner | undefined {
  return holderAmong(list(disk, path) ?? [])?.owner;
}

/** Who holds the lock, under the very name that stands there. */
function holderAmong(entries: readonly string[]): { readonly name: string; readonly owner: ProcessOwner } | undefined {
  for (const name of entries) {
    const owner = nameToOwner(name);
    if (owner !== undefined) return { name, owner };
  }
  return undefined;
}

/** Also of one from the future: the clock was set back since. */
function ageMs(disk: Disk, path: string, nowMs: number): number {
  const changedAtNs = disk.look(path)?.changedAtNs;
  return changedAtNs === undefined ? 0 : Math.abs(nowMs - Number(changedAtNs / 1_000_000n));
}

function list(disk: Disk, path: string): readonly string[] | undefined {
  try {
    return disk.list(path);
  } catch (error) {
    if (errorCodeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function removeEmpty(disk: Disk, path: string): boolean {
  try {
    disk.rmdir(path);
    return true;
  } catch {
    return false;
  }
}
