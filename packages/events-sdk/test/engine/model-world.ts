/**
 * A home, its processes and two servers, for the model test: everything that happens to them is a step of a list. The
 * servers keep what they took and note every breach of what is promised; a process that crashes leaves its last
 * request half done.
 */
import type { Session } from '../../src/auth/port.ts';
import type { EventVerdict, Verdict } from '../../src/contract/batch.ts';
import { createBackgroundSync, type BackgroundSync } from '../../src/engine/background-sync.ts';
import { createSyncEngine } from '../../src/engine/sync-engine.ts';
import { silentLogger } from '../../src/internal/logger.ts';
import type { Time } from '../../src/internal/time.ts';
import { createOfflineQueue } from '../../src/queue/offline-queue.ts';
import { createMemoryStore } from '../../src/storage/memory.ts';
import type { EventStore } from '../../src/storage/port.ts';
import { anEvent, testUlid } from '../../src/testing/an-event.ts';
import { createFakeSession } from '../../src/testing/fake-session.ts';
import { createTestTime } from '../../src/testing/test-time.ts';
import type { BatchItem, PushAnswer, PushContext, Transport } from '../../src/transport/port.ts';
import { createRandom } from '../../src/testing/seeded-random.ts';

const at = (server: string, username: string, teamSlug: string): Session => ({ server, username, teamSlug });

export const ACCOUNTS: readonly Session[] = [
  at('https://one.example', 'ada', 'acme'),
  at('https://one.example', 'bob', 'tigers'),
  at('https://two.example', 'ada', 'acme'),
];

/** What a server does with a request. */
export type ServerAct =
  | { readonly kind: 'whole'; readonly answer: PushAnswer }
  /** Verdicts in a pattern; null: silence about that event. */
  | { readonly kind: 'mixed'; readonly pattern: readonly (Verdict | null)[] }
  /** Refuses every event below its clock, and may say where that stands. */
  | { readonly kind: 'clock'; readonly ahead: number; readonly isSaid: boolean }
  /** Takes everything, but the answer is lost. */
  | { readonly kind: 'lost' };

export type ModelStep =
  | { readonly kind: 'emit'; readonly aggregate: number; readonly count: number }
  | { readonly kind: 'serve'; readonly acts: readonly ServerAct[] }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'sync'; readonly waitMs: number }
  | { readonly kind: 'start' | 'crash' | 'stop' }
  /** Null: signed out. */
  | { readonly kind: 'switch'; readonly account: number | null }
  | { readonly kind: 'set-clock'; readonly byMs: number };

interface Emitted {
  readonly id: string;
  /** Events of one aggregate of one team on one server. */
  readonly line: string;
}

interface Envelope {
  readonly team_slug: string;
  readonly lamport_clock: number;
}

/** `broken` puts a mistake between the engine and the servers, to see that it is found out. */
export function createModelWorld(
  seed: number,
  broken: (transport: Transport, store: EventStore) => Transport = (transport) => transport,
) {
  const base = createTestTime();
  let skewMs = 0;
  const time: Time = { now: () => base.now() + skewMs, after: base.after };
  const disk = createMemoryStore();
  const session = createFakeSession(ACCOUNTS[0] ?? null);
  const random = createRandom(seed);
  const emitted: Emitted[] = [];
  const breaches: string[] = [];
  /** Taken by a server, in order. */
  const taken = new Set<string>();
  /** A server has said something of this very event, or refused it alone: later ones may pass it. */
  const spokenOf = new Set<string>();
  /** Removal is right: the server said that it has the event. */
  const released = new Set<string>();
  /** Where each bound row is to go, as of the request under way. There is no order between two destinations. */
  let destinations = new Map<string, string>();
  const acts: ServerAct[] = [];
  const tokens = new Map<string, Session>();
  const gone = new Set<number>();
  let pids = 0;
  let ids = 0;
  let requests = 0;
  let process: { readonly background: BackgroundSync; readonly pid: number; readonly die: () => void } | undefined;

  const watched: typeof session = {
    ...session,
    get refreshes() {
      return session.refreshes;
    },
    accessToken: async (signal) => note(await session.accessToken(signal)),
    refresh: async (rejected, signal) => note(await session.refresh(rejected, signal)),
  };
  function note<T extends Awaited<ReturnType<typeof session.accessToken>>>(answer: T): T {
    if (answer.kind === 'token') tokens.set(answer.accessToken, answer.session);
    return answer;
  }

  function take(batch: readonly BatchItem[], which: readonly string[]): void {
    const inBatch = batch.map(({ eventId }) => eventId);
    for (const id of which) {
      if (taken.has(id)) continue;
      const index = emitted.findIndex((event) => event.id === id);
      const line = emitted[index]?.line;
      const overtaken = emitted
        .slice(0, Math.max(0, index))
        .find(
          (event) =>
            event.line === line &&
            !taken.has(event.id) &&
            !spokenOf.has(event.id) &&
            !inBatch.includes(event.id) &&
            !isElsewhere(event.id, id),
        );
      if (overtaken !== undefined) breaches.push(`${id} overtook ${overtaken.id}`);
      taken.add(id);
    }
  }

  /** What was recorded without a sign-in may have been bound to one account, and what came later to the next one. */
  function isElsewhere(first: string, second: string): boolean {
    const destination = destinations.get(first);
    return destination !== undefined && destination !== destinations.get(second);
  }

  async function readDestinations(): Promise<Map<string, string>> {
    const rows = await disk.read((reader) => reader.events());
    return new Map(
      rows.filter(({ teamSlug }) => teamSlug !== null).map((row) => [row.eventId, `${row.server} ${row.teamSlug}`]),
    );
  }

  function checkRouting(batch: readonly BatchItem[], { server, accessToken }: PushContext): void {
    const speaksFor = tokens.get(accessToken);
    if (speaksFor?.server !== server) breaches.push(`a token of ${speaksFor?.server ?? 'nobody'} went to ${server}`);
    for (const { eventId, data } of batch) {
      // Stamped by this test.
      const team = (JSON.parse(data) as Envelope).team_slug;
      const line = emitted.find(({ id }) => id === eventId)?.line ?? '';
      if (team !== speaksFor?.teamSlug)
        breaches.push(`${eventId} of ${team} left for ${speaksFor?.teamSlug ?? 'no team'}`);
      if (line.startsWith('bound') && !line.startsWith(`bound ${server} ${team} `))
        breaches.push(`${eventId} of "${line}" went to ${server}`);
    }
    const clocks = batch.map(({ data }) => (JSON.parse(data) as Envelope).lamport_clock);
    if (clocks.some((clock, index) => clock < (clocks[index - 1] ?? 0))) breaches.push('a batch is not in clock order');
  }

  function answer(batch: readonly BatchItem[], verdicts: readonly EventVerdict[]): PushAnswer {
    const has = verdicts.filter(({ verdict }) => verdict === 'success' || verdict === 'duplicate');
    take(
      batch,
      has.map(({ eventId }) => eventId),
    );
    for (const { eventId } of has) released.add(eventId);
    for (const { eventId } of verdicts) spokenOf.add(eventId);
    return { kind: 'ok', verdicts };
  }

  function serve(batch: readonly BatchItem[]): PushAnswer {
    const act = acts.shift();
    const all = (verdict: Verdict): readonly EventVerdict[] => batch.map(({ eventId }) => ({ eventId, verdict }));
    switch (act?.kind) {
      case undefined:
        return answer(
          batch,
          batch.map(({ eventId }) => ({ eventId, verdict: taken.has(eventId) ? 'duplicate' : 'success' })),
        );
      case 'whole':
        if (act.answer.kind === 'failure' && batch.length === 1) for (const { eventId } of batch) spokenOf.add(eventId);
        return act.answer;
      case 'lost':
        take(
          batch,
          batch.map(({ eventId }) => eventId),
        );
        return { kind: 'retryable', reason: 'timeout', message: 'lost' };
      case 'mixed':
        return answer(
          batch,
          batch.flatMap(({ eventId }, index): readonly EventVerdict[] => {
            const verdict = act.pattern[index % act.pattern.length] ?? null;
            return verdict === null ? [] : [{ eventId, verdict }];
          }),
        );
      case 'clock': {
        const own = Math.max(0, ...batch.map(({ data }) => (JSON.parse(data) as Envelope).lamport_clock));
        return answer(
          batch,
          all('rejected').map((verdict) => ({
            ...verdict,
            reason: 'lamport_clock: behind',
            ...(act.isSaid ? { serverClock: own + act.ahead } : {}),
          })),
        );
      }
      default:
        return act satisfies never;
    }
  }

  const transport: Transport = {
    async push(batch, context) {
      requests += 1;
      destinations = await readDestinations();
      checkRouting(batch, context);
      return serve(batch);
    },
    serverClock: () => Promise.resolve(500),
  };

  /** The parts of one process. Once it has died, nothing it began ever ends. */
  function newProcess() {
    const pid = (pids += 1);
    let isDead = false;
    const orNever = <T>(work: Promise<T>): Promise<T> =>
      work.then((value) => (isDead ? new Promise<T>(() => {}) : value));
    const store: EventStore = {
      transact: (work) => (isDead ? new Promise(() => {}) : orNever(disk.transact(work))),
      read: (work) => (isDead ? new Promise(() => {}) : orNever(disk.read(work))),
      close: () => Promise.resolve(),
    };
    let leases = 0;
    return {
      pid,
      parts: {
        store,
        queue: createOfflineQueue({ store, time }),
        transport: {
          ...transport,
          push: (...args: Parameters<Transport['push']>) => orNever(broken(transport, store).push(...args)),
        },
        session: watched,
        lease: {
          owner: { pid, startedAt: 'a', host: 'here', role: 'test' },
          newToken: () => `lease-${pid}-${(leases += 1)}`,
          isGone: (owner: { readonly pid: number }) => gone.has(owner.pid),
        },
        lookUpProject: () => Promise.resolve(null),
        logger: silentLogger,
        time,
        random,
      },
      die() {
        isDead = true;
        gone.add(pid);
      },
    };
  }

  async function emit(aggregate: number, count: number): Promise<void> {
    const current = await session.current();
    const isBound = current !== null;
    const line = isBound ? `bound ${current.server} ${current.teamSlug} ${aggregate}` : `open ${aggregate}`;
    // What is recorded without a sign-in belongs to a project no team has yet.
    const project = isBound
      ? testUuid(ACCOUNTS.findIndex(({ teamSlug }) => teamSlug === current.teamSlug))
      : testUuid(9);
    const placement = {
      state: isBound ? ('queued' as const) : ('held' as const),
      reason: isBound ? null : 'team',
      server: current?.server ?? null,
      projectRoot: null,
    };
    const answered = await createOfflineQueue({ store: disk, time }).append(count, placement, (lamport_clock) =>
      anEvent({
        lamport_clock,
        event_id: testUlid((ids += 1)),
        aggregate_id: `WP0${aggregate}`,
        team_slug: current?.teamSlug ?? null,
        project_uuid: project,
      }),
    );
    if (answered.kind === 'appended')
      for (const { event_id } of answered.envelopes) emitted.push({ id: event_id, line });
  }

  async function sync(waitMs: number): Promise<void> {
    const { parts, die } = newProcess();
    const before = requests;
    const running = createSyncEngine(parts).syncNow({ waitForOthersMs: waitMs });
    await base.advance(waitMs + 1000);
    const report = await Promise.race([running, Promise.resolve('still running' as const)]);
    if (report === 'still running') breaches.push('a sync did not end');
    if (requests - before > 500) breaches.push(`one sync made ${requests - before} requests`);
    die();
  }

  async function take1(step: ModelStep): Promise<void> {
    switch (step.kind) {
      case 'emit':
        return emit(step.aggregate, step.count);
      case 'serve':
        acts.push(...step.acts);
        return;
      case 'wait': {
        const before = requests;
        await base.advance(step.ms);
        // At most a retry each half second on average, whatever the server says, and then some for searches.
        if (requests - before > step.ms / 100 + 100) breaches.push(`${requests - before} requests in ${step.ms} ms`);
        return;
      }
      case 'sync':
        return sync(step.waitMs);
      case 'start': {
        if (process !== undefined) return;
        const made = newProcess();
        const background = createBackgroundSync(made.parts);
        process = { background, pid: made.pid, die: made.die };
        if ((await background.start()).kind === 'busy') process = undefined;
        return;
      }
      case 'crash':
        process?.die();
        process = undefined;
        return;
      case 'stop': {
        const stopped = process?.background.stop({ deadlineMs: 1000 });
        await base.advance(1000);
        await stopped;
        process?.die();
        process = undefined;
        return;
      }
      case 'switch':
        session.signIn(step.account === null ? null : (ACCOUNTS[step.account] ?? null));
        return;
      case 'set-clock':
        skewMs += step.byMs;
        return;
      default:
        return step satisfies never;
    }
  }

  return {
    breaches,
    emitted,
    released,
    step: take1,
    /** Everything is well again: each account signs in once, with servers that take everything. */
    async heal(): Promise<void> {
      await take1({ kind: 'stop' });
      acts.length = 0;
      await base.advance(3_600_000);
      for (const [account] of ACCOUNTS.entries()) {
        session.signIn(ACCOUNTS[account] ?? null);
        await sync(0);
      }
    },
    rows: () => disk.read((reader) => reader.events()),
  };
}

function testUuid(number: number): string {
  return `3f1c9a52-7f0e-4c55-9d0b-2a6c1b7e4d1${number}`;
}
