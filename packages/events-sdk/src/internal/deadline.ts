/** Work that must end: a signal that aborts in time, and answers that do not wait for what ignores it. */
import type { Time } from './time.ts';

/** A running deadline. */
export interface Deadline {
  /** Aborts when the time has passed, or with one of the outer signals. */
  readonly signal: AbortSignal;
  /** Ends it; leaves no timer behind. */
  cancel(): void;
}

/** Starts a deadline; with no time left its signal is aborted already. */
export function startDeadline(time: Time, deadlineMs: number, ...outer: (AbortSignal | undefined)[]): Deadline {
  const control = new AbortController();
  let cancel = (): void => {};
  if (deadlineMs > 0) cancel = time.after(deadlineMs, () => control.abort());
  else control.abort();
  const signals = outer.filter((signal) => signal !== undefined);
  return {
    signal: signals.length === 0 ? control.signal : AbortSignal.any([control.signal, ...signals]),
    cancel: () => cancel(),
  };
}

/** What `work` answers, or `instead` as soon as `signal` aborts: also for work that takes no notice of it. */
export function orAborted<T>(work: Promise<T>, signal: AbortSignal | undefined, instead: T): Promise<T> {
  if (signal === undefined) return work;
  return new Promise((resolve, reject) => {
    const giveUp = (): void => resolve(instead);
    if (signal.aborted) giveUp();
    signal.addEventListener('abort', giveUp, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', giveUp));
  });
}
