/** Shows a run while it goes on: a live table on a terminal, a line per change elsewhere, a document per change under `--json`. */
import type { Invocation } from './invocation.ts';
import { CONNECTION_LABELS } from './render/indicator.ts';
import { runLine } from './render/orchestrate.ts';
import { isColourful } from './render/paint.ts';
import { boardAfter, EMPTY_BOARD, renderBoard } from './render/run-board.ts';
import { harmless } from './render/words.ts';
import type { RunChange } from './workflow/orchestrate/run-change.ts';

/** A display. */
export interface RunDisplay {
  tell(change: RunChange): void;
  /** Leaves the terminal to others. */
  close(): void;
}

const REDRAW_MS = 1_000;

/** Chooses how to show it. `--json` and pipes get lines on stdout; a person gets the table on stderr. */
export async function createRunDisplay(invocation: Invocation): Promise<RunDisplay> {
  if (invocation.json || invocation.stderr.isTTY !== true) {
    return {
      tell(change) {
        // The summary is the command's own answer.
        if (change.kind === 'ended') return;
        const now = Date.now();
        invocation.line({ time: new Date(now).toISOString(), ...change }, runLine(change, now));
      },
      close: () => {},
    };
  }
  const { createLogUpdate } = await import('log-update');
  const update = createLogUpdate(process.stderr, { showCursor: true });
  let board = EMPTY_BOARD;
  let sync = '';
  const draw = (): void => {
    // A terminal nobody has given a size says 0.
    const columns = invocation.stderr.columns || 80;
    const text = renderBoard(board, { now: Date.now(), columns, paint: invocation.paint, sync });
    update(harmless(text, isColourful(invocation.env, true)));
  };
  const redraw = setInterval(() => {
    void syncWords(invocation).then((words) => {
      sync = words;
    });
    draw();
  }, REDRAW_MS);
  return {
    tell(change) {
      board = boardAfter(board, change, Date.now());
      if (change.kind === 'warning') {
        update.clear();
        invocation.say(runLine(change, Date.now()));
      }
      draw();
    },
    close() {
      clearInterval(redraw);
      update.done();
    },
  };
}

/** The link as the home knows it; empty when nothing has been recorded yet. */
async function syncWords(invocation: Invocation): Promise<string> {
  try {
    const client = await invocation.openedClient();
    if (client === null) return '';
    const { connection, queued } = await client.status();
    return `${CONNECTION_LABELS[connection.state]}${queued === 0 ? '' : ` ${queued} waiting`}`;
  } catch {
    return '';
  }
}
