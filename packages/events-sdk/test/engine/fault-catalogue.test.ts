/**
 * The engine, the real HTTP transport and a real server that breaks every third request, in each way the catalogue of
 * faults knows, one after the other.
 */
import { expect, onTestFinished, test } from 'vitest';

import type { Session, SessionProvider, TokenAnswer } from '../../src/auth/port.ts';
import { BATCH_PATH } from '../../src/contract/batch.ts';
import { createSyncEngine } from '../../src/engine/sync-engine.ts';
import { silentLogger } from '../../src/internal/logger.ts';
import { systemTime } from '../../src/internal/time.ts';
import { nodeGzip } from '../../src/node/gzip.ts';
import { createOfflineQueue } from '../../src/queue/offline-queue.ts';
import { createMemoryStore } from '../../src/storage/memory.ts';
import { anEvent, testUlid } from '../../src/testing/an-event.ts';
import { createContractServer, faultCatalogue, type ContractServer } from '../../src/testing/contract-server/index.ts';
import { createRandom } from '../../src/testing/seeded-random.ts';
import { createTestTime } from '../../src/testing/test-time.ts';
import { createHttpTransport } from '../../src/transport/http/index.ts';

const EVENTS = 5_000;
const SEED = Date.now() % 1_000_000;
/** A server that takes little at once is asked more often. */
const MAX_BYTES = 24 * 1024;
/** Endless faults are the client's patience to end: one deadline each is not worth the time here. */
const FAULTS = faultCatalogue.filter(({ on, isEndless }) => on === 'batch' && !isEndless);

/** A server whose every third batch request meets the next fault of the catalogue. */
async function startBreakingServer(): Promise<{
  server: ContractServer;
  struck: () => number;
  requests: () => number;
}> {
  const random = createRandom(SEED);
  let requests = 0;
  let struck = 0;
  const server = await createContractServer({
    maxBytes: MAX_BYTES,
    filter: async (path) => {
      // Prepared one request ahead: what is scripted strikes before this is asked.
      if (path === BATCH_PATH && (requests += 1) % 2 === 0) {
        FAULTS[struck % FAULTS.length]?.arm(server, random);
        struck += 1;
      }
      return false;
    },
  });
  onTestFinished(() => server.close());
  await server.accounts.addUser({ username: 'ada@example.com', password: 'a long password', team: 'acme' });
  await server.listen();
  return {
    server,
    struck: () => struck,
    requests: () => server.requests.filter(({ path }) => path === BATCH_PATH).length,
  };
}

/** A sign-in that gets a new token whenever one is refused. */
async function signIn(server: ContractServer): Promise<SessionProvider> {
  const session: Session = { server: server.url, username: 'ada@example.com', teamSlug: 'acme' };
  let token = (await server.signIn(session.username)).access;
  const answer = (): TokenAnswer => ({ kind: 'token', accessToken: token, session });
  return {
    current: async () => session,
    accessToken: async () => answer(),
    async refresh(rejected) {
      if (rejected === token) token = (await server.signIn(session.username)).access;
      return answer();
    },
  };
}

test(
  'against a server that breaks every third request in every way the catalogue knows, 5,000 events arrive, each once, in order (US2-2, SC-007)',
  { timeout: 180_000 },
  async () => {
    const { server, struck, requests } = await startBreakingServer();
    const [store, time] = [createMemoryStore(), createTestTime()];
    const queue = createOfflineQueue({ store, time });
    const ids = Array.from({ length: EVENTS }, (_, n) => testUlid(n + 1));
    await queue.enqueue(
      ids.map((event_id, n) => anEvent({ event_id, lamport_clock: n + 1 })),
      { state: 'queued', reason: null, server: server.url, projectRoot: null },
    );
    const session = await signIn(server);
    const engine = createSyncEngine({
      store,
      queue,
      transport: createHttpTransport({ time: systemTime, gzip: nodeGzip }),
      session,
      lease: {
        owner: { pid: 1, startedAt: 'a', host: 'here', role: 'test' },
        newToken: () => crypto.randomUUID(),
        isGone: () => false,
      },
      lookUpProject: async () => null,
      logger: silentLogger,
      time,
    });

    let passes = 0;
    let left = EVENTS;
    while (left > 0) {
      passes += 1;
      const report = await engine.syncNow();
      // Whatever the server asked to wait is over before the next try.
      await time.advance(report.retryAfterMs ?? 30_000);
      left = report.remaining;
      expect({ seed: SEED, passes, parked: report.parked }).toMatchObject({ parked: 0 });
      expect(passes).toBeLessThan(1_000);
    }

    process.stdout.write(
      `seed ${SEED}: ${requests()} requests, ${struck()} faults of ${FAULTS.length} kinds, ${passes} passes\n`,
    );
    expect(struck()).toBeGreaterThan(FAULTS.length);
    const stored = server.events().map(({ envelope }) => envelope.event_id);
    expect(stored).toEqual(ids);
    expect(await queue.size()).toMatchObject({ queued: 0, held: 0, parked: 0 });
  },
);
