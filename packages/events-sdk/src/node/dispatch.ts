/**
 * Hands delivery over when a command has done its work: to the courier that is running, to a new one, or, where
 * that is chosen, to one short try within the command (DESIGN §4.9).
 */
import type { DeliveryMode } from '../identity/project-identity.ts';
import type { SyncReport } from '../engine/report.ts';
import type { Time } from '../internal/time.ts';
import { startCourier, type CourierCommand } from './courier.ts';
import type { Env, Home } from './home.ts';
import type { HomeStatus } from './home-status.ts';

/** How long an inline delivery may take, in milliseconds. */
export const INLINE_DEADLINE_MS = 500;

/** After a failed inline try, commands leave the server alone for this long. */
export const INLINE_PAUSE_MS = 30_000;

/**
 * Who sees to the events that wait: a courier, running or just started; nobody, because this command has just
 * tried itself; or nobody, because there is nothing to send, nobody is signed in, or delivery is switched off.
 */
export type HandOff = 'courier' | 'tried' | 'none';

export interface Dispatch {
  nudge(facts: {
    readonly status: HomeStatus;
    readonly delivery: DeliveryMode;
    readonly requestDrain: () => Promise<boolean>;
    readonly syncNow: (options: { readonly deadlineMs: number; readonly waitForOthersMs: number }) => Promise<SyncReport>;
  }): Promise<HandOff>;
}

export function createDispatch(deps: { readonly home: Home; readonly env: Env; readonly time: Time; readonly courier?: CourierCommand }): Dispatch {
  return {
    async nudge({ status, delivery, requestDrain, syncNow }) {
      const waiting = status.queued + Object.values(status.held).reduce((sum, count) => sum + count, 0);
      if (delivery === 'off' || waiting === 0 || status.session === null || status.session.teamSlug === null) return 'none';
      if (delivery === 'inline') {
        if (failedLately(status, deps.time.now())) return 'none';
        await syncNow({ deadlineMs: INLINE_DEADLINE_MS, waitForOthersMs: 0 });
        return 'tried';
      }
      if (await requestDrain()) return 'courier';
      if (deps.courier === undefined) return 'none';
      return startCourier(deps.home, deps.courier, deps.env) ? 'courier' : 'none';
    },
  };
}

function failedLately({ lastSync }: HomeStatus, now: number): boolean {
  return lastSync !== null && lastSync.stoppedBy !== 'drained' && Math.abs(now - lastSync.at) < INLINE_PAUSE_MS;
}
