/** Says whether the server holds exactly what was emitted, in clock order. Pure. */

/** What of an event matters here. */
export interface HeldEvent {
  readonly event_type: string;
  readonly lamport_clock: number;
  readonly aggregate_id: string;
}

/** The events the demo emits. Two reviews run side by side, so their order is not given; that of a package is. */
export const EXPECTED: readonly string[] = [
  'FeatureCreated 001-invoice-export',
  'WPCreated WP01',
  'WPCreated WP02',
  'WPCreated WP03',
  // Online, and offline.
  'WPStatusChanged WP01',
  'WPStatusChanged WP02',
  // Handed over by hand: the box, the lane.
  ...['WP01', 'WP02'].flatMap((wp) => [`HistoryAdded ${wp}`, `WPStatusChanged ${wp}`]),
  // The run reviews both and frees who waited for them,
  'WPAssigned WP01',
  'WPStatusChanged WP01',
  'DependencyResolved WP02',
  'DependencyResolved WP03',
  'WPAssigned WP02',
  'WPStatusChanged WP02',
  'DependencyResolved WP03',
  // implements the third and reviews it.
  'WPAssigned WP03',
  'WPStatusChanged WP03',
  'HistoryAdded WP03',
  'WPStatusChanged WP03',
  'WPAssigned WP03',
  'WPStatusChanged WP03',
  'FeatureCompleted 001-invoice-export',
  // Merged: all of them were done, so no lane moves.
  'DependencyResolved WP02',
  'DependencyResolved WP03',
  'DependencyResolved WP03',
];

/** What is wrong; empty when all is right. `emitted` is the home's own clock: one tick an event. */
export function findFaults(held: readonly HeldEvent[], emitted: number, stillQueued: number): readonly string[] {
  const names = held.map((event) => `${event.event_type} ${event.aggregate_id}`);
  const clocks = held.map((event) => event.lamport_clock);
  return [
    ...(names.toSorted().join() === EXPECTED.toSorted().join()
      ? []
      : [`the server holds ${names.join(', ')} instead of ${EXPECTED.join(', ')}`]),
    ...(clocks.every((clock, index) => clock === index + 1) ? [] : [`the clocks are ${clocks.join(', ')}`]),
    ...(emitted === held.length ? [] : [`${emitted} events were emitted and ${held.length} arrived`]),
    ...(stillQueued === 0 ? [] : [`${stillQueued} events are still in queue.db`]),
  ];
}
