/** The live table of a run: what is known after each change, and how it looks on a terminal. Pure. */
import type { RunChange } from '../workflow/orchestrate/run-change.ts';
import type { Paint, Style } from './paint.ts';
import { duration, visible } from './words.ts';

/** One package as the table has it. */
interface Row {
  readonly status: string;
  readonly agent: string;
  readonly since: number;
  readonly note: string;
}

/** What the table shows. */
export interface RunBoard {
  readonly feature: string;
  readonly startedAt: number;
  readonly rows: ReadonlyMap<string, Row>;
}

/** Before the run has said anything. */
export const EMPTY_BOARD: RunBoard = { feature: '', startedAt: 0, rows: new Map() };

/** The table after a change. */
export function boardAfter(board: RunBoard, change: RunChange, now: number): RunBoard {
  if (change.kind === 'started') {
    const rows = change.packages
      .toSorted((a, b) => (a.wp_id < b.wp_id ? -1 : 1))
      .map(({ wp_id, status }) => [wp_id, { status, agent: '', since: now, note: '' }] as const);
    return { feature: change.feature, startedAt: now, rows: new Map(rows) };
  }
  if (!('wp_id' in change)) return board;
  const before = board.rows.get(change.wp_id) ?? { status: '', agent: '', since: now, note: '' };
  const row = rowAfter(before, change, now);
  return row === before ? board : { ...board, rows: new Map([...board.rows, [change.wp_id, row]]) };
}

function rowAfter(row: Row, change: Extract<RunChange, { wp_id: string }>, now: number): Row {
  switch (change.kind) {
    case 'assigned':
      return { status: change.role, agent: change.agent, since: now, note: change.is_retry ? 'once more' : '' };
    case 'attempt-failed':
      return { ...row, status: 'waiting', since: now, note: `${change.agent} failed: ${change.message}` };
    case 'rejected':
      return { ...row, status: 'rework', since: now, note: change.reason };
    case 'lane':
      return change.next === 'for_review' ? { ...row, status: 'for review', since: now, note: '' } : row;
    case 'completed':
      return { ...row, status: 'done', since: now, note: '' };
    case 'failed':
      return { ...row, status: 'failed', since: now, note: change.message };
    case 'log':
      return row;
    default:
      return change satisfies never;
  }
}

const STYLES: Readonly<Record<string, Style>> = { done: 'green', failed: 'red', rework: 'yellow', waiting: 'yellow' };

/** How it is shown. */
export interface BoardView {
  readonly now: number;
  readonly columns: number;
  readonly paint: Paint;
  /** The link to the server in a few words; empty when there is nothing to say. */
  readonly sync: string;
}

/** The table as text, no line wider than the terminal. */
export function renderBoard(board: RunBoard, { now, columns, paint, sync }: BoardView): string {
  const lines = [...board.rows].map(([id, row]) => {
    const busy = row.status === 'implementation' || row.status === 'review';
    const time = busy ? duration(now - row.since) : '';
    const plain = `${id}  ${row.status.padEnd(14)}  ${row.agent.padEnd(10)}  ${time.padEnd(7)}  ${visible(row.note).replaceAll('\n', ' ')}`;
    const cut = plain.trimEnd().slice(0, Math.max(20, columns - 1));
    const style = STYLES[row.status];
    return style === undefined ? cut : paint(style, cut);
  });
  const done = [...board.rows.values()].filter((row) => row.status === 'done').length;
  const share = board.rows.size === 0 ? 0 : Math.round((done / board.rows.size) * 100);
  const foot = `Progress: ${done}/${board.rows.size} (${share}%) | ${duration(now - board.startedAt)}${sync === '' ? '' : ` | ${sync}`}`;
  return [board.feature, ...lines, foot.slice(0, Math.max(20, columns - 1))].join('\n');
}
