/** How the queue is kept, as text. Pure. */
import type { QueueDriver } from '../client.ts';
import { amount, rows } from './words.ts';

/** `spec-kitty sync store`. */
export function renderStore(store: {
  readonly driver: QueueDriver | null;
  readonly bytes: number;
  readonly path: string;
  readonly damaged: readonly { readonly path: string; readonly bytes: number }[];
}): string {
  const damaged = store.damaged.map(
    ({ path, bytes }) =>
      ['Damaged', `${path}, ${amount(bytes)} bytes; put aside, yours to look at and to remove`] as const,
  );
  if (store.driver === null)
    return [
      `No event has been recorded yet: there is no ${store.path}.`,
      ...(damaged.length > 0 ? [rows(damaged)] : []),
    ].join('\n');
  return rows([['Kept by', store.driver], ['File', store.path], ['Size', `${amount(store.bytes)} bytes`], ...damaged]);
}

/** `spec-kitty sync store --convert`. */
export function renderConversion(conversion: {
  readonly driver: QueueDriver;
  readonly from: QueueDriver | null;
  readonly changed: boolean;
  readonly path: string;
  readonly configPath: string;
}): string {
  const { driver, path } = conversion;
  return [
    firstLine(),
    `To stay with it, write into ${conversion.configPath}:`,
    '',
    '[sync]',
    `queue_driver = "${driver}"`,
  ].join('\n');

  function firstLine(): string {
    if (conversion.from === null) return `There is no ${path} yet: nothing to convert.`;
    return conversion.changed ? `${path} is ready for ${driver}.` : `${path} was ready for ${driver} already.`;
  }
}
