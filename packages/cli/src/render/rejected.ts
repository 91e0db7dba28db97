/** Refused events as text and as documents. Pure. */
import type { RejectedDecision, StoredEvent } from '@spec-kitty/events-sdk';

import { ago, amount, events, iso, visible } from './words.ts';

/** `spec-kitty sync rejected list`. */
export function renderRejectedList(rejected: readonly StoredEvent[], now: number): string {
  if (rejected.length === 0) return 'The server has refused nothing that is still here.';
  const parked = rejected.filter(isParked).length;
  const lines = rejected.flatMap((row) => [
    `${row.eventId}  ${row.eventType} ${row.aggregateId}, recorded ${ago(row.enqueuedAt * 1000, now)}`,
    `  ${standing(row)}: ${row.reason ?? 'no reason given'}`,
  ]);
  return [
    ...lines,
    '',
    `${events(rejected.length)}, ${amount(parked)} set aside.`,
    'Look at one: spec-kitty sync rejected show EVENT_ID',
    'Send again: spec-kitty sync rejected retry EVENT_ID (or --all)',
  ].join('\n');
}

/** `spec-kitty sync rejected show`. */
export function renderRejectedEvent(row: StoredEvent, now: number): string {
  return [
    `${row.eventType} ${row.eventId}, recorded ${ago(row.enqueuedAt * 1000, now)}`,
    `${standing(row)}: ${row.reason ?? 'no reason given'}`,
    `For: ${row.teamSlug === null ? 'no team yet' : `team ${row.teamSlug}`}${row.server === null ? '' : ` on ${row.server}`}`,
    '',
    visible(envelopeText(row)),
  ].join('\n');
}

/** What `retry` or `drop` did. */
export function renderDecision(decision: RejectedDecision, word: 'to be sent again' | 'dropped'): string {
  const lines = [`${events(decision.done.length)} ${word}.`];
  if (decision.unknown.length > 0)
    lines.push(`No refused event has this id: ${decision.unknown.map(visible).join(', ')}`);
  if (decision.unreadable.length > 0)
    lines.push(`Not readable as events, so they cannot be sent: ${decision.unreadable.map(visible).join(', ')}`);
  if (word === 'to be sent again' && decision.done.length > 0) lines.push('Send now: spec-kitty sync now');
  return lines.join('\n');
}

/** The facts of one refused event, with its envelope where `withEnvelope` asks for it. */
export function rejectedDocument(row: StoredEvent, withEnvelope: boolean): Record<string, unknown> {
  return {
    event_id: row.eventId,
    event_type: row.eventType,
    aggregate_id: row.aggregateId,
    lamport_clock: row.lamportClock,
    team_slug: row.teamSlug,
    project_uuid: row.projectUuid,
    server: row.server,
    recorded_at: iso(row.enqueuedAt * 1000),
    retry_count: row.retryCount,
    parked: isParked(row),
    reason: row.reason,
    ...(withEnvelope ? { envelope: parsed(row) } : {}),
  };
}

/** One line of an export: the event as it would be sent, and why it was not taken. */
export function exportLine(row: StoredEvent): string {
  return visible(JSON.stringify(rejectedDocument(row, true)));
}

function isParked({ state }: StoredEvent): boolean {
  return state === 'parked';
}

function standing(row: StoredEvent): string {
  const times = row.retryCount === 1 ? 'once' : `${amount(row.retryCount)} times`;
  if (!isParked(row)) return `refused ${times}, will be tried again`;
  return row.retryCount === 0 ? 'set aside' : `refused ${times}, set aside`;
}

function envelopeText(row: StoredEvent): string {
  const value = parsed(row);
  return typeof value === 'string' ? value : JSON.stringify(value, null, 2);
}

/** The envelope; the bare text where it is not JSON. */
function parsed({ data }: StoredEvent): unknown {
  try {
    return JSON.parse(data) as unknown;
  } catch {
    return data;
  }
}
