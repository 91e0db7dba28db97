/** Delivery in the background of a dry run: it can be started, looked at and stopped, and does nothing. */
import type { BackgroundStatus, BackgroundSync } from '../engine/background-sync.ts';
import { newLink } from '../engine/link.ts';
import type { Time } from '../internal/time.ts';
import { NOTHING_KNOWN } from './flush.ts';

export function createDryBackground(time: Time): BackgroundSync {
  const createdAt = time.now();
  let phase: BackgroundStatus['phase'] = 'not-started';
  return {
    start() {
      phase = 'idle';
      return Promise.resolve({ kind: 'running' });
    },
    stop() {
      phase = 'ended';
      return Promise.resolve(NOTHING_KNOWN);
    },
    wake() {},
    status: () => ({
      phase,
      link: newLink(createdAt),
      queued: 0,
      retryAt: null,
      lastActivityAt: createdAt,
      isUnwanted: false,
    }),
    subscribe: () => () => {},
  };
}
