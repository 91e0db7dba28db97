/**
 * Delivery in the background (FR-031): while it lives it holds the lease, keeps the realtime link where there is one,
 * and sends what this or another process writes to the store. Its timers keep no process alive.
 */
import { EventsSdkError } from '../errors.ts';
import { systemChance } from '../internal/chance.ts';
import { systemTime, type Time } from '../internal/time.ts';
import type { RealtimeTransport } from '../transport/realtime-port.ts';
import { createBackgroundLoop, type BackgroundLoop } from './background-loop.ts';
import type { HeldLease, LeaseDeps, LeaseOwner } from './lease.ts';
import { newLink, type Link } from './link.ts';
import type { PassDeps } from './pass.ts';
import type { DeliveryCounts, SyncReport } from './report.ts';
import { takeLease, type StartOptions } from './take-lease.ts';

export interface BackgroundSyncDeps extends Omit<PassDeps, 'time'> {
  /** The realtime way out. Default: batches only. */
  readonly realtime?: RealtimeTransport;
  readonly lease: Pick<LeaseDeps, 'owner' | 'newToken' | 'isGone'>;
  readonly time?: Time;
  /** Numbers in [0, 1) for the jitter. Default: the runtime's own. */
  readonly random?: () => number;
  /** Told after each pass that tried something. One that throws is ignored. */
  readonly onReport?: (report: SyncReport) => void;
}

/** What became of `start`. */
export type StartAnswer =
  | { readonly kind: 'running' }
  /** Another process delivers for this home. */
  | { readonly kind: 'busy'; readonly holder: LeaseOwner };

/** Where background delivery stands. Times are milliseconds since the epoch. */
export interface BackgroundStatus {
  readonly phase:
    | 'not-started'
    /** Nothing to do. */
    | 'idle'
    | 'sending'
    /** The last attempt failed; the next is at `retryAt`. */
    | 'waiting'
    /** Nobody is signed in, or the sign-in is not accepted: waits for a new one. */
    | 'needs-sign-in'
    /** Stopped, or another process has taken over. */
    | 'ended';
  readonly link: Link;
  /** Rows that may leave, as of the last look. */
  readonly queued: number;
  readonly retryAt: number | null;
  /** When an event was last seen or sent. */
  readonly lastActivityAt: number;
  /** Another process has asked this one to make room; whether to stop is the host's to decide. */
  readonly isUnwanted: boolean;
}

/** What was delivered and refused since `start`, and what may leave but has not. */
export type StopAnswer = DeliveryCounts;

export interface BackgroundSync {
  /** Takes the lease and begins; after `busy` it may be tried again. Rejects as the store does, and with CLOSED after `stop`. */
  start(options?: StartOptions): Promise<StartAnswer>;
  /**
   * Lets the request under way end, offers what is new once more unless the last attempt failed, and gives the lease up.
   * At the deadline requests are aborted. Default 5,000 ms; 0: at once. Never rejects; safe to call twice.
   */
  stop(options?: { readonly deadlineMs?: number }): Promise<StopAnswer>;
  /** Looks at the store now. `online`: the network is back, so the wait after a failure ends as well. */
  wake(reason?: 'event' | 'online'): void;
  status(): BackgroundStatus;
  /** Told after every change; one that throws is ignored. Answers how to end it. */
  subscribe(listener: (status: BackgroundStatus) => void): () => void;
}

const STOP_DEADLINE_MS = 5_000;

/** Background delivery over the given parts. Does nothing before `start`. */
export function createBackgroundSync(deps: BackgroundSyncDeps): BackgroundSync {
  const time = deps.time ?? systemTime;
  const listeners = new Set<(status: BackgroundStatus) => void>();
  const createdAt = time.now();
  let loop: BackgroundLoop | undefined;
  let lease: HeldLease | undefined;
  let running: Promise<unknown> = Promise.resolve();
  let stopping: Promise<StopAnswer> | undefined;
  let hasEnded = false;
  let published = '';

  function status(): BackgroundStatus {
    if (loop === undefined)
      return {
        phase: hasEnded ? 'ended' : 'not-started',
        link: newLink(createdAt),
        queued: 0,
        retryAt: null,
        lastActivityAt: createdAt,
        isUnwanted: false,
      };
    const { link, queued, retryAt, signInAt } = loop.state();
    const phase = hasEnded
      ? 'ended'
      : loop.activity.isSending
        ? 'sending'
        : signInAt !== null
          ? 'needs-sign-in'
          : retryAt !== null
            ? 'waiting'
            : 'idle';
    const { lastAt, isUnwanted } = loop.activity;
    return { phase, link, queued, retryAt, lastActivityAt: lastAt, isUnwanted };
  }

  function publish(): void {
    const now = status();
    const text = JSON.stringify(now);
    if (text === published) return;
    published = text;
    for (const listener of listeners) quietly(() => listener(now));
  }

  function quietly(tell: () => void): void {
    try {
      tell();
    } catch (cause) {
      deps.logger.debug('observer-failed', String(cause));
    }
  }

  const hasStopped = (): boolean => stopping !== undefined || hasEnded;

  async function start(options: StartOptions): Promise<StartAnswer> {
    if (hasStopped()) throw new EventsSdkError('CLOSED', 'Background delivery has ended; create a new one.');
    if (loop !== undefined) return { kind: 'running' };
    const answer = await takeLease({ store: deps.store, time, ...deps.lease }, { ...options, isStopped: hasStopped });
    if (answer.kind === 'busy') return { kind: 'busy', holder: answer.holder.owner };
    lease = answer.lease;
    if (hasStopped()) {
      await lease.release();
      throw new EventsSdkError('CLOSED', 'Background delivery was stopped while it started.');
    }
    const made = createBackgroundLoop({
      ...deps,
      lease,
      owner: deps.lease.owner,
      time,
      random: deps.random ?? systemChance,
      onReport: (report) => {
        quietly(() => deps.onReport?.(report));
      },
      onChange: publish,
    });
    loop = made;
    running = made.run().then(async (isLost) => {
      if (!isLost) return;
      hasEnded = true;
      await made.close().catch(() => undefined);
      publish();
    });
    return { kind: 'running' };
  }

  async function stopWithin(deadlineMs: number): Promise<StopAnswer> {
    const live = loop;
    if (live !== undefined) {
      live.end();
      const deadline = expiry(time, deadlineMs, live.abort);
      await Promise.race([finish(live).catch(() => undefined), deadline.passed]);
      deadline.cancel();
      await live.close().catch(() => undefined);
      await lease?.release().catch(() => undefined);
    }
    hasEnded = true;
    publish();
    const delivered = live?.activity.delivered ?? 0;
    const rejected = live?.activity.rejectedIds.size ?? 0;
    const pending = await deps.store.read((reader) => reader.count({ states: ['queued'] })).catch(() => -1);
    return { delivered, pending, rejected };
  }

  /** The orderly end: until nobody has asked for another look while the last one was under way. */
  async function finish(live: BackgroundLoop): Promise<void> {
    await running;
    if (hasEnded) return;
    do {
      await live.offerLast();
      // While the lease is ours: afterwards the link is somebody else's to speak of.
      await live.close();
    } while (!live.abort.signal.aborted && (await lease?.finish()) === false);
  }

  return {
    start: (options = {}) => start(options),
    stop({ deadlineMs = STOP_DEADLINE_MS } = {}) {
      stopping ??= stopWithin(deadlineMs);
      return stopping;
    },
    wake(reason = 'event') {
      loop?.wake(reason === 'online');
    },
    status,
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

/** Aborts after `ms`; at once for none. */
function expiry(
  time: Time,
  ms: number,
  control: AbortController,
): { readonly passed: Promise<void>; readonly cancel: () => void } {
  let cancel = (): void => {};
  const passed = new Promise<void>((resolve) => {
    const end = (): void => {
      control.abort();
      resolve();
    };
    if (ms <= 0) end();
    else cancel = time.after(ms, end);
  });
  return { passed, cancel: () => cancel() };
}
