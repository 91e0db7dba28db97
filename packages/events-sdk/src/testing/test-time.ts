/** Time that stands still until a test moves it. */
import type { Time } from '../internal/time.ts';

export interface TestTime extends Time {
  /** Moves on by `ms`, running every timer that falls due, in order, and letting promises settle in between. */
  advance(ms: number): Promise<void>;
  /** Timers waiting. A test that ends with some has left something running. */
  readonly pending: number;
}

/** Starts at `startAt` (milliseconds since the epoch), by default an ordinary day. */
export function createTestTime(startAt = Date.UTC(2026, 1, 7, 18, 4, 5, 120)): TestTime {
  let now = startAt;
  let timers: { readonly at: number; readonly action: () => void }[] = [];
  const settle = async (): Promise<void> => {
    // One turn of the event loop: promise chains and I/O callbacks already due get to run.
    await new Promise<void>((resolve) => {
      setImmediate(resolve);
    });
  };
  return {
    now: () => now,
    after(delayMs, action) {
      const timer = { at: now + delayMs, action };
      timers.push(timer);
      return () => {
        timers = timers.filter((other) => other !== timer);
      };
    },
    async advance(ms) {
      const end = now + ms;
      await settle();
      for (;;) {
        const due = timers.filter((timer) => timer.at <= end).toSorted((a, b) => a.at - b.at)[0];
        if (due === undefined) break;
        timers = timers.filter((timer) => timer !== due);
        now = Math.max(now, due.at);
        due.action();
        await settle();
      }
      now = end;
      await settle();
    },
    get pending() {
      return timers.length;
    },
  };
}
