/** One writer per feature at a time, across processes and worktrees: the lock lies below git's common directory. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { isEventsSdkError } from '@spec-kitty/events-sdk';

import { WorkflowError } from '../errors.ts';
import type { Lock } from '../ports.ts';
import type { Repository } from './project-root.ts';

/**
 * Runs `work` while this process alone may change the named feature (or `init`, or the list of features). Not
 * reentrant. Rejects with `feature-busy` when another process keeps it longer than the lock waits, and as the lock
 * does when none can be made there.
 */
export async function withFeatureLock<T>(
  lock: Lock,
  repository: Repository,
  name: string,
  work: () => Promise<T>,
): Promise<T> {
  const dir = join(repository.gitCommonDir, 'spec-kitty');
  mkdirSync(dir, { recursive: true });
  let hasBegun = false;
  try {
    return await lock.hold(join(dir, `${name}.lock`), () => {
      hasBegun = true;
      return work();
    });
  } catch (cause) {
    if (hasBegun || !isEventsSdkError(cause, 'STORAGE_BUSY')) throw cause;
    throw new WorkflowError('feature-busy', `Another spec-kitty command is at work on ${name}; nothing was changed.`, {
      kind: 'runtime',
      remedy: 'Run the command again in a moment.',
      cause,
    });
  }
}
