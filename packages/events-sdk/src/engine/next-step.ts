/**
 * What background delivery does next: a pure decision over what it knows. Every wait has a time in it, so that a step
 * which is not taken now is taken then.
 */
import type { Link } from './link.ts';

/** Rows that are pushed over an open link at once; a longer queue leaves in batches, which carry a thousand. */
export const LINK_MOST_EVENTS = 100;

/** What background delivery knows. Times are milliseconds since the epoch; null: not planned. */
export interface BackgroundState {
  /** Rows that may leave, as of the last look. */
  readonly queued: number;
  /** Rows that wait for a team, a project or consent, as of the last look. */
  readonly held: number;
  /** `new`: rows the server has not spoken of here; `all`: everything, also what it has refused or left pending. */
  readonly work: 'none' | 'new' | 'all';
  /** Somebody waits for a report of a sync. */
  readonly request: string | null;
  /** No attempt before: the wait after a failure. */
  readonly retryAt: number | null;
  /** No batch before: the pace of the home, as of the last look. */
  readonly paceAt: number | null;
  /** At the latest, a queue that is not empty is tried again. */
  readonly flushAt: number;
  readonly lookAt: number;
  readonly renewAt: number;
  /** When to see whether there is a new sign-in; null: the present one has not failed. */
  readonly signInAt: number | null;
  /** The link has left rows without a word: they go as a batch first. */
  readonly linkFailed: boolean;
  readonly isConnecting: boolean;
  readonly link: Link;
}

/** The next step. */
export type Step =
  /** Prove that this process lives, and keep the lease. */
  | { readonly kind: 'renew' }
  /** See what other processes have done to the store. */
  | { readonly kind: 'look' }
  | { readonly kind: 'check-sign-in' }
  /** Begin to open the link; the loop does not wait for it. */
  | { readonly kind: 'connect' }
  | PassStep
  | { readonly kind: 'sleep'; readonly until: number };

/** Offer rows to the server. */
export interface PassStep {
  readonly kind: 'pass';
  readonly via: 'link' | 'batch';
  readonly scope: 'new' | 'all';
  /** False: somebody waits for it, so FR-033's pace does not apply. */
  readonly paced: boolean;
}

/** Decides. */
export function nextStep(state: BackgroundState, now: number): Step {
  const { link, retryAt, signInAt } = state;
  if (now >= state.renewAt) return { kind: 'renew' };
  if (now >= state.lookAt) return { kind: 'look' };
  // Also without a sign-in and during a wait: the report says what stands in the way.
  if (state.request !== null) return { kind: 'pass', via: 'batch', scope: 'all', paced: false };
  if (signInAt !== null) {
    return now >= signInAt ? { kind: 'check-sign-in' } : sleepUntil(state.renewAt, state.lookAt, signInAt);
  }
  if (link.retryAt !== null && now >= link.retryAt && !state.isConnecting) return { kind: 'connect' };

  const connectAt = state.isConnecting ? null : link.retryAt;
  const hasRows = state.queued + state.held > 0;
  if (retryAt !== null && now < retryAt)
    return sleepUntil(state.renewAt, state.lookAt, hasRows ? retryAt : null, connectAt);
  const isAllDue = state.work === 'all' || now >= state.flushAt;
  const isNewDue = state.work === 'new' || retryAt !== null;
  if (!hasRows || !(isAllDue || isNewDue))
    return sleepUntil(state.renewAt, state.lookAt, hasRows ? state.flushAt : null, connectAt);
  // After a failure a batch is the surer way, and its answer says more.
  const isLinkFit =
    link.state === 'connected' && !state.linkFailed && retryAt === null && state.queued <= LINK_MOST_EVENTS;
  const mustWait = state.paceAt !== null && now < state.paceAt;
  // Before the pace allows a batch of everything only what is new may go; where nothing is, a pass would do nothing, and be
  // due again at once.
  if (isLinkFit && (mustWait ? state.work !== 'none' : !isAllDue))
    return { kind: 'pass', via: 'link', scope: 'new', paced: true };
  // Waited out here and not within the pass: a link that opens meanwhile is the faster way.
  if (mustWait) return sleepUntil(state.renewAt, state.lookAt, state.paceAt, connectAt);
  return { kind: 'pass', via: 'batch', scope: isAllDue ? 'all' : 'new', paced: true };
}

/** The same plan after the wall clock was set back by `ms`: what was due in a second is due in a second. */
export function setBack(state: BackgroundState, ms: number): BackgroundState {
  const earlier = (at: number | null): number | null => (at === null ? null : at - ms);
  return {
    ...state,
    retryAt: earlier(state.retryAt),
    paceAt: earlier(state.paceAt),
    flushAt: state.flushAt - ms,
    lookAt: state.lookAt - ms,
    renewAt: state.renewAt - ms,
    signInAt: earlier(state.signInAt),
    link: { ...state.link, retryAt: earlier(state.link.retryAt) },
  };
}

function sleepUntil(...times: readonly (number | null)[]): Step {
  return { kind: 'sleep', until: Math.min(...times.filter((time) => time !== null)) };
}
