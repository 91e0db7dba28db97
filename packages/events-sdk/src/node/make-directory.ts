/**
 * Makes a directory and what is missing above it, and always ends. Node's own `mkdir -p` runs for ever on a file
 * system that answers ENOENT although the parent is there (`/proc`), and no signal but SIGKILL stops it.
 */
import { dirname } from 'node:path';

import { errorCodeOf, type Disk } from './disk.ts';

/** Only the owner may look into what is made. A directory that is there already stays as it is. Throws as the disk does. */
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
    return true;
  } catch (error) {
    const code = errorCodeOf(error);
    if (code === 'EEXIST') return true;
    if (code === 'ENOENT' && mayLackParent) return false;
    throw error;
  }
}
