/**
 * An event map says which events exist: for each type its payload schema, the kind of thing it is about,
 * and how to read that thing's id from the payload. Everything else in this library works over such a map;
 * the eight Spec Kitty events (spec-kitty-events.ts) are one of them, and the default.
 */
import type * as v from 'valibot';

/** A payload schema: synchronous, and without transforms, so that what is checked is what is sent. */
export type PayloadSchema = v.GenericSchema<unknown, object>;

/** One kind of event. */
export interface EventDefinition<S extends PayloadSchema = PayloadSchema> {
  readonly payload: S;
  /** Kind of the thing the event is about, e.g. `WorkPackage`; a function where the payload decides. */
  readonly aggregateType: string | ((payload: v.InferOutput<S>) => string);
  /** Id of that thing, read from a valid payload, e.g. `WP01`. */
  readonly aggregateId: (payload: v.InferOutput<S>) => string;
}

/** Event type name → definition. */
// `any`: a definition is contravariant in its payload (aggregateId reads it), so no narrower bound admits them all.
// oxlint-disable-next-line typescript/no-explicit-any
export type EventMap = Readonly<Record<string, EventDefinition<any>>>;

/** The names of a map's events. */
export type EventType<M extends EventMap> = Extract<keyof M, string>;

/** The payload of one event of a map. */
export type PayloadOf<M extends EventMap, T extends EventType<M>> = v.InferOutput<M[T]['payload']>;

/** An event before it is stamped: what happened, and nothing else. One union member per type. */
export type Draft<M extends EventMap, T extends EventType<M> = EventType<M>> = {
  [K in T]: {
    readonly type: K;
    readonly payload: PayloadOf<M, K>;
    /** ULID of the action that led to this event; null or absent when it stands alone. */
    readonly causationId?: string | null;
  };
}[T];

/** Declares one event with full inference: `aggregateId` sees the payload the schema describes. */
export function defineEvent<const S extends PayloadSchema>(definition: EventDefinition<S>): EventDefinition<S> {
  return definition;
}
