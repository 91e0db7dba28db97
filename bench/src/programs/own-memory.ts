/** `emit` with the store of tests and browsers without a disk: what is left is the library's own work. */
import {
  createEmitter,
  createOfflineQueue,
  createUlidFactory,
  silentLogger,
  specKittyEvents,
  systemTime,
  wpStatusChanged,
} from '@spec-kitty/events-sdk';
import { createMemoryStore } from '@spec-kitty/events-sdk/storage/memory';

import { run } from './program.ts';

await run({
  open() {
    const store = createMemoryStore();
    const queue = createOfflineQueue({ store, time: systemTime, cap: 100_000_000 });
    const emitter = createEmitter({
      events: specKittyEvents,
      queue: async () => queue,
      facts: async () => ({
        nodeId: 'a1b2c3d4e5f6',
        session: null,
        project: null,
        projectRoot: null,
        gitBranch: null,
        headCommitSha: null,
        repoSlug: null,
      }),
      newUlid: createUlidFactory({ time: systemTime }),
      logger: silentLogger,
    });
    const move = wpStatusChanged({ wpId: 'WP01', previousStatus: 'planned', newStatus: 'doing' });
    return { record: () => emitter.emit(move), close: () => store.close() };
  },
});
