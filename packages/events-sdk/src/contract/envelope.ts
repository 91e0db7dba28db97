/**
 * The envelope: the 15 keys every event travels in (CONTRACT §1.1), in the order they are written.
 * Strict when writing; a reader tolerates more (see batch.ts and the queue).
 */
import * as v from 'valibot';

import type { EventMap, EventType, PayloadOf } from './event-map.ts';

/** CONTRACT §1.1: Crockford base32, 26 characters, upper case. */
export const ULID_PATTERN = /^[0-9A-HJKMNP-TV-Z]{26}$/;

const ulidSchema = v.pipe(v.string(), v.regex(ULID_PATTERN, 'is not a ULID'));
const nonEmpty = v.pipe(v.string(), v.minLength(1, 'must not be empty'));

const entries = {
  event_id: ulidSchema,
  event_type: nonEmpty,
  aggregate_id: nonEmpty,
  aggregate_type: nonEmpty,
  payload: v.record(v.string(), v.unknown()),
  node_id: nonEmpty,
  lamport_clock: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
  causation_id: v.nullable(ulidSchema),
  timestamp: v.pipe(v.string(), v.isoTimestamp()),
  team_slug: v.nullable(nonEmpty),
  project_uuid: v.nullable(v.pipe(v.string(), v.uuid())),
  project_slug: v.nullable(v.string()),
  git_branch: v.nullable(v.string()),
  head_commit_sha: v.nullable(v.pipe(v.string(), v.regex(/^[0-9a-f]{40}([0-9a-f]{24})?$/, 'is not a commit id'))),
  repo_slug: v.nullable(v.string()),
};

/** An envelope as it rests in the queue: team and project may still be unknown (held). */
export const storedEnvelopeSchema = v.strictObject(entries);

/** An envelope as it may leave: team and project are known (CONTRACT §1.1, FR-028b, FR-028d). */
export const wireEnvelopeSchema = v.strictObject({
  ...entries,
  team_slug: nonEmpty,
  project_uuid: v.pipe(v.string(), v.uuid()),
});

/** The keys of an envelope in the order they are written. */
export const ENVELOPE_KEYS = Object.keys(entries) as readonly (keyof typeof entries)[];

/** Any envelope, whatever its event map. */
export type AnyEnvelope = v.InferOutput<typeof storedEnvelopeSchema>;

/** The envelope of an event of a map; one union member per type, so that `event_type` narrows `payload`. */
export type EventEnvelope<M extends EventMap, T extends EventType<M> = EventType<M>> = {
  [K in T]: Omit<AnyEnvelope, 'event_type' | 'payload'> & {
    readonly event_type: K;
    readonly payload: PayloadOf<M, K>;
  };
}[T];
