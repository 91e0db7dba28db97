/**
 * Time as the core sees it: injected, so that tests own it. Nothing in the core calls
 * `Date.now` or `setTimeout` itself.
 */

/** A source of wall time and of timers. */
export interface Time {
  /** Milliseconds since the Unix epoch. Wall time: for labels and expiries, never for order. */
  now(): number;
  /** Runs `action` once after `delayMs`. The returned function cancels it. Never keeps a process alive by itself. */
  after(delayMs: number, action: () => void): () => void;
}

/** The machine's own clock; timers are unref'd where the runtime can. */
export const systemTime: Time = {
  now: () => Date.now(),
  after(delayMs, action) {
    const timer = setTimeout(action, delayMs);
    // Browsers return a number here, which has no `unref`.
    if (typeof timer === 'object') timer.unref();
    return () => {
      clearTimeout(timer);
    };
  },
};

/** Resolves after `delayMs`, or as soon as `signal` aborts. Never rejects: the caller looks at the signal. */
export function sleep(time: Time, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) {
      resolve();
      return;
    }
    const finish = (): void => {
      cancel();
      signal?.removeEventListener('abort', finish);
      resolve();
    };
    const cancel = time.after(delayMs, finish);
    signal?.addEventListener('abort', finish, { once: true });
  });
}
