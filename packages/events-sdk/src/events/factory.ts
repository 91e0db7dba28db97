/**
 * The event factory (FR-001, FR-003, FR-006): each method takes an event's facts, ticks the clock and
 * returns the whole envelope. It stores nothing; a program that wants durability uses the emitter, which
 * ticks and appends in one transaction.
 */
import type { LamportClock } from '../clock/lamport.ts';
import type { EventEnvelope } from '../contract/envelope.ts';
import type { Draft, EventMap, EventType } from '../contract/event-map.ts';
import { specKittyEvents, type SpecKittyEvents } from '../contract/spec-kitty-events.ts';
import { EventsSdkError } from '../errors.ts';
import { systemTime, type Time } from '../internal/time.ts';
import * as builders from './builders.ts';
import { checkDraft } from './check.ts';
import { stampEvent, type StampFacts } from './stamp.ts';

/** What a factory needs. */
export interface EventFactoryDeps {
  readonly clock: LamportClock;
  /** A new ULID for each call. */
  readonly newUlid: () => string;
  /** Team, project, node and git facts of the moment. */
  readonly facts: () => StampFacts | Promise<StampFacts>;
  readonly time?: Time;
}

/** Turns a draft of any event map into an envelope. Rejects with INVALID_ARGUMENT before the clock has ticked. */
export function createEnvelopeFactory<M extends EventMap>(deps: EventFactoryDeps & { readonly events: M }) {
  const time = deps.time ?? systemTime;
  return async function create<T extends EventType<M>>(draft: Draft<M, T>): Promise<EventEnvelope<M, T>> {
    const check = checkDraft(deps.events, draft);
    if (!check.ok) throw new EventsSdkError('INVALID_ARGUMENT', `${draft.type}: ${check.message}`);
    const facts = await deps.facts();
    const lamportClock = await deps.clock.tick();
    const envelope = stampEvent({ type: draft.type, ...check }, facts, {
      eventId: deps.newUlid(),
      lamportClock,
      causationId: draft.causationId ?? null,
      at: time.now(),
    });
    // The type and payload are the draft's own, just checked against the map's schema.
    return envelope as EventEnvelope<M, T>;
  };
}

/** What a method of the factory makes. */
export type Created<T extends keyof SpecKittyEvents> = Promise<EventEnvelope<SpecKittyEvents, T>>;

/** The eight Spec Kitty events as methods, each returning the stamped envelope. */
export interface EventFactory {
  wpStatusChanged(input: builders.WpStatusChangedInput): Created<'WPStatusChanged'>;
  wpCreated(input: builders.WpCreatedInput): Created<'WPCreated'>;
  wpAssigned(input: builders.WpAssignedInput): Created<'WPAssigned'>;
  featureCreated(input: builders.FeatureCreatedInput): Created<'FeatureCreated'>;
  featureCompleted(input: builders.FeatureCompletedInput): Created<'FeatureCompleted'>;
  historyAdded(input: builders.HistoryAddedInput): Created<'HistoryAdded'>;
  errorLogged(input: builders.ErrorLoggedInput): Created<'ErrorLogged'>;
  dependencyResolved(input: builders.DependencyResolvedInput): Created<'DependencyResolved'>;
}

/** The factory of the eight Spec Kitty events. */
export function createEventFactory(deps: EventFactoryDeps): EventFactory {
  const create = createEnvelopeFactory({ ...deps, events: specKittyEvents });
  return {
    wpStatusChanged: (input) => create(builders.wpStatusChanged(input)),
    wpCreated: (input) => create(builders.wpCreated(input)),
    wpAssigned: (input) => create(builders.wpAssigned(input)),
    featureCreated: (input) => create(builders.featureCreated(input)),
    featureCompleted: (input) => create(builders.featureCompleted(input)),
    historyAdded: (input) => create(builders.historyAdded(input)),
    errorLogged: (input) => create(builders.errorLogged(input)),
    dependencyResolved: (input) => create(builders.dependencyResolved(input)),
  };
}
