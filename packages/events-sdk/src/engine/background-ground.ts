/** What the parts of background delivery share: the one state, the link's table, the one sleep, and the end. */
import { sleep, type Time } from '../internal/time.ts';
import { nextLink, type LinkEvent } from './link.ts';
import type { BackgroundState } from './next-step.ts';

export interface Ground {
  state(): BackgroundState;
  set(change: Partial<BackgroundState>): void;
  /** Something happened to the link. */
  link(event: LinkEvent): void;
  /** Waits, at most until `interrupt`; not at all once the end has come. */
  rest(delayMs: number): Promise<void>;
  interrupt(): void;
  /** Nothing is waited for any more. */
  end(): void;
  isEnding(): boolean;
  /** Failed attempts in a row. */
  failures: number;
  /** What the host is told of. */
  readonly activity: Activity;
  /** Aborts requests under way. */
  readonly abort: AbortController;
}

/** What has happened so far. */
export interface Activity {
  isSending: boolean;
  /** Another process has asked this one to make room. */
  isUnwanted: boolean;
  /** When an event was last seen or sent, in milliseconds since the epoch. */
  lastAt: number;
  delivered: number;
  readonly rejectedIds: Set<string>;
}

export function createGround(deps: {
  readonly time: Time;
  readonly initial: BackgroundState;
  readonly onChange: () => void;
}): Ground {
  const { time, onChange } = deps;
  let state = deps.initial;
  let isEnding = false;
  let sleeping: AbortController | undefined;

  function set(change: Partial<BackgroundState>): void {
    state = { ...state, ...change };
    onChange();
  }
  const interrupt = (): void => sleeping?.abort();

  return {
    state: () => state,
    set,
    link(event) {
      const link = nextLink(state.link, event, time.now());
      // It is written with the next proof of life, which is now due.
      if (link !== state.link) set({ link, renewAt: time.now() });
      interrupt();
    },
    async rest(delayMs) {
      if (isEnding) return;
      const control = new AbortController();
      sleeping = control;
      await sleep(time, Math.max(0, delayMs), control.signal);
      sleeping = undefined;
    },
    interrupt,
    end() {
      isEnding = true;
      interrupt();
    },
    isEnding: () => isEnding,
    failures: 0,
    activity: { isSending: false, isUnwanted: false, lastAt: time.now(), delivered: 0, rejectedIds: new Set() },
    abort: new AbortController(),
  };
}
