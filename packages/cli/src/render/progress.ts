/** How far a long delivery is: one line on a terminal that is written again and again, a line a batch elsewhere. Pure. */
import type { SyncProgress } from '@spec-kitty/events-sdk';

import { amount, duration, events } from './words.ts';

const BAR_CELLS = 24;
/** Below this a rate says nothing yet. */
const SHORTEST_RATE_MS = 1_000;

/** `2,000 of 5,000 events offered`, with the rate and what is left to wait once there is one. */
export function progressLine(progress: SyncProgress, elapsedMs: number): string {
  const { offered, total } = progress;
  const head = `${amount(offered)} of ${events(total)} offered`;
  if (elapsedMs < SHORTEST_RATE_MS || offered === 0) return head;
  const perSecond = (offered / elapsedMs) * 1000;
  const left = duration(((total - offered) / perSecond) * 1000);
  return `${head}, ${amount(Math.round(perSecond))}/s${offered < total ? `, ${left} left` : ''}`;
}

/** The same with a bar in front, no wider than the terminal: a line that wraps cannot be written over. */
export function progressBar(progress: SyncProgress, elapsedMs: number, columns: number): string {
  const line = progressLine(progress, elapsedMs);
  if (line.length + BAR_CELLS + 3 >= columns) return line.slice(0, Math.max(0, columns - 1));
  const share = progress.total === 0 ? 1 : Math.min(1, progress.offered / progress.total);
  const full = Math.round(share * BAR_CELLS);
  return `[${'#'.repeat(full)}${'.'.repeat(BAR_CELLS - full)}] ${line}`;
}
