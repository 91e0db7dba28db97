/** A transport whose requests are short while the server was last found unreachable (US7-1), and are timed. */
import type { Time } from '../internal/time.ts';
import type { PushAnswer, Transport } from '../transport/port.ts';
import { OFFLINE_ATTEMPT_MS } from './retry.ts';

export interface Attempts {
  readonly transport: Transport;
  /** A pass begins. */
  begin(): void;
  /** The server could not be reached. */
  failed(): void;
  /** True from a failure until the next answer. */
  isOffline(): boolean;
  /** How long the last request of this pass took; undefined when there was none. */
  tookMs(): number | undefined;
}

export function createAttempts(inner: Transport, time: Time): Attempts {
  let isOffline = false;
  let took: number | undefined;

  async function bounded(
    push: (signal?: AbortSignal) => Promise<PushAnswer>,
    outer?: AbortSignal,
  ): Promise<PushAnswer> {
    if (!isOffline) return push(outer);
    const control = new AbortController();
    let isTimeUp = false;
    const cancel = time.after(OFFLINE_ATTEMPT_MS, () => {
      isTimeUp = true;
      control.abort();
    });
    const onAbort = (): void => {
      control.abort();
    };
    outer?.addEventListener('abort', onAbort);
    if (outer?.aborted === true) control.abort();
    try {
      const answer = await push(control.signal);
      if (!isTimeUp || answer.kind !== 'retryable' || answer.reason !== 'aborted') return answer;
      const message = `The server did not answer within ${OFFLINE_ATTEMPT_MS / 1000} s.`;
      return { kind: 'retryable', reason: 'timeout', message };
    } finally {
      cancel();
      outer?.removeEventListener('abort', onAbort);
    }
  }

  return {
    transport: {
      async push(batch, context) {
        const startedAt = time.now();
        const answer = await bounded(
          (signal) => inner.push(batch, signal === undefined ? context : { ...context, signal }),
          context.signal,
        );
        took = time.now() - startedAt;
        if (answer.kind !== 'retryable') isOffline = false;
        return answer;
      },
      serverClock: async (context) => inner.serverClock?.(context),
    },
    begin() {
      took = undefined;
    },
    failed() {
      isOffline = true;
    },
    isOffline: () => isOffline,
    tookMs: () => took,
  };
}
