/** The one line that says after an emitting command how delivery stands. Pure. */
import type { ConnectionStatus, HandOff, HomeStatus } from '../client.ts';
import { type Paint, plain, type Style } from './paint.ts';
import { amount, duration, events } from './words.ts';

/** The four link states as they are shown (FR-036, FR-038). */
export const CONNECTION_LABELS: Readonly<Record<ConnectionStatus['state'], string>> = {
  connected: '[Connected]',
  reconnecting: '[Reconnecting]',
  offline: '[Offline]',
  'offline-batch': '[Offline - Batch Mode]',
};

const STYLES: Readonly<Record<ConnectionStatus['state'], Style>> = {
  connected: 'green',
  reconnecting: 'yellow',
  offline: 'yellow',
  'offline-batch': 'yellow',
};

/** What the indicator looks at. */
export type IndicatorFacts = Pick<
  HomeStatus,
  'queued' | 'held' | 'spilled' | 'parked' | 'connection' | 'session' | 'lastSync' | 'server'
>;

/** What is known beside the home's own record. */
export interface IndicatorContext {
  /** Who sees to the events that wait. */
  readonly handOff: HandOff;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly paint?: Paint;
}

/** The line, or null when there is nothing to say: logged out with nothing waiting. */
export function renderIndicator(status: IndicatorFacts, context: IndicatorContext): string | null {
  const held = heldEvents(status.held);
  const waiting = status.queued + held + status.spilled;
  const paint = context.paint ?? plain;
  const label = paint(STYLES[status.connection.state], CONNECTION_LABELS[status.connection.state]);
  if (status.session === null) {
    if (waiting === 0) return null;
    return `${label} ${events(waiting)} waiting; sign in to deliver: ${signIn(status.server)}`;
  }
  const isLeaving = isOnItsWay(status, context, waiting);
  const words = [
    ...(waiting > 0 ? [`${events(waiting)} ${isLeaving ? 'on the way' : 'waiting'}`] : []),
    ...(status.parked > 0 ? [`${amount(status.parked)} set aside`] : []),
  ];
  if (words.length === 0) return label;
  const hint = waiting === 0 || isLeaving ? null : outlook(status, context);
  return `${label} ${words.join(', ')}${hint === null ? '' : `; ${hint}`}`;
}

/** Over an open link everything that may leave is gone within a moment: then there is nothing to explain. */
function isOnItsWay(
  { queued, connection, lastSync }: IndicatorFacts,
  { handOff }: IndicatorContext,
  waiting: number,
): boolean {
  const isWell = lastSync === null || lastSync.stoppedBy === 'drained';
  return connection.state === 'connected' && handOff === 'courier' && isWell && waiting === queued;
}

/** What happens to the waiting events next, and what the last try showed if it failed. */
function outlook({ queued, spilled, lastSync }: IndicatorFacts, { handOff, now }: IndicatorContext): string {
  const failed = lastSync !== null && lastSync.stoppedBy !== 'drained';
  const lastTry = failed ? ` (last try ${duration(now - lastSync.at)} ago: ${lastSync.stoppedBy})` : '';
  if (handOff === 'courier') return `the courier ${failed ? 'tries again' : 'delivers in the background'}${lastTry}`;
  if (queued + spilled === 0) return 'held, see: spec-kitty sync status';
  return `deliver with: spec-kitty sync now${lastTry}`;
}

/** The command to sign in with: without a known server it has to name one. */
export function signIn(server: string | null): string {
  return `spec-kitty auth login${server === null ? ' --server URL' : ''}`;
}

/** Held events of all reasons together. */
export function heldEvents(held: HomeStatus['held']): number {
  return Object.values(held).reduce((sum, count) => sum + count, 0);
}
