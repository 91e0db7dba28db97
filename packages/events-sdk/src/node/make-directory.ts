/**
 * Makes a directory and what is missing above it, and always ends. Node's own `mkdir -p` runs for ever on a file
 * system that answers ENOENT although the parent is there (`/proc`), and no signal but SIGKILL stops it.
 */
import { dirname } from 'node:path';

import { errorCodeOf, syncDirectory, type Disk } from './disk.ts';

/**
 * Only the owner may look into what is made, and it survives a loss of power: what is stored in it later would
 * otherwise be gone with it. A directory that is there already stays as it is. Throws as the disk does.
 */
export function makeDirectory(disk: Disk, path: string): void {
  const parent = dirname(path);
  if (makeOne(disk, path, parent !== path)) return;
  makeDirectory(disk, parent);
  makeOne(disk, path, false);
}

/** False when the parent is missing and that may be. Another process may make the same directory at any moment. */
function makeOne(disk: Disk, path: string, mayLackParent: boolean): boolean {
  try {
    disk.mkdir(path);
  } catch (error) {
    const code = errorCodeOf(error);
    if (code === 'EEXIST') return true;
    if (code === 'ENOENT' && mayLackParent) return false;
    throw error;
  }
  syncParent(disk, path);
  return true;
}

/**
 * Makes the entries that lead to `path` durable, up to the root: whoever made the folders may have been killed before
 * doing so. Throws as the disk does.
 */
export function syncAbove(disk: Disk, path: string): void {
  const parent = dirname(path);
  if (parent === path) return;
  syncParent(disk, path);
  syncAbove(disk, parent);
}

/** A folder that is not ours to open, or cannot be synced where it is, is its owner's to keep. */
function syncParent(disk: Disk, path: string): void {
  try {
    syncDirectory(disk, dirname(path));
  } catch (error) {
    if (!['EACCES', 'EPERM', 'EINVAL', 'ENOTSUP'].includes(errorCodeOf(error))) throw error;
  }
}
