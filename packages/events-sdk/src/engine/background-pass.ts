/** One pass of background delivery: over the link or as batches, at the pace of the home, and what its end means. */
import type { TokenAnswer } from '../auth/port.ts';
import { FLUSH_INTERVAL_MS, MAX_EVENTS_PER_BATCH } from '../contract/limits.ts';
import type { Time } from '../internal/time.ts';
import { createAttempts } from './attempts.ts';
import type { Ground } from './background-ground.ts';
import { recordSync } from './history.ts';
import type { HeldLease } from './lease.ts';
import type { PassStep } from './next-step.ts';
import { readFloor, readPaceWait } from './pace.ts';
import { runPass, type PassDeps, type PassEnd } from './pass.ts';
import type { Gate } from './pusher.ts';
import type { RealtimeKeeper } from './realtime-keeper.ts';
import type { SyncReport } from './report.ts';
import { retryDelay } from './retry.ts';
import { stopForError, stopWithLeft, type DeliveryStop } from './stops.ts';
import { LOOK_MS, type StoreWatch } from './store-watch.ts';
import { answerSyncRequest, takeSyncRequest } from './sync-request.ts';
import { createTally, type Tally } from './tally.ts';

/** After an unreachable server the first batch is small: it has little time, and shows whether there is a way. */
const PROBE_EVENTS = 50;

export interface BackgroundPassDeps extends PassDeps {
  readonly ground: Ground;
  readonly watch: StoreWatch;
  readonly keeper: RealtimeKeeper | undefined;
  readonly lease: HeldLease;
  readonly time: Time;
  readonly random: () => number;
  /** The sign-in is not accepted, or there is none. */
  readonly needSignIn: (stop: DeliveryStop, shown?: TokenAnswer) => void;
  /** The server has decided on something. */
  readonly onDecided: () => void;
  /** The open link speaks for another account than the one signed in. */
  readonly reconnect: () => void;
  readonly onReport: (report: SyncReport) => void;
}

/** Runs passes. The answer is false when another process has the lease. */
export function createBackgroundPass(deps: BackgroundPassDeps): (step: PassStep) => Promise<boolean> {
  const { ground, store, lease, time, random, keeper } = deps;
  const attempts = createAttempts(deps.transport, time);
  /** Rows the server has spoken of that are still here: only a pass over everything tries them again. */
  let spokenOf = new Set<string>();

  function gateFor(step: PassStep): Gate {
    return async (server, signal) => {
      const floor = await store.read((reader) => readFloor(reader, server, time.now()));
      if (floor !== undefined || !step.paced || step.via === 'link') return floor;
      const mustWait = (): boolean => !ground.isEnding() && ground.state().request === null && signal?.aborted !== true;
      while (mustWait()) {
        const waitMs = await store.read((reader) => readPaceWait(reader, time.now()));
        if (waitMs === 0) return undefined;
        await ground.rest(Math.min(waitMs, LOOK_MS));
        // A person's request ends the wait.
        if (time.now() >= ground.state().lookAt) await deps.watch.look();
      }
      return undefined;
    };
  }

  async function offer(step: PassStep, tally: Tally): Promise<PassEnd> {
    const overLink = step.via === 'link' ? keeper?.transport() : undefined;
    attempts.begin();
    try {
      return await runPass(
        { ...deps, transport: overLink ?? attempts.transport },
        {
          lease,
          tally,
          gate: gateFor(step),
          way: step.via,
          mostEvents: () => (attempts.isOffline() ? PROBE_EVENTS : MAX_EVENTS_PER_BATCH),
          ...(step.scope === 'new' ? { skip: spokenOf } : {}),
          ...(overLink === undefined ? {} : { isForSession: (session) => keeper?.isFor(session) ?? false }),
          signal: ground.abort.signal,
        },
      );
    } catch (cause) {
      deps.logger.debug('background-pass-failed', String(cause));
      return { stop: stopForError(cause), left: 0 };
    }
  }

  function noteDecisions(step: PassStep, tally: Tally, isComplete: boolean): void {
    const { activity } = ground;
    const { rejected, sent, duplicates } = tally.counts();
    for (const { eventId } of rejected) activity.rejectedIds.add(eventId);
    activity.delivered += sent + duplicates;
    spokenOf = new Set([...(step.scope === 'all' && isComplete ? [] : spokenOf), ...tally.kept()]);
    if (!tally.hasDecided()) return;
    activity.lastAt = time.now();
    // Whatever ended it: the server is there and takes what it is given.
    ground.failures = 0;
    deps.onDecided();
    if (step.via === 'batch') ground.link({ kind: 'batch-decided' });
  }

  /** What the end means for the next step. */
  function conclude(step: PassStep, stop: DeliveryStop, end: PassEnd, startedAt: number): void {
    const now = time.now();
    ground.set({ lookAt: now, ...(step.scope === 'all' ? { flushAt: now + FLUSH_INTERVAL_MS } : {}) });
    switch (stop.by) {
      case 'drained':
        ground.failures = 0;
        ground.set({ work: 'none', retryAt: null, ...(step.via === 'batch' ? { linkFailed: false } : {}) });
        return;
      case 'logged-out':
      case 'unauthorized':
      case 'no-team':
        deps.needSignIn(stop, end.shown);
        return;
      case 'aborted':
        if (!ground.isEnding() && step.via === 'link') deps.reconnect();
        break;
      default:
    }
    // What the link left without a word goes as a batch.
    if (step.via === 'link') ground.set({ linkFailed: true, work: 'new' });
    else if (!ground.isEnding()) retryLater(step, stop, attempts.tookMs() ?? now - startedAt);
  }

  function retryLater(step: PassStep, stop: DeliveryStop, tookMs: number): void {
    const delayMs = retryDelay({ stop, failuresBefore: ground.failures, tookMs }, random);
    ground.failures += 1;
    ground.set({ retryAt: time.now() + delayMs, work: step.scope });
    if (stop.by !== 'unreachable') return;
    attempts.failed();
    ground.link({ kind: 'batch-failed' });
  }

  return async (planned) => {
    // The link may have ended since the step was decided.
    const isLinkGone = planned.via === 'link' && keeper?.transport() === undefined;
    const step: PassStep = isLinkGone ? { ...planned, via: 'batch' } : planned;
    const { request } = ground.state();
    if (request !== null) {
      await store.transact(takeSyncRequest);
      ground.set({ request: null });
    }
    const startedAt = time.now();
    const tally = createTally();
    ground.activity.isSending = true;
    ground.set({});
    const end = await offer(step, tally);
    const stop = stopWithLeft(end.stop, end.left);
    ground.activity.isSending = false;
    noteDecisions(step, tally, stop.by === 'drained');
    conclude(step, stop, end, startedAt);
    const counts = tally.counts();
    if (counts.batches > 0 || stop.by !== 'drained' || request !== null) {
      const report = await recordSync(store, { ...counts, stop, startedAt, endedAt: time.now() });
      if (request !== null)
        await store.transact((tx) => {
          answerSyncRequest(tx, request, report);
        });
      deps.onReport(report);
    }
    return stop.by !== 'busy';
  };
}
