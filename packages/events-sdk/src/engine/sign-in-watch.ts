/**
 * Waiting for a person to sign in again (US7-3): said once, then the sign-in on disk is compared with the one that was
 * refused. Nothing is sent meanwhile, and every row stays as it is.
 */
import type { SessionProvider, TokenAnswer } from '../auth/port.ts';
import type { Logger } from '../internal/logger.ts';
import type { Time } from '../internal/time.ts';
import type { Ground } from './background-ground.ts';
import type { DeliveryStop } from './stops.ts';

/** How often it looks for a new sign-in, in milliseconds; longer when the server could not be asked. */
const LOOK_MS = 5_000;
const UNREACHABLE_LOOK_MS = 30_000;

export interface SignInWatch {
  /** Begins to wait. `shown` is what the server refused, where it came to that. */
  need(stop: DeliveryStop, shown?: TokenAnswer): void;
  /** Looks once. True: there is a new sign-in, and the wait is over. */
  check(): Promise<boolean>;
  /** The sign-in works: the next failure is news again. */
  works(): void;
}

export function createSignInWatch(deps: {
  readonly ground: Ground;
  readonly sessions: SessionProvider;
  readonly logger: Logger;
  readonly time: Time;
}): SignInWatch {
  const { ground, sessions, logger, time } = deps;
  const said = new Set<string>();
  let refused = '';
  return {
    need(stop, shown) {
      refused = shown === undefined ? '' : printOf(shown);
      ground.set({ signInAt: time.now() + LOOK_MS, retryAt: null, work: 'all' });
      if (said.has(stop.by)) return;
      said.add(stop.by);
      logger.warn(`sync-${stop.by}`, `Events wait for a sign-in. ${stop.message ?? ''}`.trim());
    },
    async check() {
      const answer = await sessions.accessToken(ground.abort.signal);
      const isNew = answer.kind === 'token' && printOf(answer) !== refused;
      const pauseMs = answer.kind === 'unreachable' ? UNREACHABLE_LOOK_MS : LOOK_MS;
      ground.set({ signInAt: isNew ? null : time.now() + pauseMs });
      return isNew;
    },
    works() {
      said.clear();
    },
  };
}

function printOf(answer: TokenAnswer): string {
  return answer.kind === 'token' ? JSON.stringify([answer.session, answer.accessToken]) : answer.kind;
}
