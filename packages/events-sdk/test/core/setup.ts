import type { Session } from '../../src/auth/port.ts';
import { specKittyEvents } from '../../src/contract/spec-kitty-events.ts';
import { createEmitter, type EmissionFacts } from '../../src/emitter.ts';
import type { Logger } from '../../src/internal/logger.ts';
import type { ProjectFacts } from '../../src/queue/binding.ts';
import { createOfflineQueue, type OverflowPolicy } from '../../src/queue/offline-queue.ts';
import { createMemoryStore } from '../../src/storage/memory.ts';
import type { EventStore } from '../../src/storage/port.ts';
import { testUlid } from '../../src/testing/an-event.ts';
import { TEST_SESSION } from '../../src/testing/fake-session.ts';
import { createTestTime } from '../../src/testing/test-time.ts';

export const PROJECT: ProjectFacts = {
  uuid: '3f1c9a52-7f0e-4c55-9d0b-2a6c1b7e4d10',
  slug: 'demo-repo',
  teamSlug: null,
  syncEnabled: true,
};

export interface EmitterSetup {
  readonly store?: EventStore;
  readonly session?: Session | null;
  readonly project?: ProjectFacts | null;
  readonly cap?: number;
  readonly overflow?: OverflowPolicy;
  readonly openQueue?: () => Promise<never>;
}

/** An emitter over a memory store with everything around it visible. */
export function setupEmitter(options: EmitterSetup = {}) {
  const store = options.store ?? createMemoryStore();
  const time = createTestTime();
  const warnings: { code: string; message: string }[] = [];
  const logger: Logger = { warn: (code, message) => void warnings.push({ code, message }), debug() {} };
  const queue = createOfflineQueue({
    store,
    time,
    ...(options.cap === undefined ? {} : { cap: options.cap }),
    ...(options.overflow === undefined ? {} : { overflow: options.overflow }),
  });
  const facts: EmissionFacts = {
    nodeId: '9417b43226d4',
    session: options.session === undefined ? TEST_SESSION : options.session,
    project: options.project === undefined ? PROJECT : options.project,
    projectRoot: '/srv/demo',
    gitBranch: 'main',
    headCommitSha: 'a'.repeat(40),
    repoSlug: 'acme/demo-repo',
  };
  let ids = 1000;
  const emitter = createEmitter({
    events: specKittyEvents,
    queue: options.openQueue ?? (() => Promise.resolve(queue)),
    facts: () => Promise.resolve(facts),
    newUlid: () => testUlid((ids += 1)),
    logger,
    time,
  });
  return { emitter, queue, store, time, warnings };
}
