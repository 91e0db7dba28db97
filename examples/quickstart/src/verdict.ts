/** Says whether the server holds exactly what was emitted, in clock order. Pure. */

/** What of an event matters here. */
export interface HeldEvent {
  readonly event_type: string;
  readonly lamport_clock: number;
  readonly aggregate_id: string;
}

/** The events the demo emits, in order. */
export const EXPECTED: readonly string[] = [
  'FeatureCreated 001-invoice-export',
  'WPCreated WP01',
  'WPCreated WP02',
  'WPCreated WP03',
  'WPStatusChanged WP01',
  'WPStatusChanged WP02',
];

/** What is wrong; empty when all is right. `emitted` is the home's own clock: one tick an event. */
export function findFaults(held: readonly HeldEvent[], emitted: number, stillQueued: number): readonly string[] {
  const names = held.map((event) => `${event.event_type} ${event.aggregate_id}`);
  const clocks = held.map((event) => event.lamport_clock);
  return [
    ...(names.join() === EXPECTED.join()
      ? []
      : [`the server holds ${names.join(', ')} instead of ${EXPECTED.join(', ')}`]),
    ...(clocks.every((clock, index) => clock === index + 1) ? [] : [`the clocks are ${clocks.join(', ')}`]),
    ...(emitted === held.length ? [] : [`${emitted} events were emitted and ${held.length} arrived`]),
    ...(stillQueued === 0 ? [] : [`${stillQueued} events are still in queue.db`]),
  ];
}
