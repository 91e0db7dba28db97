/**
 * What a batch comes to. Who may send it is decided for the whole batch before anything else; then every
 * event gets its own verdict, in request order, and all of it is one transaction.
 */
import type { EventMap } from '../../contract/event-map.ts';
import type { Time } from '../../internal/time.ts';
import type { Account } from './accounts.ts';
import type { ServerDatabase } from './database.ts';
import type { Anomaly, EventLog } from './event-log.ts';
import { checkEvent, type WireEnvelope } from './validate.ts';

/** One element of the answer's `results`, as it is written on the wire. */
export interface EventResult {
  /** Null when the element carried no usable id. */
  readonly event_id: string | null;
  readonly status: 'success' | 'duplicate' | 'rejected';
  readonly error?: string;
  readonly anomaly?: Anomaly;
  /** With a rejection for the Lamport value: where the server's clock stands. Our extension (DESIGN §4.7). */
  readonly server_clock?: number;
}

/** The answer to a batch. */
export type BatchOutcome =
  | { readonly kind: 'ok'; readonly results: readonly EventResult[]; readonly stored: readonly WireEnvelope[] }
  | {
      readonly kind: 'bad-request';
      readonly error: string;
      readonly details?: readonly { readonly event_id: string; readonly detail: string }[];
    }
  | { readonly kind: 'forbidden'; readonly error: string };

/** How a poisoned event is refused: alone, or with its whole batch, which may name it. `none` heals it. */
export type Poison = 'event' | 'batch' | 'batch-with-details' | 'none';

/** Takes batches in. */
export interface BatchIntake {
  take(body: unknown, account: Account): BatchOutcome;
  /** From now on an event at or below `value` is rejected for its Lamport value; null switches this off. */
  rejectClocksUpTo(value: number | null): void;
  /** From now on these events are refused, whatever is in them. */
  poison(eventIds: readonly string[], how: Poison): void;
  /** The server's clock as this account may see it. */
  clock(account: Account): number;
}

/** Rolls the transaction back: an event of the batch belongs where the account may not write. */
class ForbiddenEvent extends Error {}

/** The intake of one server. */
export function createBatchIntake(deps: {
  readonly database: ServerDatabase;
  readonly log: EventLog;
  readonly time: Time;
  readonly maxEvents: number;
  /** What it knows; an event of any other type is rejected. */
  readonly events: EventMap;
}): BatchIntake {
  const { database, log, time, maxEvents } = deps;
  let clockFloor: number | null = null;
  const poisoned = new Map<string, Poison>();

  const clock = (account: Account): number => Math.max(clockFloor ?? 0, log.highestClock(account.teams));

  /** Looks at the raw element: also a malformed event must not probe another team. */
  function requireOwn(element: unknown, index: number, account: Account): void {
    const team = stringAt(element, 'team_slug');
    if (team === undefined) return;
    if (!account.teams.includes(team))
      throw new ForbiddenEvent(`events[${index}].team_slug: you are not a member of this team`);
    const project = stringAt(element, 'project_uuid');
    const owner = project === undefined ? undefined : log.ownerOf(project);
    if (owner !== undefined && owner !== team)
      throw new ForbiddenEvent(`events[${index}].project_uuid: belongs to another team`);
  }

  function decide(element: unknown, index: number, account: Account, stored: WireEnvelope[]): EventResult {
    // Again, because an event before this one may just have given the project to another of the user's teams.
    requireOwn(element, index, account);
    const id = stringAt(element, 'event_id');
    const team = stringAt(element, 'team_slug');
    if (id !== undefined && team !== undefined && log.has(team, id)) return { event_id: id, status: 'duplicate' };

    if (id !== undefined && poisoned.get(id) === 'event')
      return { event_id: id, status: 'rejected', error: 'payload: refused by this server' };
    const check = checkEvent(element, deps.events);
    if (!check.ok) return { event_id: id ?? null, status: 'rejected', error: check.error };

    const { envelope } = check;
    if (clockFloor !== null && envelope.lamport_clock <= clockFloor) {
      return {
        event_id: envelope.event_id,
        status: 'rejected',
        error: 'lamport_clock: behind the clock of the server',
        server_clock: clock(account),
      };
    }
    const anomaly = log.append(envelope, account.username, time.now());
    stored.push(envelope);
    return { event_id: envelope.event_id, status: 'success', ...(anomaly === null ? {} : { anomaly }) };
  }

  function refuseWhole(events: readonly unknown[]): BatchOutcome | undefined {
    const ids = events.flatMap((element) => stringAt(element, 'event_id') ?? []);
    const named = ids.filter((id) => poisoned.get(id) === 'batch-with-details');
    if (named.length === 0 && !ids.some((id) => poisoned.get(id) === 'batch')) return undefined;
    const details = named.map((id) => ({ event_id: id, detail: 'payload: refused by this server' }));
    return { kind: 'bad-request', error: 'Validation failed', ...(details.length === 0 ? {} : { details }) };
  }

  return {
    clock,
    poison(eventIds, how) {
      for (const id of eventIds) poisoned.set(id, how);
    },
    rejectClocksUpTo(value) {
      clockFloor = value;
    },
    take(body, account) {
      const events = eventsOf(body);
      if (events === undefined) return { kind: 'bad-request', error: 'events: expected a list' };
      if (events.length === 0) return { kind: 'bad-request', error: 'No events provided' };
      if (events.length > maxEvents) return { kind: 'bad-request', error: `Max ${maxEvents} events per batch` };
      const refusal = refuseWhole(events);
      if (refusal !== undefined) return refusal;
      const stored: WireEnvelope[] = [];
      try {
        const results = database.transact(() => {
          events.forEach((element, index) => {
            requireOwn(element, index, account);
          });
          return events.map((element, index) => decide(element, index, account, stored));
        });
        return { kind: 'ok', results, stored };
      } catch (error) {
        if (error instanceof ForbiddenEvent) return { kind: 'forbidden', error: error.message };
        throw error;
      }
    },
  };
}

/** The list of events; an absent one counts as empty, anything else that is no list is undefined. */
function eventsOf(body: unknown): readonly unknown[] | undefined {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return undefined;
  const events = 'events' in body ? body.events : [];
  return Array.isArray(events) ? events : undefined;
}

function stringAt(element: unknown, key: string): string | undefined {
  if (typeof element !== 'object' || element === null) return undefined;
  const value: unknown = Reflect.get(element, key);
  return typeof value === 'string' ? value : undefined;
}
