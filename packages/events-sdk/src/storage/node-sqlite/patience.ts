/**
 * Waiting for a busy database without blocking the process: the same call again after short uneven pauses.
 */

import { clearInterval, setInterval } from 'node:timers';
import { isEventsSdkError } from '../../errors.ts';
import { sleep } from '../../internal/time.ts';
import type { Time } from '../../internal/time.ts';

/** Runs `attempt` until it is not refused with STORAGE_BUSY, or the bounded wait is over; other failures pass at once. */
export type Patience = <T>(attempt: () => T) => Promise<T>;

const LONGEST_PAUSE_MS = 5;

/** Tries again while another process is in the way, without blocking this one, up to the bounded wait: a number, or asked anew each time. */
export function createPatience(time: Time, limitMs: number | (() => number)): Patience {
  const share = createSpread(process.pid);
  return async (attempt) => {
    const deadline = time.now() + (typeof limitMs === 'number' ? limitMs : limitMs());
    let keepAlive: NodeJS.Timeout | undefined;
    try {
      for (;;) {
        try {
          return attempt();
        } catch (error) {
          if (!isEventsSdkError(error, 'STORAGE_BUSY') || time.now() >= deadline) throw error;
        }
        // Timers of `Time` never keep a process alive; an emission waiting for its turn must.
        keepAlive ??= setInterval(() => {}, 60_000);
        await sleep(time, share() * LONGEST_PAUSE_MS);
      }
    } finally {
      clearInterval(keepAlive);
    }
  };
}

/** Numbers in [0, 1) that differ between processes, so that waiters do not march in step. */
function createSpread(seed: number): () => number {
  // Neighbouring process numbers are taken far apart first.
  let state = Math.imul(seed, 2_654_435_761) >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
