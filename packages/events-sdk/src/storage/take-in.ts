/**
 * Takes in what was spilled: a store whose every transaction first gives the events that wait beside it their place in
 * the order, so that nobody has to remember them. Each is taken in once, also when a process is killed between the
 * commit and the removal: the names are noted in the same transaction, and a name that stands there is only removed.
 */
import { nextTick } from '../clock/lamport.ts';
import { addClock } from '../events/stamp.ts';
import { isEventsSdkError } from '../errors.ts';
import type { Logger } from '../internal/logger.ts';
import type { EventStore, StoreTransaction } from './port.ts';
import type { Spill, SpilledEvent } from './spill.ts';
import { projectTeamKey, readJson, VALUE } from './values.ts';

export interface TakeInDeps {
  readonly spill: Spill;
  /** The home's node, which taken-in events belong to like any other. */
  readonly nodeId: string;
  /** Default: silence. */
  readonly logger?: Logger;
}

/** `store`, taking in what `spill` holds. They are counted as recorded already: no cap keeps them out. */
export function takingIn(store: EventStore, deps: TakeInDeps): EventStore {
  const { spill } = deps;
  return {
    ...store,
    async transact(work) {
      let taken: readonly string[] = [];
      let isTakingIn = false;
      const attempt = store.transact((tx) => {
        isTakingIn = true;
        taken = spill.isEmpty() ? [] : takeIn(tx, deps);
        isTakingIn = false;
        return work(tx);
      });
      const result = await attempt.catch((cause: unknown) => {
        if (!isTakingIn) throw cause;
        // What waits beside the store must not keep it from everything else.
        deps.logger?.warn('spill-waits', `Events kept beside the queue cannot be taken in yet: ${messageOf(cause)}`);
        taken = [];
        return store.transact(work);
      });
      // Only now are they safe in the store.
      if (taken.length > 0) spill.remove(taken);
      return result;
    },
  };
}

/** Inserts everything that was not taken in before; answers what may be removed once this is committed. */
function takeIn(tx: StoreTransaction, { spill, nodeId }: TakeInDeps): readonly string[] {
  const emissions = spill.list();
  const before = new Set(namesOf(readJson(tx, VALUE.takenIn)));
  // At the end of its numbers a clock has no place to give; the events keep waiting rather than break every transaction.
  const count = emissions.reduce((sum, { events }) => sum + events.length, 0);
  if (!Number.isSafeInteger(tx.clock() + count)) return [];
  for (const { name, events } of emissions) {
    if (!before.has(name)) for (const event of events) insert(tx, event, nodeId);
  }
  const names = emissions.map(({ name }) => name);
  // What lies there no more needs no note, so the note does not grow.
  tx.setValue(VALUE.takenIn, names.length === 0 ? null : JSON.stringify(names));
  return names;
}

function insert(tx: StoreTransaction, event: SpilledEvent, nodeId: string): void {
  // An emission that failed after all of it was stored is spilled with the same ids.
  if (tx.event(event.envelope.event_id) !== undefined) return;
  const placed = place(tx, event);
  const lamportClock = nextTick(tx.clock());
  const envelope = addClock(placed.envelope, { nodeId, lamportClock });
  tx.raiseClock(lamportClock);
  tx.insert({
    eventId: envelope.event_id,
    eventType: envelope.event_type,
    aggregateId: envelope.aggregate_id,
    lamportClock,
    teamSlug: envelope.team_slug,
    projectUuid: envelope.project_uuid,
    data: JSON.stringify(envelope),
    state: placed.state,
    reason: placed.reason,
    server: event.server,
    projectRoot: event.projectRoot,
    enqueuedAt: event.enqueuedAt,
  });
}

/** The team this home last delivered a project under was out of reach at emission; it is asked now, as it would have been then. */
function place(tx: StoreTransaction, event: SpilledEvent): SpilledEvent {
  const { project_uuid: project, team_slug: team } = event.envelope;
  if (event.state !== 'queued' || event.projectTeam !== null || project === null) return event;
  const delivered = tx.value(projectTeamKey(project));
  if (delivered === undefined || delivered === team) return event;
  return { ...event, state: 'held', reason: 'team-changed', envelope: { ...event.envelope, team_slug: null } };
}

function messageOf(cause: unknown): string {
  return isEventsSdkError(cause) ? cause.message : 'an unexpected error.';
}

function namesOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((name) => typeof name === 'string') : [];
}
