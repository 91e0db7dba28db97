/**
 * What this clone has told the team about a feature: the packages it announced and the lane each was last told to be
 * in. It lies below git's common directory and is a memory, not a truth: without it `sync reconcile` tells again.
 */
import { join } from 'node:path';

import type { Draft, Lane, SpecKittyEvents } from '@spec-kitty/events-sdk/contract';

import { readText, writeText } from '../files/text-files.ts';
import { LANES } from '../rules/lanes.ts';
import type { Repository } from './project-root.ts';

/** What was told. */
export interface Board {
  /** True once FeatureCreated was told. */
  readonly announced: boolean;
  /** Ids of the work packages whose WPCreated was told. */
  readonly created: readonly string[];
  /** Work package id → the lane the board last heard. */
  readonly lanes: Readonly<Record<string, Lane>>;
}

/** What a team knows that was told nothing. */
export const NOTHING_TOLD: Board = { announced: false, created: [], lanes: {} };

/** The memory of a feature; nothing told where there is none, or it cannot be read. */
export function readBoard(repository: Repository, feature: string): Board {
  try {
    const value: unknown = JSON.parse(readText(pathOf(repository, feature), 'the memory of the board') ?? '{}');
    return isBoard(value) ? value : NOTHING_TOLD;
  } catch {
    return NOTHING_TOLD;
  }
}

/** Remembers that these events were recorded. */
export function rememberTold(repository: Repository, feature: string, drafts: readonly Draft<SpecKittyEvents>[]): void {
  const before = readBoard(repository, feature);
  const after = boardAfter(before, drafts);
  if (after !== before) writeText(pathOf(repository, feature), `${JSON.stringify(after)}\n`);
}

/** What the team knows once it was told these too. */
export function boardAfter(board: Board, drafts: readonly Draft<SpecKittyEvents>[]): Board {
  return drafts.reduce(told, board);
}

function told(board: Board, draft: Draft<SpecKittyEvents>): Board {
  switch (draft.type) {
    case 'FeatureCreated':
      return { ...board, announced: true };
    case 'WPCreated':
      // A new card stands in planned; announced again it stays where it is.
      return {
        ...board,
        created: [...new Set([...board.created, draft.payload.wp_id])],
        lanes: { [draft.payload.wp_id]: 'planned', ...board.lanes },
      };
    case 'WPStatusChanged':
      return { ...board, lanes: { ...board.lanes, [draft.payload.wp_id]: draft.payload.new_status } };
    case 'WPAssigned':
    case 'FeatureCompleted':
    case 'HistoryAdded':
    case 'ErrorLogged':
    case 'DependencyResolved':
      return board;
    default:
      return draft satisfies never;
  }
}

function isBoard(value: unknown): value is Board {
  if (typeof value !== 'object' || value === null || !('announced' in value) || !('lanes' in value)) return false;
  if (!('created' in value) || !Array.isArray(value.created)) return false;
  const { lanes } = value;
  return (
    typeof lanes === 'object' &&
    lanes !== null &&
    Object.values(lanes).every((lane) => LANES.some((known) => known === lane))
  );
}

function pathOf(repository: Repository, feature: string): string {
  return join(repository.gitCommonDir, 'spec-kitty', 'board', `${feature}.json`);
}
