/**
 * The state of the link to a server (FR-036), as a pure table: state and event give the next state. It says how events
 * leave, not whether they do: rows wait and leave in batches in every state but `offline`.
 */
import { BACKOFF_MAX_MS, MAX_RECONNECTS } from '../contract/limits.ts';

/** Connected · trying to be · neither link nor batches · events leave in batches only. */
export type LinkState = 'connected' | 'reconnecting' | 'offline' | 'offline-batch';

/** Why the link is as it is. */
export type LinkReason =
  /** Nothing has been tried yet. */
  | 'not-started'
  /** The first attempt is under way or due. */
  | 'connecting'
  | 'open'
  /** An open link ended. */
  | 'lost'
  /** An attempt failed. */
  | 'failed'
  /** Ten attempts in a row failed. */
  | 'gave-up'
  /** This program has no realtime transport. */
  | 'no-realtime'
  /** This server has no realtime endpoint. */
  | 'unsupported'
  /** The server refuses this account a link. */
  | 'forbidden'
  /** Batches fail as well; where there may be a link, it is tried all the same. */
  | 'unreachable'
  | 'signed-out'
  | 'stopped';

/** The link at one moment. Times are milliseconds since the epoch. */
export interface Link {
  readonly state: LinkState;
  readonly reason: LinkReason;
  readonly since: number;
  /** Failed attempts in a row. */
  readonly attempts: number;
  /** When the next attempt is due; null: not before something happens. */
  readonly retryAt: number | null;
  /** Why there is no link at all with this server, where that is settled. */
  readonly batchesOnly: Extract<LinkReason, 'no-realtime' | 'unsupported' | 'forbidden'> | null;
}

/** What happens to a link. */
export type LinkEvent =
  | { readonly kind: 'started'; readonly hasRealtime: boolean }
  | { readonly kind: 'opened' }
  | { readonly kind: 'lost'; readonly delayMs: number }
  | { readonly kind: 'failed'; readonly delayMs: number }
  | { readonly kind: 'settled'; readonly reason: 'unsupported' | 'forbidden' }
  /** Nobody is signed in, or the sign-in is not accepted. */
  | { readonly kind: 'signed-out' }
  | { readonly kind: 'signed-in' }
  /** A batch was decided on. */
  | { readonly kind: 'batch-decided' }
  | { readonly kind: 'batch-failed' }
  | { readonly kind: 'new-event' }
  /** The host says that the network is back. */
  | { readonly kind: 'online' }
  | { readonly kind: 'stopped' };

/** A link that was given up is left alone for this long, whatever signs of life there are. */
export const GAVE_UP_PAUSE_MS = BACKOFF_MAX_MS;

/** Before anything was tried. */
export function newLink(now: number): Link {
  return { state: 'offline', reason: 'not-started', since: now, attempts: 0, retryAt: null, batchesOnly: null };
}

/** The link after `event`; the very same object when nothing changes. */
export function nextLink(link: Link, event: LinkEvent, now: number): Link {
  const to = (state: LinkState, reason: LinkReason, change: Partial<Link> = {}): Link => ({
    ...link,
    since: state === link.state ? link.since : now,
    retryAt: null,
    ...change,
    state,
    reason,
  });
  const connectNow = (): Link =>
    link.batchesOnly === null
      ? to('reconnecting', 'connecting', { attempts: 0, retryAt: now })
      : to('offline-batch', link.batchesOnly);

  if (link.reason === 'stopped') return link;
  switch (event.kind) {
    case 'started':
      return event.hasRealtime ? connectNow() : to('offline-batch', 'no-realtime', { batchesOnly: 'no-realtime' });
    case 'opened':
      return to('connected', 'open', { attempts: 0 });
    case 'lost':
      if (link.state !== 'connected') return link;
      return to('reconnecting', 'lost', { attempts: 0, retryAt: now + event.delayMs });
    case 'failed': {
      if (!isTrying(link)) return link;
      const attempts = link.attempts + 1;
      if (attempts >= MAX_RECONNECTS) return to('offline-batch', 'gave-up', { attempts });
      const [state, reason] = link.state === 'offline' ? (['offline', 'unreachable'] as const) : TRYING_AGAIN;
      return to(state, reason, { attempts, retryAt: now + event.delayMs });
    }
    case 'settled':
      return to('offline-batch', event.reason, { batchesOnly: event.reason });
    case 'signed-out':
      return link.reason === 'signed-out' ? link : to('offline', 'signed-out', { attempts: 0 });
    case 'signed-in':
      // Another account or another server: what was settled about the last one says nothing.
      if (link.reason !== 'signed-out') return link;
      return link.batchesOnly === 'no-realtime'
        ? connectNow()
        : to('reconnecting', 'connecting', { attempts: 0, retryAt: now, batchesOnly: null });
    case 'batch-decided':
      if (link.reason === 'unreachable')
        return link.batchesOnly === null
          ? to(...TRYING_AGAIN, { retryAt: now })
          : to('offline-batch', link.batchesOnly);
      return isGivenUpLongEnough(link, now) ? connectNow() : link;
    case 'batch-failed':
      if (link.state === 'offline-batch' && link.batchesOnly !== null) return to('offline', 'unreachable');
      // While the first attempt is under way nothing has shown yet that there is no link.
      return link.state === 'reconnecting' && link.reason !== 'connecting'
        ? to('offline', 'unreachable', { retryAt: link.retryAt })
        : link;
    case 'new-event':
      return isGivenUpLongEnough(link, now) ? connectNow() : link;
    case 'online':
      return link.reason === 'gave-up' || isTrying(link) ? connectNow() : link;
    case 'stopped':
      return to('offline', 'stopped');
    default:
      return event satisfies never;
  }
}

const TRYING_AGAIN = ['reconnecting', 'failed'] as const;

/** An attempt is under way or planned. */
function isTrying({ state, reason, batchesOnly }: Link): boolean {
  return state === 'reconnecting' || (reason === 'unreachable' && batchesOnly === null);
}

function isGivenUpLongEnough(link: Link, now: number): boolean {
  return link.reason === 'gave-up' && Math.abs(now - link.since) >= GAVE_UP_PAUSE_MS;
}
