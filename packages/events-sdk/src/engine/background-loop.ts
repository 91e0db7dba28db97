/** The loop of background delivery: asks `nextStep` what to do, and does it. */
import { FLUSH_INTERVAL_MS } from '../contract/limits.ts';
import { isEventsSdkError } from '../errors.ts';
import { backoffDelay } from '../internal/backoff.ts';
import type { Time } from '../internal/time.ts';
import type { RealtimeTransport } from '../transport/realtime-port.ts';
import { createGround, type Activity } from './background-ground.ts';
import { createBackgroundPass } from './background-pass.ts';
import type { HeldLease, LeaseOwner } from './lease.ts';
import { newLink, type LinkEvent } from './link.ts';
import { writeLink } from './link-record.ts';
import { nextStep, setBack, type BackgroundState } from './next-step.ts';
import type { PassDeps } from './pass.ts';
import { createRealtimeKeeper } from './realtime-keeper.ts';
import type { SyncReport } from './report.ts';
import { createSignInWatch } from './sign-in-watch.ts';
import { createStoreWatch } from './store-watch.ts';

/** How often the lease is renewed and the link's state written, in milliseconds. */
const RENEW_MS = 20_000;

export interface LoopDeps extends PassDeps {
  readonly realtime?: RealtimeTransport;
  readonly lease: HeldLease;
  readonly owner: LeaseOwner;
  readonly time: Time;
  readonly random: () => number;
  /** Told after each pass that tried something. */
  readonly onReport: (report: SyncReport) => void;
  /** Told when something in `state` or `activity` may have changed. */
  readonly onChange: () => void;
}

export interface BackgroundLoop {
  /** Runs until `end`, or until another process has the lease: then true. Never rejects. */
  run(): Promise<boolean>;
  /** Lets `run` finish its step and return; nothing is waited for any more. */
  end(): void;
  /** Offers once more what is new, without pace, unless the last attempt failed. */
  offerLast(): Promise<void>;
  wake(isOnline: boolean): void;
  /** Ends the link and says so in the store while the lease is ours. */
  close(): Promise<void>;
  state(): BackgroundState;
  readonly activity: Activity;
  /** Aborts requests under way. */
  readonly abort: AbortController;
}

export function createBackgroundLoop(deps: LoopDeps): BackgroundLoop {
  const { store, lease, logger, time, random, session: sessions } = deps;
  const ground = createGround({ time, initial: firstState(time.now()), onChange: deps.onChange });
  const signIn = createSignInWatch({ ground, sessions, logger, time });
  const watch = createStoreWatch({ ground, store, lease, time });
  let isLeaseLost = false;
  let lastNow = time.now();

  const keeper =
    deps.realtime === undefined
      ? undefined
      : createRealtimeKeeper({
          realtime: deps.realtime,
          sessions,
          delayMs: (floorMs = 0) => floorMs + backoffDelay(ground.state().link.attempts, random),
          onLink: linkChanged,
          onSignInNeeded: needSignIn,
          onRemoteClock: watch.sawRemoteClock,
        });
  const pass = createBackgroundPass({
    ...deps,
    ground,
    watch,
    keeper,
    needSignIn,
    onDecided: signIn.works,
    reconnect,
  });

  function linkChanged(event: LinkEvent): void {
    ground.set({ isConnecting: keeper?.isConnecting ?? false });
    // A link that opens shows that the server is there again.
    if (event.kind === 'opened') ground.set({ linkFailed: false, ...endOfWait() });
    ground.link(event);
  }

  function needSignIn(...why: Parameters<typeof signIn.need>): void {
    keeper?.close();
    signIn.need(...why);
    linkChanged({ kind: 'signed-out' });
  }

  function reconnect(): void {
    keeper?.close();
    linkChanged({ kind: 'signed-out' });
    linkChanged({ kind: 'signed-in' });
  }

  const endOfWait = (): Partial<BackgroundState> => (ground.state().retryAt === null ? {} : { retryAt: time.now() });

  async function writeState(): Promise<void> {
    const isOurs = await lease.renew((tx) => {
      writeLink(tx, ground.state().link, deps.owner, time.now());
    });
    isLeaseLost ||= !isOurs;
  }

  async function takeStep(): Promise<void> {
    const now = time.now();
    if (now < lastNow) ground.set(setBack(ground.state(), lastNow - now));
    lastNow = now;
    const step = nextStep(ground.state(), now);
    switch (step.kind) {
      case 'renew':
        ground.set({ renewAt: time.now() + RENEW_MS });
        await writeState();
        // An open link speaks for the account it was opened with.
        if (keeper !== undefined && !keeper.isFor(await sessions.current())) reconnect();
        return;
      case 'look':
        return watch.look();
      case 'check-sign-in':
        if (await signIn.check()) {
          ground.failures = 0;
          linkChanged({ kind: 'signed-in' });
        }
        return;
      case 'connect':
        keeper?.connect();
        ground.set({ isConnecting: keeper?.isConnecting ?? false });
        return;
      case 'pass':
        isLeaseLost ||= !(await pass(step));
        return;
      case 'sleep':
        return ground.rest(step.until - now);
      default:
        return step satisfies never;
    }
  }

  return {
    abort: ground.abort,
    activity: ground.activity,
    state: ground.state,
    end: ground.end,

    async run() {
      linkChanged({ kind: 'started', hasRealtime: keeper !== undefined });
      while (!ground.isEnding() && !isLeaseLost) {
        try {
          await takeStep();
        } catch (cause) {
          if (isEventsSdkError(cause, 'CLOSED')) break;
          logger.debug('background-step-failed', String(cause));
          ground.failures += 1;
          await ground.rest(backoffDelay(ground.failures, random));
        }
      }
      return isLeaseLost;
    },

    async offerLast() {
      const isHopeless = isLeaseLost || ground.failures > 0 || ground.state().signInAt !== null;
      if (isHopeless || ground.abort.signal.aborted) return;
      await pass({ kind: 'pass', via: 'batch', scope: 'new', paced: false });
    },

    wake(isOnline) {
      ground.set({ lookAt: time.now(), ...(isOnline ? endOfWait() : {}) });
      if (isOnline) linkChanged({ kind: 'online' });
      ground.interrupt();
    },

    async close() {
      keeper?.close();
      linkChanged({ kind: 'stopped' });
      await writeState();
    },
  };
}

/** At the start everything that waits is tried, also what an earlier process was refused. */
function firstState(now: number): BackgroundState {
  return {
    queued: 0,
    held: 0,
    work: 'all',
    request: null,
    retryAt: null,
    paceAt: null,
    flushAt: now + FLUSH_INTERVAL_MS,
    lookAt: now,
    renewAt: now,
    signInAt: null,
    linkFailed: false,
    isConnecting: false,
    link: newLink(now),
  };
}
