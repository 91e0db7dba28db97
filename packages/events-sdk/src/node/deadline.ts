/** Work that must end: under a deadline, under the caller's signal, and with the process kept awake meanwhile. */
import type { Time } from '../internal/time.ts';

/** What ends the work early. */
export interface Limits {
  readonly time: Time;
  /** In milliseconds. Default: none. */
  readonly deadlineMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Runs `work` with a signal that aborts at the deadline or with the caller's own. Leaves no timer behind. */
export async function withDeadline<T>(limits: Limits, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const { time, deadlineMs, signal } = limits;
  const control = new AbortController();
  const cancel =
    deadlineMs === undefined
      ? undefined
      : time.after(deadlineMs, () => control.abort(new Error(`The deadline of ${deadlineMs} ms has passed.`)));
  const letSleep = keepAwake();
  try {
    return await work(signal === undefined ? control.signal : AbortSignal.any([signal, control.signal]));
  } finally {
    letSleep();
    cancel?.();
  }
}

/** Runs `work` with the process kept awake. */
export async function whileAwake<T>(work: () => Promise<T>): Promise<T> {
  const letSleep = keepAwake();
  try {
    return await work();
  } finally {
    letSleep();
  }
}

/** Keeps the process running until the answer is called: timers of `Time` do not, and work that only waits must. */
export function keepAwake(): () => void {
  const timer = setInterval(() => {}, 60_000);
  return () => {
    clearInterval(timer);
  };
}
