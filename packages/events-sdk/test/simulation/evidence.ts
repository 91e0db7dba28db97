/** What a simulation must leave behind, decided from what was told, what the servers stored, and what waits. Pure. */
import type { SpecKittyEvents } from '../../src/contract/spec-kitty-events.ts';
import type { EmitOutcome } from '../../src/emit-outcome.ts';
import type { StoredEvent } from '../../src/storage/port.ts';
import { judge, type Known } from '../storm/judge.ts';
import type { Envelope } from './server.ts';

/** One call of `emit` or `emitAll`. */
export interface Emission {
  readonly number: number;
  readonly pid: number;
  /** Stands in the payload of each of its events. */
  readonly labels: readonly string[];
  readonly root: string;
  /** Moments in the order of all emissions. */
  readonly beganAt: number;
  endedAt: number;
  /** Undefined: the process died before it was told. */
  outcomes: readonly EmitOutcome<SpecKittyEvents>[] | undefined;
}

export interface Evidence {
  readonly emissions: readonly Emission[];
  readonly stored: readonly Envelope[];
  readonly rows: readonly StoredEvent[];
  /** Labels of events that still lie beside the store. */
  readonly spilled: readonly string[];
  /** The home's own count of drops. */
  readonly dropped: number;
  readonly evicts: boolean;
  /** A server asked for other clock values: those told at first may have changed. */
  readonly wasRestamped: boolean;
}

/** Every promise the evidence shows broken, in words. */
export function findBreaches(evidence: Evidence): readonly string[] {
  return [...books(evidence), ...stamps(evidence), ...order(evidence), ...whole(evidence), ...leftovers(evidence)];
}

type Told = Exclude<EmitOutcome<SpecKittyEvents>, { status: 'dropped' | 'dry-run' }>;

const toldOf = ({ outcomes }: Emission): readonly Told[] =>
  (outcomes ?? []).filter((outcome): outcome is Told => outcome.status !== 'dropped' && outcome.status !== 'dry-run');

// Rows hold what was stamped here.
const envelopeOf = (row: StoredEvent): Envelope => JSON.parse(row.data) as Envelope;
const labelOf = ({ payload }: Envelope): string => payload.changed_by;

/** Emitted = delivered + waiting + counted drops. */
function books({ emissions, stored, rows, spilled, dropped, evicts }: Evidence): readonly string[] {
  const acknowledged = emissions.flatMap(toldOf).map(({ envelope }) => envelope);
  const ids = new Set([...stored.map(({ event_id }) => event_id), ...rows.map(({ eventId }) => eventId)]);
  const beside = new Set(spilled);
  const lost = acknowledged.filter(
    ({ event_id, payload }) => !ids.has(event_id) && !('changed_by' in payload && beside.has(payload.changed_by)),
  );
  const full = emissions
    .flatMap(({ outcomes }) => outcomes ?? [])
    .filter((outcome) => outcome.status === 'dropped' && outcome.reason === 'full').length;
  return [
    ...(lost.length > (evicts ? dropped : 0) ? [`lost: ${lost.map(({ event_id }) => event_id).join(' ')}`] : []),
    ...(full > dropped ? [`uncounted drop: ${full} told, ${dropped} counted`] : []),
  ];
}

/** One event, one id, one place in the order. */
function stamps({ emissions, stored, rows, wasRestamped }: Evidence): readonly string[] {
  const known = ({ event_id, lamport_clock, node_id }: Envelope): Known => ({
    id: event_id,
    clock: lamport_clock,
    node: node_id,
  });
  const acknowledged = emissions.flatMap(toldOf).flatMap((told): Known[] => {
    if (told.status === 'spilled') return [];
    const { event_id, lamport_clock, node_id } = told.envelope;
    return [{ id: event_id, clock: lamport_clock, node: node_id }];
  });
  const faults = judge({ acknowledged, server: stored.map(known), queue: rows.map(envelopeOf).map(known) });
  const labels = Map.groupBy([...stored, ...rows.map(envelopeOf)], labelOf);
  return [
    ...faults.flatMap((fault) => {
      if (fault.kind === 'lost' || fault.kind === 'undelivered') return [];
      if (fault.kind === 'altered' && wasRestamped) return [];
      return [`${fault.kind}: ${JSON.stringify(fault)}`];
    }),
    ...[...labels].flatMap(([label, events]) => {
      const ids = new Set(events.map(({ event_id }) => event_id));
      return ids.size > 1 ? [`two ids: ${label} is ${[...ids].join(' and ')}`] : [];
    }),
  ];
}

/** What began after another had been acknowledged has a larger clock value. */
function order({ emissions }: Evidence): readonly string[] {
  const spans = emissions.flatMap((emission) => {
    const clocks = toldOf(emission).flatMap((told) => (told.status === 'spilled' ? [] : [told.envelope.lamport_clock]));
    return clocks.length === 0 ? [] : [{ ...emission, clocks }];
  });
  return spans.flatMap((later) => {
    const before = spans.filter(({ endedAt }) => endedAt < later.beganAt).flatMap(({ clocks }) => clocks);
    const rising = later.clocks.every((clock, at) => at === 0 || clock > (later.clocks[at - 1] ?? 0));
    return rising && Math.min(...later.clocks) > Math.max(0, ...before) ? [] : [`order: ${later.labels.join(' ')}`];
  });
}

/** All events of one emission are there, or none, whenever its process died. */
function whole({ emissions, stored, rows, spilled, evicts }: Evidence): readonly string[] {
  if (evicts) return [];
  const present = new Set([...stored.map(labelOf), ...rows.map(envelopeOf).map(labelOf), ...spilled]);
  return emissions.flatMap(({ labels }) => {
    const there = labels.filter((label) => present.has(label)).length;
    return there === 0 || there === labels.length ? [] : [`half an emission: ${labels.join(' ')}`];
  });
}

/** After the weather has cleared, nothing waits but what has to. */
function leftovers({ rows, spilled }: Evidence): readonly string[] {
  const waiting = rows.filter((row) => {
    // Refused for ever, but not yet often enough to be set aside.
    if (row.state === 'queued') return !labelOf(envelopeOf(row)).endsWith('poison');
    return row.state === 'held' && row.reason !== 'disabled' && row.reason !== 'team-changed';
  });
  return [
    ...waiting.map(({ eventId, state, reason }) => `undelivered: ${eventId} is ${state} (${reason})`),
    ...spilled.map((label) => `undelivered: ${label} lies beside the queue`),
  ];
}
