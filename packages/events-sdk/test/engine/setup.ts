import type { Session } from '../../src/auth/port.ts';
import type { AnyEnvelope } from '../../src/contract/envelope.ts';
import type { ProjectLookup } from '../../src/engine/binder.ts';
import type { LeaseOwner } from '../../src/engine/lease.ts';
import { createSyncEngine } from '../../src/engine/sync-engine.ts';
import { silentLogger } from '../../src/internal/logger.ts';
import { createOfflineQueue, type Placement } from '../../src/queue/offline-queue.ts';
import { createMemoryStore } from '../../src/storage/memory.ts';
import { anEvent, testUlid } from '../../src/testing/an-event.ts';
import { createFakeSession, TEST_SESSION } from '../../src/testing/fake-session.ts';
import { createFakeTransport } from '../../src/testing/fake-transport.ts';
import { createTestTime } from '../../src/testing/test-time.ts';

export const QUEUED: Placement = { state: 'queued', reason: null, server: TEST_SESSION.server, projectRoot: null };

export const THIS_PROCESS: LeaseOwner = { pid: 1, startedAt: 'a', host: 'here', role: 'test' };

export interface EngineSetup {
  readonly queued?: number;
  readonly session?: Session | null;
  readonly lookUpProject?: ProjectLookup;
  readonly isGone?: (owner: LeaseOwner) => boolean;
}

/** An engine over a memory store, with `queued` events of team acme waiting. */
export async function setupEngine(options: EngineSetup = {}) {
  const store = createMemoryStore();
  const time = createTestTime();
  const transport = createFakeTransport();
  const session = createFakeSession(options.session === undefined ? TEST_SESSION : options.session);
  const queue = createOfflineQueue({ store, time });
  let tokens = 0;
  const lease = {
    owner: THIS_PROCESS,
    newToken: () => `lease-${(tokens += 1)}`,
    isGone: options.isGone ?? (() => false),
  };
  const lookUpProject = options.lookUpProject ?? (() => Promise.resolve(null));
  const engine = createSyncEngine({
    store,
    queue,
    transport,
    session,
    lease,
    lookUpProject,
    logger: silentLogger,
    time,
  });
  const put = async (events: readonly AnyEnvelope[], placement: Partial<Placement> = {}): Promise<void> => {
    await queue.enqueue(events, { ...QUEUED, ...placement });
  };
  const waiting = (): Promise<readonly string[]> => store.read((reader) => reader.events().map((row) => row.eventId));
  if (options.queued !== undefined && options.queued > 0) {
    await put(Array.from({ length: options.queued }, (_, n) => anEvent({ lamport_clock: n + 1 })));
  }
  return { engine, store, queue, time, transport, session, lease, put, waiting, id: testUlid };
}
