/**
 * Makes a directory and what is missing above it, and always ends. Node's own `mkdir -p` runs for ever on a file
 * system that answers ENOENT although the parent is there (`/proc`), and no signal but SIGKILL stops it.
 */
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';

/** Only the owner may look into what is made. A directory that is there already stays as it is. Throws as node:fs does. */
export function makeDirectory(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EEXIST') return;
    const parent = dirname(path);
    if (code !== 'ENOENT' || parent === path) throw error;
    makeDirectory(parent);
    mkdirSync(path, { mode: 0o700 });
  }
}
