/**
 * A server that refuses an event for its Lamport value has seen later ones: this home was restored from a backup, say
 * (EC-3, DESIGN §4.7). Our clock moves above the server's, and the refused events and everything waiting behind them
 * of the same aggregate get new values in their old order, so that nothing overtakes. The ids stay. This is our
 * reading of the requirement: the public contract knows no such refusal.
 */
import { afterReceiving, MAX_REMOTE_CLOCK, nextTick } from '../clock/lamport.ts';
import type { EventVerdict } from '../contract/batch.ts';
import type { StoredEvent, StoreTransaction } from '../storage/port.ts';

/** True for a rejection that is about the event's clock value. */
export function isClockRejection({ verdict, reason, serverClock }: EventVerdict): boolean {
  return verdict === 'rejected' && (serverClock !== undefined || /\blamport|\bclock/i.test(reason ?? ''));
}

/** The highest value the rejections carry; undefined when none does. */
export function carriedClock(verdicts: readonly EventVerdict[]): number | undefined {
  const values = verdicts.filter(isClockRejection).flatMap(({ serverClock }) => serverClock ?? []);
  return values.length === 0 ? undefined : Math.max(...values);
}

/** A row that got a new value. */
export interface MovedRow {
  readonly eventId: string;
  readonly lamportClock: number;
}

/**
 * Moves the clock above `serverClock` and re-stamps. Nothing happens to events that are not behind that value: then
 * their clock was not what the server minded, or the value cannot be true. `isSettled` names rows the server already
 * holds under their present value.
 */
export function moveBehindServer(
  tx: StoreTransaction,
  refused: readonly StoredEvent[],
  serverClock: number,
  isSettled: (eventId: string) => boolean,
): readonly MovedRow[] {
  if (!Number.isSafeInteger(serverClock) || serverClock > MAX_REMOTE_CLOCK) return [];
  const late = refused.filter((event) => event.lamportClock <= serverClock);
  const first = late[0];
  if (first === undefined) return [];

  let clock = afterReceiving(tx.clock(), serverClock);
  const moved: MovedRow[] = [];
  const rows = tx.events({
    states: ['queued', 'held'],
    after: { lamportClock: first.lamportClock, seq: first.seq - 1 },
  });
  for (const row of rows) {
    if (isSettled(row.eventId) || !late.some((event) => isSameOrBehind(row, event))) continue;
    clock = nextTick(clock);
    tx.update(row.eventId, { data: withClock(row.data, clock), lamportClock: clock });
    moved.push({ eventId: row.eventId, lamportClock: clock });
  }
  tx.raiseClock(clock);
  return moved;
}

/** In sending order at or behind `event`, and about the same thing. */
function isSameOrBehind(row: StoredEvent, event: StoredEvent): boolean {
  if (row.aggregateId !== event.aggregateId || !isSameProject(row, event)) return false;
  return row.lamportClock > event.lamportClock || (row.lamportClock === event.lamportClock && row.seq >= event.seq);
}

/** A held row may not know its project yet; the place it came from tells. */
function isSameProject(a: StoredEvent, b: StoredEvent): boolean {
  if (a.projectUuid !== null && b.projectUuid !== null) return a.projectUuid === b.projectUuid;
  return a.projectRoot !== null && a.projectRoot === b.projectRoot;
}

/** The envelope's text with another clock value; key order and everything else stay. */
function withClock(data: string, lamportClock: number): string {
  // Rows are JSON objects: the store does not hand out others.
  const envelope = JSON.parse(data) as Record<string, unknown>;
  return JSON.stringify({ ...envelope, lamport_clock: lamportClock });
}
