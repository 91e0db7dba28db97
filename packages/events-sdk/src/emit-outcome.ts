/** What became of one emitted event. The answer tells the truth: `queued`, `held` and `spilled` mean on disk. */
import type { EventEnvelope } from './contract/envelope.ts';
import type { EventMap, EventType } from './contract/event-map.ts';

export const HELD_REASONS = ['team', 'project', 'disabled', 'team-changed'] as const;
export type HeldReason = (typeof HELD_REASONS)[number];
/** `filtered`: the host's own `beforeStore` took it out. */
export type DroppedReason = 'invalid' | 'filtered' | 'full' | 'unavailable';

/** The envelope of an event that has no place in the order yet: neither clock value nor node. */
export type SpilledEnvelope<M extends EventMap, T extends EventType<M> = EventType<M>> = {
  [K in T]: Omit<EventEnvelope<M, K>, 'node_id' | 'lamport_clock'>;
}[T];

export type EmitOutcome<M extends EventMap, T extends EventType<M> = EventType<M>> =
  /** Durable, and may leave as soon as there is a way. */
  | { readonly status: 'queued'; readonly envelope: EventEnvelope<M, T> }
  /** Durable, but must not leave until the named thing is known or allowed. */
  | { readonly status: 'held'; readonly reason: HeldReason; readonly envelope: EventEnvelope<M, T> }
  /**
   * Durable beside the queue, because the queue could not be had; whoever uses the queue next takes it in, gives it its
   * place in the order, and it goes on as any other. `held` says what it will have to wait for then. `message` says why
   * the queue could not be had.
   */
  | {
      readonly status: 'spilled';
      readonly held: HeldReason | null;
      readonly envelope: SpilledEnvelope<M, T>;
      readonly message: string;
    }
  /** A dry run: nothing was stored, nothing will leave. `held` says what it would have had to wait for. */
  | {
      readonly status: 'dry-run';
      readonly held: HeldReason | null;
      readonly envelope: SpilledEnvelope<M, T>;
    }
  /** Not recorded. `message` says why in a sentence, without payload values. */
  | { readonly status: 'dropped'; readonly reason: DroppedReason; readonly message: string };
