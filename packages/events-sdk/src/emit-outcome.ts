/** What became of one emitted event. The answer tells the truth: `queued` and `held` mean on disk. */
import type { EventEnvelope } from './contract/envelope.ts';
import type { EventMap, EventType } from './contract/event-map.ts';

export const HELD_REASONS = ['team', 'project', 'disabled', 'team-changed'] as const;
export type HeldReason = (typeof HELD_REASONS)[number];
export type DroppedReason = 'invalid' | 'full' | 'unavailable';

export type EmitOutcome<M extends EventMap, T extends EventType<M> = EventType<M>> =
  /** Durable, and may leave as soon as there is a way. */
  | { readonly status: 'queued'; readonly envelope: EventEnvelope<M, T> }
  /** Durable, but must not leave until the named thing is known or allowed. */
  | { readonly status: 'held'; readonly reason: HeldReason; readonly envelope: EventEnvelope<M, T> }
  /** Not recorded. `message` says why in a sentence, without payload values. */
  | { readonly status: 'dropped'; readonly reason: DroppedReason; readonly message: string };
