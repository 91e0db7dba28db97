/** The lanes of a feature as plain text, in as many columns as the width allows. Pure; no colours. */
import { LANES } from '../workflow/rules/lanes.ts';
import type { Lane } from '@spec-kitty/events-sdk/contract';

import type { TasksStatusResult, WpStatus } from '../workflow/services/status.ts';

const NAMES: Readonly<Record<Lane, string>> = {
  planned: 'Planned',
  doing: 'Doing',
  for_review: 'For review',
  done: 'Done',
};
const GAP = '  ';
/** Narrower columns than this cannot be read; the lanes are then listed one below the other. */
const MIN_COLUMN = 16;

/** The board, `width` columns wide at most. Ends without a line break. */
export function renderKanban(status: TasksStatusResult, width: number): string {
  const done = `${status.by_lane.done} of ${status.total_wps} done`;
  const title = fit(`${status.feature}  ${done} (${status.progress_percentage} %)`, width).trimEnd();
  const column = Math.floor((width - GAP.length * (LANES.length - 1)) / LANES.length);
  const body = column < MIN_COLUMN ? stacked(status, width) : sideBySide(status, column);
  return [title, '', ...body].join('\n');
}

function sideBySide(status: TasksStatusResult, column: number): readonly string[] {
  const columns = LANES.map((lane) => {
    const cards = status.work_packages.filter((wp) => wp.lane === lane).flatMap((wp) => card(wp, column));
    return [heading(status, lane), '─'.repeat(column), ...cards];
  });
  const height = Math.max(...columns.map((lines) => lines.length));
  return Array.from({ length: height }, (_, row) =>
    columns
      .map((lines) => fit(lines[row] ?? '', column))
      .join(GAP)
      .trimEnd(),
  );
}

function stacked(status: TasksStatusResult, width: number): readonly string[] {
  return LANES.flatMap((lane) => {
    const wps = status.work_packages.filter((wp) => wp.lane === lane);
    return [heading(status, lane), ...wps.flatMap((wp) => card(wp, width - 2).map((line) => `  ${line}`))];
  });
}

function heading(status: TasksStatusResult, lane: Lane): string {
  return `${NAMES[lane]} (${status.by_lane[lane]})`;
}

function card(wp: WpStatus, width: number): readonly string[] {
  const who = wp.lane === 'doing' || wp.lane === 'for_review' ? wp.agent : null;
  const about = [
    who,
    wp.lane === 'planned' && wp.dependencies.length > 0 ? `after ${wp.dependencies.join(', ')}` : null,
  ];
  const second = about.filter((part) => part !== null).join(' ');
  return [
    fit(`${wp.id} ${wp.title}`, width).trimEnd(),
    ...(second === '' ? [] : [fit(`     ${second}`, width).trimEnd()]),
  ];
}

/** Cuts or pads to exactly `width` columns, counting what a terminal shows. */
function fit(text: string, width: number): string {
  const room = Math.max(1, width);
  // Control characters in a title must not steer the terminal.
  const shown = text.replaceAll(/\p{Cc}/gu, ' ');
  const glyphs = glyphsOf(shown);
  const total = glyphs.reduce((sum, { columns }) => sum + columns, 0);
  if (total <= room) return shown + ' '.repeat(room - total);
  let kept = '';
  let used = 0;
  for (const { glyph, columns } of glyphs) {
    if (used + columns > room - 1) break;
    kept += glyph;
    used += columns;
  }
  return `${kept}…${' '.repeat(room - 1 - used)}`;
}

/** What a terminal shows as one, and how wide. */
interface Glyph {
  readonly glyph: string;
  readonly columns: number;
}

/** Most titles are letters without marks that join: these need neither the segmenter nor the emoji tables, 15 ms to load. */
function glyphsOf(text: string): readonly Glyph[] {
  if (/^[\u0020-\u02FF\u2010-\u2027\u2190-\u21FF\u2500-\u257F]*$/.test(text))
    return [...text].map((glyph) => ({ glyph, columns: 1 }));
  const segments = [...new Intl.Segmenter().segment(text)];
  return segments.map(({ segment }) => ({ glyph: segment, columns: columnsOf(segment) }));
}

function columnsOf(glyph: string): number {
  if (/^\p{Emoji_Presentation}/u.test(glyph) || glyph.includes('\uFE0F')) return 2;
  return /^[\u1100-\u115F\u2E80-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6]/u.test(glyph)
    ? 2
    : 1;
}
