/** Delivery in the foreground, for as long as a person wants: the same engine as the courier's, told as it happens. */
import { describeLinkReason, type BackgroundStatus, type SyncReport } from '@spec-kitty/events-sdk';

import type { ConnectionStatus, NodeClient } from './client.ts';
import { Refusal } from './failure.ts';

/** Something a watch has to tell. Times are milliseconds since the epoch. */
export type WatchEntry =
  /** Another process delivers and was asked to make room. */
  | { readonly kind: 'taking-over'; readonly role: string; readonly pid: number }
  | { readonly kind: 'started' }
  | { readonly kind: 'link'; readonly state: ConnectionStatus['state']; readonly reason: string }
  /** Events were offered to the server, or could not be. */
  | { readonly kind: 'delivery'; readonly report: SyncReport }
  /** The next attempt is at `until`. */
  | { readonly kind: 'waiting'; readonly queued: number; readonly until: number }
  | { readonly kind: 'needs-sign-in'; readonly queued: number }
  | WatchEnd;

/** The last entry. Counts are of events, since the start. */
export interface WatchEnd {
  readonly kind: 'ended';
  readonly delivered: number;
  readonly pending: number;
  readonly rejected: number;
}

export interface WatchDeps {
  readonly client: Pick<NodeClient, 'background'>;
  /** Ends the watch. */
  readonly signal: AbortSignal;
  readonly tell: (entry: WatchEntry) => void;
}

/** How long the last delivery may take after the end was asked for, in milliseconds. */
export const LAST_DELIVERY_MS = 5_000;

/**
 * Delivers until `signal` aborts. Throws a refusal (`busy`, exit code 3) where another watch, or a process that does not
 * make room, delivers for this home.
 */
export async function watchDelivery(deps: WatchDeps): Promise<WatchEnd> {
  const total = { delivered: 0, rejected: 0 };
  // Timers of the library keep no process alive.
  const awake = setInterval(() => {}, 60_000);
  try {
    for (;;) {
      const { delivered, pending, rejected } = await watchOnce(deps);
      total.delivered += delivered;
      total.rejected += rejected;
      // Where the lease was lost (the machine slept for long), it is asked for again.
      if (deps.signal.aborted) return { kind: 'ended', ...total, pending };
    }
  } finally {
    clearInterval(awake);
  }
}

async function watchOnce({ client, signal, tell }: WatchDeps): Promise<Omit<WatchEnd, 'kind'>> {
  const background = await client.background({
    role: 'watch',
    onReport: (report) => {
      tell({ kind: 'delivery', report });
    },
  });
  const { promise: over, resolve: end } = Promise.withResolvers<void>();
  const onAbort = (): void => {
    end();
  };
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) end();
  const tellChanges = changes(tell);
  const unsubscribe = background.subscribe((status) => {
    tellChanges(status);
    if (status.phase === 'ended') end();
  });
  const asked = new Set<number>();
  try {
    const started = background.start({
      whenBusy({ role, pid }) {
        if (role !== 'courier') return role === 'watch' ? 'give-up' : 'wait';
        if (!asked.has(pid)) tell({ kind: 'taking-over', role, pid });
        asked.add(pid);
        return 'ask';
      },
    });
    // Stopped while it waits for another process, it ends with a refusal nobody is there to take.
    started.catch(() => undefined);
    const answer = await Promise.race([started, over]);
    if (answer?.kind === 'busy') throw busy(answer.holder);
    if (answer !== undefined) tell({ kind: 'started' });
    await over;
    return await background.stop({ deadlineMs: LAST_DELIVERY_MS });
  } finally {
    unsubscribe();
    signal.removeEventListener('abort', onAbort);
  }
}

/** Tells of the link and of waits when they have changed. */
function changes(tell: WatchDeps['tell']): (status: BackgroundStatus) => void {
  let link = '';
  let wait = '';
  return ({ link: { state, reason }, phase, queued, retryAt }) => {
    if (describeLinkReason(reason) !== undefined && link !== reason) {
      link = reason;
      tell({ kind: 'link', state, reason });
    }
    const until = phase === 'waiting' ? retryAt : null;
    // While it sends, nothing is known yet about the wait.
    const present = phase === 'sending' ? wait : phase === 'needs-sign-in' ? phase : String(until ?? '');
    if (present === wait) return;
    wait = present;
    if (until !== null) tell({ kind: 'waiting', queued, until });
    else if (phase === 'needs-sign-in') tell({ kind: 'needs-sign-in', queued });
  };
}

function busy({ role, pid }: { readonly role: string; readonly pid: number }): Refusal {
  const who = role === 'watch' ? 'Another `spec-kitty sync watch`' : `Another process (${role})`;
  return new Refusal('busy', `${who} delivers for this home already: process ${pid}.`, {
    remedy: 'See: spec-kitty sync status',
    exitCode: 3,
  });
}
