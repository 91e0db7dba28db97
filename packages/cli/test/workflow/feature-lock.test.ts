/** What a lock that cannot be made is called: not somebody else's work. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { withDirectoryLock } from '@spec-kitty/events-sdk/node';
import { expect, test } from 'vitest';

import { finalizeTasks } from '../../src/workflow/services/finalize-tasks.ts';
import { createProject } from './support/workspace.ts';

const lock = {
  hold: <T>(path: string, work: () => Promise<T>): Promise<T> => withDirectoryLock(path, { waitMs: 0 }, work),
};

test('a lock that cannot be made is told as such, not as another command at work', async () => {
  const repo = await createProject(['A']);
  const folder = join(repo.root, '.git', 'spec-kitty');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, '001-demo.lock'), 'in the way');

  await expect(finalizeTasks({ ...repo.deps, lock }, { cwd: repo.root })).rejects.toMatchObject({
    code: 'STORAGE_UNAVAILABLE',
    message: expect.stringContaining('Cannot make the lock 001-demo.lock') as string,
  });
});

test('events that were not recorded are counted as such (FR-029)', async () => {
  const repo = await createProject(['A', 'B:1']);

  const result = await finalizeTasks(
    { ...repo.deps, events: { emit: async (drafts) => drafts.map(() => 'untold') } },
    { cwd: repo.root },
  );

  expect(result).toMatchObject({ events_emitted: 0, events_dropped: 3, causation_id: null });
});
