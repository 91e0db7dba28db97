import { createBackgroundSync, type BackgroundStatus } from '../../src/engine/background-sync.ts';
import type { SyncReport } from '../../src/engine/report.ts';
import { silentLogger, type Logger } from '../../src/internal/logger.ts';
import { anEvent, testUlid } from '../../src/testing/an-event.ts';
import type { FakeRealtime } from '../../src/testing/fake-realtime.ts';
import { createRandom } from '../../src/testing/seeded-random.ts';
import { setupEngine, THIS_PROCESS, type EngineSetup } from './setup.ts';

export interface BackgroundSetup extends EngineSetup {
  readonly realtime?: FakeRealtime;
  readonly random?: () => number;
  /** How far this machine's wall clock is off; a test may change it while it runs. */
  readonly skew?: { ms: number };
}

/** Background delivery over a memory store and test time, with what it says. Not started. */
export async function setupBackground(options: BackgroundSetup = {}) {
  const made = await setupEngine(options);
  const { store, queue, transport, session, lease, time } = made;
  const reports: SyncReport[] = [];
  const statuses: BackgroundStatus[] = [];
  const warnings: string[] = [];
  const logger: Logger = { warn: (code, message) => void warnings.push(`${code}: ${message}`), debug() {} };
  const background = createBackgroundSync({
    store,
    queue,
    transport,
    session,
    lease,
    lookUpProject: options.lookUpProject ?? (() => Promise.resolve(null)),
    logger,
    time: { now: () => time.now() + (options.skew?.ms ?? 0), after: time.after },
    random: options.random ?? createRandom(1),
    onReport: (report) => void reports.push(report),
    ...(options.realtime === undefined ? {} : { realtime: options.realtime }),
  });
  background.subscribe((status) => void statuses.push(status));
  let emitted = options.queued ?? 0;
  /** Another process records an event: nothing tells this one. */
  const emit = async (count = 1): Promise<readonly string[]> => {
    const events = Array.from({ length: count }, () => {
      emitted += 1;
      return anEvent({ lamport_clock: emitted });
    });
    await made.put(events);
    return events.map((event) => event.event_id);
  };
  return { ...made, background, reports, statuses, warnings, emit, id: testUlid };
}

/** What another process of the same home delivers with. */
export function partsOfAnother(setup: Awaited<ReturnType<typeof setupEngine>>) {
  const { store, queue, transport, session, lease, time } = setup;
  return {
    store,
    queue,
    transport,
    session,
    lease: { ...lease, owner: { ...THIS_PROCESS, pid: 2 } },
    lookUpProject: () => Promise.resolve(null),
    logger: silentLogger,
    time,
  };
}
