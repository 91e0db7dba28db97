/**
 * What a host may listen to. Observers cannot hurt the worker: they are told when the work is done, are not waited for, and
 * what they throw is said once and forgotten.
 */
import type { EventEnvelope } from '../contract/envelope.ts';
import type { Draft, EventMap } from '../contract/event-map.ts';
import type { EmitOutcome, SpilledEnvelope } from '../emit-outcome.ts';
import type { Emitter } from '../emitter.ts';
import type { BackgroundStatus } from '../engine/background-sync.ts';
import type { Logger } from '../internal/logger.ts';
import type { PushAnswer } from '../transport/port.ts';

/** One request with events that has ended. */
export interface PushSeen {
  /** How many events it carried. */
  readonly events: number;
  /** A batch of its own, or sent over an open realtime link. */
  readonly way: 'batch' | 'link';
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly endedAt: number;
  /** What the transport made of it: ids, verdicts and reasons, no payloads. */
  readonly answer: PushAnswer;
}

type Dropped<M extends EventMap> = Extract<EmitOutcome<M>, { readonly status: 'dropped' }>;
type Kept<M extends EventMap> = Exclude<EmitOutcome<M>, { readonly status: 'dropped' }>;

/** Observers. What they answer is ignored, also a promise. */
export interface Hooks<M extends EventMap> {
  /** After an event is on disk (or would be, in a dry run). The envelope has no clock yet where it was spilled or not stored. */
  onEvent?(envelope: EventEnvelope<M> | SpilledEnvelope<M>, outcome: Kept<M>): unknown;
  /** After an event was not recorded; the draft is as the caller passed it. Events that `evict-oldest` removes are counted in the status only. */
  onDrop?(draft: Draft<M>, outcome: Dropped<M>): unknown;
  /** After each request with events that this client makes. */
  onPush?(push: PushSeen): unknown;
  /** After each change of background delivery that this client runs. */
  onStatus?(status: BackgroundStatus): unknown;
}

/** The hooks as the client calls them. */
export type QuietHooks<M extends EventMap> = { readonly [K in keyof Hooks<M>]-?: NonNullable<Hooks<M>[K]> };

/** Hooks that never throw and are never waited for. */
export function quietHooks<M extends EventMap>(hooks: Hooks<M> | undefined, logger: Logger): QuietHooks<M> | undefined {
  if (hooks === undefined) return undefined;
  const quietly = (name: keyof Hooks<M>, call: () => unknown): void => {
    // Its message may hold anything, also a payload.
    const failed = (): void =>
      logger.warn('hook-failed', `The hook ${name} has failed. Events are recorded and delivered all the same.`);
    try {
      const answer = call();
      if (answer instanceof Promise) answer.catch(failed);
    } catch {
      failed();
    }
  };
  return {
    onEvent: (envelope, outcome) => quietly('onEvent', () => hooks.onEvent?.(envelope, outcome)),
    onDrop: (draft, outcome) => quietly('onDrop', () => hooks.onDrop?.(draft, outcome)),
    onPush: (push) => quietly('onPush', () => hooks.onPush?.(push)),
    onStatus: (status) => quietly('onStatus', () => hooks.onStatus?.(status)),
  };
}

/** An emitter whose outcomes are told. */
export function observing<M extends EventMap>(emitter: Emitter<M>, hooks: QuietHooks<M>): Emitter<M> {
  return {
    async emit(draft, options) {
      const outcome = await emitter.emit(draft, options);
      tell<M>(hooks, draft, outcome);
      return outcome;
    },
    async emitAll(drafts, options) {
      const outcomes = await emitter.emitAll(drafts, options);
      // One outcome for each draft, in order.
      for (const [index, outcome] of outcomes.entries()) tell<M>(hooks, drafts[index] as Draft<M>, outcome);
      return outcomes;
    },
  };
}

function tell<M extends EventMap>(hooks: QuietHooks<M>, draft: Draft<M>, outcome: EmitOutcome<M>): void {
  if (outcome.status === 'dropped') hooks.onDrop(draft, outcome);
  else hooks.onEvent(outcome.envelope, outcome);
}
