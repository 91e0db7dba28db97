import { expect, test } from 'vitest';

import { createBinder } from '../../src/engine/binder.ts';
import type { EventStore } from '../../src/storage/port.ts';
import { TEST_SESSION } from '../../src/testing/fake-session.ts';
import { setupEngine } from './setup.ts';

test('a batch asks once for the team of a project, however many of its events it holds', async () => {
  const { store, queue } = await setupEngine({ queued: 300 });
  const batch = await queue.nextBatch({
    teamSlug: TEST_SESSION.teamSlug ?? '',
    server: TEST_SESSION.server,
    limit: 1000,
    maxBytes: 1_000_000,
  });
  const asked: string[] = [];
  const watched: EventStore = {
    ...store,
    read: (work) => store.read((reader) => work({ ...reader, value: (key) => (asked.push(key), reader.value(key)) })),
  };
  const binder = createBinder({ store: watched, session: TEST_SESSION, lookUpProject: () => Promise.resolve(null) });

  expect(await binder.bindBatch(batch)).toBe(false);

  expect(batch).toHaveLength(300);
  expect(asked).toHaveLength(1);
});
