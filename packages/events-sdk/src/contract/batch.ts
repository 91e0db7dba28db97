/**
 * The batch endpoint's answers (CONTRACT §9). Readers are tolerant: every status any server version has
 * used is mapped to one of four verdicts, and a malformed element is dropped, never guessed at.
 */
import * as v from 'valibot';

import { MAX_VERDICTS_READ } from '../internal/verdict-limit.ts';
import { wireEnvelopeSchema } from './envelope.ts';
import { MAX_EVENTS_PER_BATCH } from './limits.ts';

/** Where batches go, below the server's address. The trailing slash matters (CONTRACT §9.1). */
export const BATCH_PATH = '/api/v1/events/batch/';

/** A batch request's body (CONTRACT §9.1): one to a thousand envelopes, in clock order. */
export const batchRequestSchema = v.object({
  events: v.pipe(v.array(wireEnvelopeSchema), v.minLength(1), v.maxLength(MAX_EVENTS_PER_BATCH)),
});

/**
 * How many bytes a request's body has before it is compressed: the events' texts with what stands around them.
 * Servers count these against their limits.
 */
export function batchBytes(events: readonly { readonly data: string }[]): number {
  const encoder = new TextEncoder();
  return events.reduce((sum, { data }) => sum + encoder.encode(data).length + 1, '{"events":[]}'.length);
}

/** What a server can say of one event. */
export type Verdict = 'success' | 'duplicate' | 'pending' | 'rejected';

/** One event's verdict, with the server's reason where it gave one. */
export interface EventVerdict {
  readonly eventId: string;
  readonly verdict: Verdict;
  /** The server's own words for a rejection. */
  readonly reason?: string;
  /** The server's clock, where a rejection for the Lamport value carries it (DESIGN §4.7). */
  readonly serverClock?: number;
}

/** Limits a server advertises in a body (CONTRACT §9.3, §9.6). */
export interface AdvertisedLimits {
  readonly maxEvents?: number;
  readonly maxBytes?: number;
}

const VERDICTS: Readonly<Record<string, Verdict>> = {
  success: 'success',
  accepted: 'success',
  warning: 'success',
  duplicate: 'duplicate',
  pending: 'pending',
  queued: 'pending',
  rejected: 'rejected',
  error: 'rejected',
};

const resultSchema = v.looseObject({
  event_id: v.string(),
  status: v.string(),
  error: v.optional(v.unknown()),
  error_message: v.optional(v.unknown()),
  server_clock: v.optional(v.unknown()),
});

/** A 200 answer's body (CONTRACT §9.2). Elements are read one by one, so that a damaged one costs only itself. */
export const batchResponseSchema = v.looseObject({ results: v.array(v.unknown()) });

/** The verdicts of a 200 body; undefined when the body is not one of this contract. */
export function readVerdicts(body: unknown): readonly EventVerdict[] | undefined {
  const parsed = v.safeParse(batchResponseSchema, body);
  if (!parsed.success) return undefined;
  return parsed.output.results.slice(0, MAX_VERDICTS_READ).flatMap((entry) => {
    const result = v.safeParse(resultSchema, entry);
    return result.success ? [toVerdict(result.output)] : [];
  });
}

function toVerdict(result: v.InferOutput<typeof resultSchema>): EventVerdict {
  // An unknown status is no permission to forget the event: it counts as a rejection with that word.
  // Own words only: "toString" is one of every object's.
  const verdict = (Object.hasOwn(VERDICTS, result.status) ? VERDICTS[result.status] : undefined) ?? 'rejected';
  const reason =
    text(result.error_message) ??
    text(result.error) ??
    (verdict === 'rejected' ? `status "${result.status}"` : undefined);
  const serverClock = result.server_clock;
  return {
    eventId: result.event_id,
    verdict,
    ...(reason === undefined ? {} : { reason }),
    ...(typeof serverClock === 'number' && Number.isSafeInteger(serverClock) ? { serverClock } : {}),
  };
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
