/**
 * Events a server has refused. They are kept with its reason until a person decides: send them again, or let them
 * go. Nothing here is ever done by the engine.
 */
import type { EventStore, StoredEvent, StoreReader } from '../storage/port.ts';
import { addToCounter, VALUE } from '../storage/values.ts';

/** Which of the refused events: these, or every one. */
export type RejectedSelection = readonly string[] | 'all';

/** What a decision changed. */
export interface RejectedDecision {
  /** The events it was carried out on. */
  readonly done: readonly string[];
  /** Named, but there is no refused event with that id. */
  readonly unknown: readonly string[];
  /** Named, but not readable as an event: it can be exported and dropped, never sent. */
  readonly unreadable: readonly string[];
}

/** The refused events of a home. Methods reject with STORAGE_*. */
export interface RejectedEvents {
  /** In sending order: set aside for good, or still to be tried again. */
  list(): Promise<readonly StoredEvent[]>;
  /** Sends them again, with all their tries before them. */
  retry(which: RejectedSelection): Promise<RejectedDecision>;
  /** Removes them, counted among the dropped. What is removed cannot be had back: export it first. */
  drop(which: RejectedSelection): Promise<RejectedDecision>;
}

/** Why a row that is no event stands aside. */
const UNREADABLE = 'unreadable';

/** The refused events of a store; `open` is called for each request. */
export function createRejectedEvents(open: () => Promise<EventStore>): RejectedEvents {
  return {
    list: async () => (await open()).read(readRejected),
    async retry(which) {
      return (await open()).transact((tx) => {
        const { chosen, unknown } = choose(tx, which);
        const unreadable = chosen.filter(isUnreadable);
        const done = chosen.filter((row) => !isUnreadable(row));
        for (const { eventId } of done) tx.update(eventId, { state: 'queued', reason: null, retryCount: 0 });
        return { done: idsOf(done), unknown, unreadable: which === 'all' ? [] : idsOf(unreadable) };
      });
    },
    async drop(which) {
      return (await open()).transact((tx) => {
        const { chosen, unknown } = choose(tx, which);
        tx.remove(idsOf(chosen));
        if (chosen.length > 0) addToCounter(tx, VALUE.dropped, chosen.length);
        return { done: idsOf(chosen), unknown, unreadable: [] };
      });
    },
  };
}

function readRejected(reader: StoreReader): readonly StoredEvent[] {
  return reader.events().filter((row) => row.state === 'parked' || row.retryCount > 0);
}

function choose(
  reader: StoreReader,
  which: RejectedSelection,
): { readonly chosen: readonly StoredEvent[]; readonly unknown: readonly string[] } {
  const rejected = readRejected(reader);
  if (which === 'all') return { chosen: rejected, unknown: [] };
  const byId = new Map(rejected.map((row) => [row.eventId, row]));
  const wanted = [...new Set(which)];
  return {
    chosen: wanted.flatMap((id) => byId.get(id) ?? []),
    unknown: wanted.filter((id) => !byId.has(id)),
  };
}

function isUnreadable(row: StoredEvent): boolean {
  return row.state === 'parked' && row.reason === UNREADABLE;
}

function idsOf(rows: readonly StoredEvent[]): readonly string[] {
  return rows.map(({ eventId }) => eventId);
}
