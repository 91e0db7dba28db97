/** Where waiting events are to go: a count for each team and server they are bound to. */
import type { StoreReader } from '../storage/port.ts';
import { knownTeam } from './binding.ts';

/** Waiting events with one destination. */
export interface Destination {
  /** Null: not known yet; they are bound when it is. */
  readonly teamSlug: string | null;
  /** Null: not known yet. */
  readonly server: string | null;
  readonly count: number;
}

/** Destinations of all queued and held events, the largest group first. */
export function readDestinations(reader: StoreReader): readonly Destination[] {
  const groups = new Map<string, Destination>();
  for (const row of reader.events({ states: ['queued', 'held'] })) {
    const teamSlug = knownTeam(row.teamSlug);
    const key = JSON.stringify([teamSlug, row.server]);
    const count = (groups.get(key)?.count ?? 0) + 1;
    groups.set(key, { teamSlug, server: row.server, count });
  }
  return [...groups.values()].toSorted((a, b) => b.count - a.count);
}
