/** Taking the lease where another process may have it: give up, wait for its end, or ask it to make room. */
import { sleep, type Time } from '../internal/time.ts';
import { acquireLease, readLease, requestLeave, type LeaseAnswer, type LeaseDeps, type LeaseOwner } from './lease.ts';

/** What to do about a process that delivers already. */
export interface StartOptions {
  /** `ask`: it is asked to make room. `wait`: it will end by itself. Default `give-up`. */
  readonly whenBusy?: (holder: LeaseOwner) => 'ask' | 'wait' | 'give-up';
  /** How long to wait for it, in milliseconds. Default 15,000. */
  readonly waitMs?: number;
}

const DEFAULT_WAIT_MS = 15_000;
const POLL_MS = 100;

/** The lease, or who has it after the wait. Ends early once `isStopped`. */
export async function takeLease(
  deps: LeaseDeps & { readonly time: Time },
  options: StartOptions & { readonly isStopped: () => boolean },
): Promise<LeaseAnswer> {
  const { whenBusy, waitMs = DEFAULT_WAIT_MS, isStopped } = options;
  const asked = new Set<string>();
  // Counted, not read off a clock that may be set back meanwhile.
  for (let waitedMs = 0; ; waitedMs += POLL_MS) {
    const answer = await acquireLease(deps);
    if (answer.kind === 'held') return answer;
    const { holder } = answer;
    const what = whenBusy?.(holder.owner) ?? 'give-up';
    if (what === 'give-up' || waitedMs >= waitMs || isStopped()) return answer;
    if (what === 'ask' && !asked.has(holder.token)) {
      asked.add(holder.token);
      await deps.store.transact((tx) => {
        // By now the lease may be somebody else's.
        if (readLease(tx)?.token === holder.token) requestLeave(tx, holder);
      });
    }
    await sleep(deps.time, POLL_MS);
  }
}
