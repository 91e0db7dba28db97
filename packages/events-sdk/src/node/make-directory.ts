/**
 * Makes a directory and what is missing above it, and always ends. Node's own `mkdir -p` runs for ever on a file
 * system that answers ENOENT although the parent is there (`/proc`), and no signal but SIGKILL stops it.
 */
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';

/** Only the owner may look into what is made. A directory that is there already stays as it is. Throws as node:fs does. */
export function makeDirectory(path: string): void {
  const parent = dirname(path);
  if (makeOne(path, parent !== path)) return;
  makeDirectory(parent);
  makeOne(path, false);
}

/** False when the parent is missing and that may be. Another process may make the same directory at any moment. */
function makeOne(path: string, mayLackParent: boolean): boolean {
  try {
    mkdirSync(path, { mode: 0o700 });
    return true;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EEXIST') return true;
    if (code === 'ENOENT' && mayLackParent) return false;
    throw error;
  }
}
