/**
 * Checks one event of a batch against the contract, strictly. A refusal names the field and what is expected
 * there, never what stood there: the text travels back to logs and terminals (SEC-2).
 */
import * as v from 'valibot';

import { wireEnvelopeSchema } from '../../contract/envelope.ts';
import type { EventMap } from '../../contract/event-map.ts';
import { describeIssue } from '../../contract/issues.ts';

/** An event that may travel. */
export type WireEnvelope = v.InferOutput<typeof wireEnvelopeSchema>;

/** A checked event, or the reason why it is none. */
export type EventCheck =
  | { readonly ok: true; readonly envelope: WireEnvelope }
  | { readonly ok: false; readonly error: string };

/** Checks envelope, event type, payload, and that the aggregate is the one the payload speaks of. */
export function checkEvent(value: unknown, events: EventMap): EventCheck {
  const envelope = v.safeParse(wireEnvelopeSchema, value, { abortEarly: true });
  if (!envelope.success) return refusal(describeIssue(envelope.issues[0]));

  const { event_type, payload, aggregate_id, aggregate_type } = envelope.output;
  const definition = Object.hasOwn(events, event_type) ? events[event_type] : undefined;
  if (definition === undefined) return refusal('event_type: is not an event of this contract');

  const checked = v.safeParse(definition.payload, payload, { abortEarly: true });
  if (!checked.success) return refusal(describeIssue(checked.issues[0], 'payload'));

  if (aggregate_id !== definition.aggregateId(checked.output)) return refusal('aggregate_id: does not fit the payload');
  const expectedType = definition.aggregateType;
  if (aggregate_type !== (typeof expectedType === 'function' ? expectedType(checked.output) : expectedType)) {
    return refusal('aggregate_type: does not fit the event type');
  }
  return { ok: true, envelope: envelope.output };
}

function refusal(error: string): EventCheck {
  return { ok: false, error };
}
