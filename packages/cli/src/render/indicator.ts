/** The one line that says after an emitting command how delivery stands. Pure. */
import type { ConnectionStatus, HomeStatus } from '../client.ts';
import { type Paint, plain, type Style } from './paint.ts';
import { amount, events } from './words.ts';

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
export type IndicatorFacts = Pick<HomeStatus, 'queued' | 'held' | 'parked' | 'connection' | 'session'>;

/** The line, or null when there is nothing to say: logged out with nothing waiting. */
export function renderIndicator(status: IndicatorFacts, paint: Paint = plain): string | null {
  const waiting = status.queued + heldEvents(status.held);
  const label = paint(STYLES[status.connection.state], CONNECTION_LABELS[status.connection.state]);
  if (status.session === null) {
    if (waiting === 0) return null;
    return `${label} ${events(waiting)} waiting; sign in to deliver: spec-kitty auth login`;
  }
  const words = [
    ...(waiting > 0 ? [`${events(waiting)} waiting`] : []),
    ...(status.parked > 0 ? [`${amount(status.parked)} set aside`] : []),
  ];
  return words.length === 0 ? label : `${label} ${words.join(', ')}`;
}

/** Held events of all reasons together. */
export function heldEvents(held: HomeStatus['held']): number {
  return Object.values(held).reduce((sum, count) => sum + count, 0);
}
