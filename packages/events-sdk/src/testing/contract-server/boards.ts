/**
 * The current board of every team, kept up with the log: usually only what is new is read, and all of it
 * again when an event arrives that belongs before one already shown (two machines, or work done offline).
 */
import { createBoardProjection, type Board, type BoardProjection } from './board.ts';
import type { EventLog } from './event-log.ts';

/** Boards by team. */
export interface Boards {
  board(team: string): Board;
}

/** Boards over a log; nothing is read before one is asked for. */
export function createBoards(log: EventLog): Boards {
  const kept = new Map<string, { readonly projection: BoardProjection; readonly seq: number }>();

  function start(team: string): BoardProjection {
    const projection = createBoardProjection(team);
    for (const { envelope } of log.events({ team })) projection.apply(envelope);
    return projection;
  }

  return {
    board(team) {
      const { seq } = log.latest(team);
      const known = kept.get(team);
      if (known?.seq === seq) return known.projection.board();

      const isGrown =
        known !== undefined &&
        log.events({ team, afterSeq: known.seq }).every(({ envelope }) => known.projection.apply(envelope));
      const projection = isGrown ? known.projection : start(team);
      kept.set(team, { projection, seq });
      return projection.board();
    },
  };
}
