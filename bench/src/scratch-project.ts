/** A folder that is a project with an identity, for measurements of the library itself; homes lie below it. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface ScratchProject {
  readonly root: string;
  /** Removes everything. Patient: a process that has just ended may still be letting go of a file. */
  remove(): void;
}

export function makeScratchProject(): ScratchProject {
  const root = mkdtempSync(join(tmpdir(), 'spec-kitty-bench-'));
  mkdirSync(join(root, '.kittify'));
  writeFileSync(
    join(root, '.kittify', 'config.yaml'),
    'project:\n  uuid: 3f1c9a52-7f0e-4c55-9d0b-2a6c1b7e4d10\n  slug: bench\n',
  );
  return {
    root,
    remove() {
      rmSync(root, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
    },
  };
}
