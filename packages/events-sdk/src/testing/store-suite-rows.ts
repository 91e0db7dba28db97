/** What the cases of the store suite are written with: rows, and the few questions they ask a store. */

import { rejects } from './check.ts';
import { isEventsSdkError } from '../errors.ts';
import type { EventQuery, EventStore, NewStoredEvent } from '../storage/port.ts';

/** One opened store under test. */
export interface StoreUnderTest {
  readonly store: EventStore;
  /** Closes and opens the same place again. A store without persistence returns the store it has. */
  reopen(): Promise<EventStore>;
  cleanup(): Promise<void>;
}

/** Promises by title; a check rejects when its promise is broken. */
export type Promises = Readonly<Record<string, (store: EventStore, opened: StoreUnderTest) => Promise<void>>>;

/** A row whose envelope says what its fields say; `lamportClock` also names it unless `eventId` is given. */
export function aStoredEvent(fields: Partial<NewStoredEvent> & { readonly lamportClock: number }): NewStoredEvent {
  const eventId = fields.eventId ?? `event-${fields.lamportClock}`;
  const { teamSlug = 'acme', projectUuid = 'project-1', aggregateId = 'WP01', eventType = 'WPStatusChanged' } = fields;
  const data = JSON.stringify({
    event_id: eventId,
    event_type: eventType,
    aggregate_id: aggregateId,
    lamport_clock: fields.lamportClock,
    team_slug: teamSlug,
    project_uuid: projectUuid,
  });
  return {
    eventId,
    eventType,
    aggregateId,
    lamportClock: fields.lamportClock,
    teamSlug,
    projectUuid,
    data,
    state: fields.state ?? 'queued',
    reason: fields.reason ?? null,
    server: fields.server ?? null,
    projectRoot: fields.projectRoot ?? null,
    enqueuedAt: fields.enqueuedAt ?? 1_770_000_000,
  };
}

/** Inserts all in one transaction; answers which were new. */
export function put(store: EventStore, ...events: readonly NewStoredEvent[]): Promise<readonly boolean[]> {
  return store.transact((tx) => events.map((event) => tx.insert(event)));
}

/** Event ids in sending order. */
export function idsOf(store: EventStore, query?: EventQuery): Promise<readonly string[]> {
  return store.read((reader) => reader.events(query).map((event) => event.eventId));
}

export function clockOf(store: EventStore): Promise<number> {
  return store.read((reader) => reader.clock());
}

/** Asserts the code a promise is rejected with. */
export async function whyRejected(
  promise: Promise<unknown>,
  code: Parameters<typeof isEventsSdkError>[1],
): Promise<void> {
  await rejects(promise, (error) => isEventsSdkError(error, code));
}
