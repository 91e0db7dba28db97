/** What the team does not know yet of a feature: what it was told, held against what the files say. Pure. */
import type { Draft, Lane, SpecKittyEvents } from '@spec-kitty/events-sdk/contract';

import { boardAfter, NOTHING_TOLD, type Board } from './board.ts';

/** What is known of both sides. */
export interface BoardGapInput {
  readonly told: Board;
  /** Events that wait to be told by themselves. */
  readonly waiting: readonly Draft<SpecKittyEvents>[];
  /** Work package id → its lane on disk. */
  readonly lanes: ReadonlyMap<string, Lane>;
  /** Ids with a file nobody can read: neither gone nor known. */
  readonly unreadable: readonly string[];
  /** As if nothing had ever been told. */
  readonly all: boolean;
}

/** What has to be told. Ids are sorted. */
export interface BoardGap {
  readonly announce: boolean;
  readonly created: readonly string[];
  readonly moved: readonly { readonly wpId: string; readonly previous: Lane; readonly next: Lane }[];
  /** Told once and no longer on disk: there is no event for that. */
  readonly gone: readonly string[];
}

/** Finds it. A new card stands in planned; a jump over several lanes is told as one. */
export function boardGap({ told, waiting, lanes, unreadable, all }: BoardGapInput): BoardGap {
  const known = boardAfter(all ? NOTHING_TOLD : told, waiting);
  const ids = [...lanes.keys()].toSorted();
  return {
    announce: ids.length > 0 && !known.announced,
    created: ids.filter((id) => !known.created.includes(id)),
    moved: ids.flatMap((wpId) => {
      const next = lanes.get(wpId) ?? 'planned';
      // Told again, a card that is known already stays where it is: it is moved back to planned from there.
      const previous = known.lanes[wpId] ?? (next === 'planned' ? told.lanes[wpId] : undefined) ?? 'planned';
      return previous === next ? [] : [{ wpId, previous, next }];
    }),
    gone: Object.keys(told.lanes)
      .filter((id) => !lanes.has(id) && !unreadable.includes(id))
      .toSorted(),
  };
}
