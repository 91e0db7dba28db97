/**
 * Holds the realtime link: one attempt at a time, a refused token refreshed once, and everything that happens said as
 * an event of the link's table. It plans no attempt itself and settles nothing.
 */
import type { Session, SessionProvider, TokenAnswer } from '../auth/port.ts';
import { MAX_REMOTE_CLOCK } from '../clock/lamport.ts';
import type { ConnectAnswer, RealtimeLink, RealtimeTransport } from '../transport/realtime-port.ts';
import type { PushAnswer, Transport } from '../transport/port.ts';
import type { LinkEvent } from './link.ts';
import { stopForToken, type DeliveryStop } from './stops.ts';

export interface RealtimeKeeper {
  /** Begins an attempt, unless one is under way. */
  connect(): void;
  readonly isConnecting: boolean;
  /** Ways out over the open link; undefined without one. */
  transport(): Transport | undefined;
  /** True when an open link, if there is one, speaks for that session. */
  isFor(session: Session | null): boolean;
  /** Ends link and attempt. */
  close(): void;
}

export interface RealtimeKeeperDeps {
  readonly realtime: RealtimeTransport;
  readonly sessions: SessionProvider;
  /** How long to wait after a failure, on top of the server's floor. */
  readonly delayMs: (floorMs: number | undefined) => number;
  readonly onLink: (event: LinkEvent) => void;
  /** There is no token to be had: only a new sign-in helps. */
  readonly onSignInNeeded: (stop: DeliveryStop) => void;
  /** A clock value seen in somebody else's event. */
  readonly onRemoteClock: (value: number) => void;
}

type Shown = Extract<TokenAnswer, { kind: 'token' }>;

export function createRealtimeKeeper(deps: RealtimeKeeperDeps): RealtimeKeeper {
  const { sessions, onLink } = deps;
  let open: { readonly link: RealtimeLink; readonly session: Session } | undefined;
  /** The attempt under way. */
  let attempt: AbortController | undefined;

  async function run(control: AbortController): Promise<void> {
    const { signal } = control;
    const first = await sessions.accessToken(signal);
    if (first.kind !== 'token') {
      withoutToken(first, control);
      return;
    }
    const answer = await connectWith(first, control);
    if (answer?.kind === 'unauthorized') {
      const second = await sessions.refresh(first.accessToken, signal);
      if (second.kind !== 'token') withoutToken(second, control);
      else if ((await connectWith(second, control))?.kind === 'unauthorized')
        // Batches may be accepted all the same; whether the sign-in is good for them, they find out.
        report(control, () => {
          onLink({ kind: 'settled', reason: 'forbidden' });
        });
    }
  }

  /** One try. Undefined when the attempt was given up meanwhile. */
  async function connectWith(shown: Shown, control: AbortController): Promise<ConnectAnswer | undefined> {
    const { session, accessToken } = shown;
    let link: RealtimeLink | undefined;
    const answer = await deps.realtime.connect({
      server: session.server,
      accessToken,
      signal: control.signal,
      onEvent: seeEvent,
      onLost: () => {
        if (open?.link !== link || link === undefined) return;
        open = undefined;
        onLink({ kind: 'lost', delayMs: deps.delayMs(undefined) });
      },
    });
    if (attempt !== control) {
      if (answer.kind === 'connected') answer.link.close();
      return undefined;
    }
    switch (answer.kind) {
      case 'connected':
        link = answer.link;
        open = { link, session };
        attempt = undefined;
        onLink({ kind: 'opened' });
        break;
      case 'forbidden':
      case 'unsupported':
        report(control, () => {
          onLink({ kind: 'settled', reason: answer.kind });
        });
        break;
      case 'retryable':
        failed(control, answer.retryAfterMs);
        break;
      case 'unauthorized':
        break;
      default:
        return answer satisfies never;
    }
    return answer;
  }

  function withoutToken(answer: Exclude<TokenAnswer, { kind: 'token' }>, control: AbortController): void {
    if (answer.kind === 'unreachable') failed(control);
    else
      report(control, () => {
        deps.onSignInNeeded(stopForToken(answer));
      });
  }

  function failed(control: AbortController, floorMs?: number): void {
    report(control, () => {
      onLink({ kind: 'failed', delayMs: deps.delayMs(floorMs) });
    });
  }

  /** Ends the attempt; one that was given up has nothing more to say. */
  function report(control: AbortController, say: () => void): void {
    if (attempt !== control) return;
    attempt = undefined;
    say();
  }

  function seeEvent(event: unknown): void {
    const clock = typeof event === 'object' && event !== null && 'lamport_clock' in event ? event.lamport_clock : null;
    if (typeof clock === 'number' && Number.isSafeInteger(clock) && clock >= 0 && clock <= MAX_REMOTE_CLOCK)
      deps.onRemoteClock(clock);
  }

  return {
    connect() {
      if (attempt !== undefined || open !== undefined) return;
      const control = new AbortController();
      attempt = control;
      // Providers may reject for reasons of their own (a locked credentials file): that attempt has failed.
      run(control).catch(() => {
        failed(control);
      });
    },
    get isConnecting() {
      return attempt !== undefined;
    },
    transport() {
      const link = open?.link;
      return link === undefined
        ? undefined
        : { push: async (batch, { signal }) => overLink(await link.push(batch, signal)) };
    },
    isFor: (session) =>
      open === undefined ||
      (session !== null &&
        session.server === open.session.server &&
        session.username === open.session.username &&
        session.teamSlug === open.session.teamSlug),
    close() {
      attempt?.abort();
      attempt = undefined;
      open?.link.close();
      open = undefined;
    },
  };
}

/** A link whose token has run out is a link that ends: the batch that follows refreshes the token. */
function overLink(answer: PushAnswer): PushAnswer {
  if (answer.kind !== 'unauthorized') return answer;
  return { kind: 'retryable', reason: 'unreachable', message: 'The realtime link is no longer authorised.' };
}
