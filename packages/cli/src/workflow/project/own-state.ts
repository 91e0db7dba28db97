/**
 * State of this machine in the project's folder: how far a merge or a run of agents has come. It is ours only while git
 * does not know it; a file that came with a clone, or was committed, is somebody else's word on what to do next.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { WorkflowError } from '../errors.ts';
import { mustRun } from '../git/repository.ts';
import type { Git } from '../ports.ts';

/** Refuses where `path` (relative to `root`) or the copy beside it is there and git tracks it. Asks git only where one is. */
export async function refuseForeignState(git: Git, root: string, path: string): Promise<void> {
  const own = [path, `${path}.bak`];
  if (!own.some((file) => existsSync(join(root, file)))) return;
  // In any spelling: on a disk that takes capitals for small letters, `Merge-State.json` is read under our name.
  const names = own.map((file) => `:(literal,icase)${file}`);
  const tracked = await mustRun(git, root, ['ls-files', '-z', '--', ...names], 'list files');
  if (tracked === '') return;
  const files = tracked.split('\0').filter((file) => file !== '');
  throw new WorkflowError(
    'state-from-elsewhere',
    `${files.join(' and ')} is a file of the repository. What it says is not done: state belongs to the machine that wrote it.`,
    { remedy: `git rm --quiet ${files.join(' ')} && git commit --message "Remove what belongs to one machine"` },
  );
}
