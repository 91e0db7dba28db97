/**
 * The one way an event is recorded (FR-024): checked, stamped and stored in this order, without network
 * and without ever rejecting. What it answers is the truth: `queued`, `held` and `spilled` mean on disk.
 */
import type { AnyEnvelope, EventEnvelope } from './contract/envelope.ts';
import type { Draft, EventMap, EventType } from './contract/event-map.ts';
import { QUEUE_WARNING_SHARE } from './contract/limits.ts';
import type { DroppedReason, EmitOutcome, SpilledEnvelope } from './emit-outcome.ts';
import { isEventsSdkError } from './errors.ts';
import { checkDraft } from './events/check.ts';
import { HELD_BECAUSE, toPlacement, toStampFacts, type EmissionFacts } from './emitter/facts.ts';
import { stampEvent, stampWithoutClock, type CheckedEvent, type Stamp } from './events/stamp.ts';
import type { Logger } from './internal/logger.ts';
import { systemTime, type Time } from './internal/time.ts';
import { decideGate, type Gate } from './queue/binding.ts';
import type { OfflineQueue } from './queue/offline-queue.ts';
import type { Spill, SpilledEvent } from './storage/spill.ts';

export interface EmitOptions {
  /** ULID shared by all events of one action; a draft's own wins. */
  readonly causationId?: string | null;
}

export type { EmissionFacts } from './emitter/facts.ts';

/** Records events of one map. */
export interface Emitter<M extends EventMap> {
  /** Records one event. */
  emit<T extends EventType<M>>(draft: Draft<M, T>, options?: EmitOptions): Promise<EmitOutcome<M, T>>;
  /**
   * Records several events in order and in one transaction: all are stored, or none is. With more than one
   * event and no causation id given, they share a new one (FR-028, US4-3).
   */
  emitAll(drafts: readonly Draft<M>[], options?: EmitOptions): Promise<readonly EmitOutcome<M>[]>;
}

export interface EmitterDeps<M extends EventMap> {
  readonly events: M;
  /** Opened on first use; a failure to open is an outcome, not an error. */
  readonly queue: () => Promise<OfflineQueue>;
  readonly facts: () => Promise<EmissionFacts>;
  /** Where events go that the queue cannot take now. Without it they are dropped. */
  readonly spill?: {
    readonly keep: Spill['keep'];
    /** The facts as far as they are known without the store. */
    readonly facts: () => Promise<EmissionFacts>;
  };
  /** True: everything happens but the write; the store is not opened. Default false. */
  readonly dryRun?: boolean;
  readonly newUlid: () => string;
  readonly logger: Logger;
  readonly time?: Time;
}

/** An emitter over an offline queue. */
export function createEmitter<M extends EventMap>(deps: EmitterDeps<M>): Emitter<M> {
  const time = deps.time ?? systemTime;

  /** The drafts as events ready to be stamped, or why one of them cannot be. */
  function check(drafts: readonly Draft<M>[], options: EmitOptions): Prepared | { readonly refused: string } {
    const at = time.now();
    const events: CheckedEvent[] = [];
    for (const draft of drafts) {
      const answer = checkDraft(deps.events, draft);
      if (!answer.ok) return { refused: `${label(draft)} not recorded: ${answer.message}.` };
      events.push({ type: draft.type, definition: answer.definition, payload: answer.payload });
    }
    const shared = options.causationId ?? (drafts.length > 1 ? deps.newUlid() : null);
    // Decided before the store is asked: an event that goes another way after a failure keeps its id.
    const stamps = drafts.map((draft) => ({
      eventId: deps.newUlid(),
      causationId: draft.causationId ?? shared,
      at,
    }));
    return { events, stamps };
  }

  async function store({ events, stamps }: Prepared): Promise<readonly EmitOutcome<M>[]> {
    const [queue, facts] = await Promise.all([deps.queue(), deps.facts()]);
    const gate = decideGate(facts.project, facts.session);
    const stampFacts = toStampFacts(facts, gate);
    const answer = await queue.append(events.length, toPlacement(facts, gate), (lamportClock, index) =>
      // `index` runs over `events`, and there is a stamp for each.
      stampEvent(events[index] as CheckedEvent, stampFacts, { ...(stamps[index] as UntimedStamp), lamportClock }),
    );
    const { cap } = queue;
    if (answer.kind === 'full') {
      return dropAll(
        events,
        'full',
        `Queue full: ${answer.waiting} of ${cap} events wait, ${countEvents(events.length)} not recorded. Deliver what waits first.`,
      );
    }
    if (answer.waiting >= cap * QUEUE_WARNING_SHARE) {
      deps.logger.warn(
        'queue-filling',
        `${answer.waiting} of ${cap} events wait to be sent. New ones are refused once it is full.`,
      );
    }
    warnOfHold(gate, facts, events.length);
    return answer.envelopes.map((envelope) => toOutcome<M>(envelope, gate));
  }

  /** The events as they would be kept without the store. Rejects with INVALID_ARGUMENT when facts are malformed. */
  function toRows({ events, stamps }: Prepared, facts: EmissionFacts, gate: Gate): readonly SpilledEvent[] {
    const stampFacts = toStampFacts(facts, gate);
    return events.map((event, index) => {
      const stamp = stamps[index] as UntimedStamp;
      return {
        envelope: stampWithoutClock(event, stampFacts, stamp),
        ...toPlacement(facts, gate),
        enqueuedAt: Math.floor(stamp.at / 1000),
        projectTeam: facts.project?.teamSlug ?? null,
      };
    });
  }

  async function rehearse(prepared: Prepared): Promise<readonly EmitOutcome<M>[]> {
    const facts = await deps.facts();
    const gate = decideGate(facts.project, facts.session);
    const held = 'held' in gate ? gate.held : null;
    // As below: stamped from drafts of this map.
    return toRows(prepared, facts, gate).map(({ envelope }) => ({
      status: 'dry-run',
      held,
      envelope: envelope as SpilledEnvelope<M>,
    }));
  }

  /** Keeps the events beside the queue that could not be had. Rejects when that fails as well. */
  async function spillAll(
    prepared: Prepared,
    spill: NonNullable<EmitterDeps<M>['spill']>,
    why: string,
  ): Promise<readonly EmitOutcome<M>[]> {
    const { events } = prepared;
    const facts = await spill.facts();
    const gate = decideGate(facts.project, facts.session);
    const rows = toRows(prepared, facts, gate);
    if ((await spill.keep(rows)) === 'full')
      return dropAll(
        events,
        'unavailable',
        `${countEvents(events.length)} not recorded: ${why} Too much waits beside the queue already.`,
      );
    const message = `${countEvents(events.length)} kept beside the queue: ${why} The next command that can use the queue takes ${events.length === 1 ? 'it' : 'them'} in.`;
    deps.logger.warn('event-spilled', message);
    warnOfHold(gate, facts, events.length);
    const held = 'held' in gate ? gate.held : null;
    // Stamped from drafts of this map, whose payloads were checked against its schemas.
    return rows.map(({ envelope }) => ({
      status: 'spilled',
      held,
      envelope: envelope as SpilledEnvelope<M>,
      message,
    }));
  }

  function warnOfHold(gate: Gate, facts: EmissionFacts, count: number): void {
    if (!('held' in gate) || gate.held === 'disabled') return;
    if (gate.held === 'project' && facts.isProjectReported === true) return;
    deps.logger.warn(
      `event-held-${gate.held}`,
      `${countEvents(count)} kept on this machine: ${HELD_BECAUSE[gate.held]}.`,
    );
  }

  function dropAll(events: readonly unknown[], reason: DroppedReason, message: string): readonly EmitOutcome<M>[] {
    deps.logger.warn(`event-dropped-${reason}`, message);
    return events.map(() => ({ status: 'dropped', reason, message }));
  }

  async function emitAll(drafts: readonly Draft<M>[], options: EmitOptions = {}): Promise<readonly EmitOutcome<M>[]> {
    if (drafts.length === 0) return [];
    try {
      const prepared = check(drafts, options);
      if ('refused' in prepared) return dropAll(drafts, 'invalid', prepared.refused);
      if (deps.dryRun === true) return await rehearse(prepared);
      try {
        return await store(prepared);
      } catch (cause) {
        if (deps.spill === undefined || !isOfTheStore(cause)) throw cause;
        const why = explain(cause);
        try {
          return await spillAll(prepared, deps.spill, why);
        } catch (second) {
          const nor = isEventsSdkError(second) ? ` ${second.message}` : '';
          return dropAll(drafts, 'unavailable', `${countEvents(drafts.length)} not recorded: ${why}${nor}`);
        }
      }
    } catch (cause) {
      return dropAll(drafts, 'unavailable', `${countEvents(drafts.length)} not recorded: ${explain(cause)}`);
    }
  }

  function explain(cause: unknown): string {
    if (isEventsSdkError(cause)) return cause.message;
    deps.logger.debug('emit-failed', String(cause));
    return 'an unexpected error.';
  }

  return {
    emitAll,
    async emit<T extends EventType<M>>(draft: Draft<M, T>, options?: EmitOptions) {
      const [outcome] = await emitAll([draft], options);
      // One draft in, one outcome out, of the same type.
      return outcome as EmitOutcome<M, T>;
    },
  };
}

type UntimedStamp = Omit<Stamp, 'lamportClock'>;

/** Checked events, each with everything that is its own but the clock. */
interface Prepared {
  readonly events: readonly CheckedEvent[];
  readonly stamps: readonly UntimedStamp[];
}

/** A failure to keep the event, not one of the event, and not of a client that was closed. */
function isOfTheStore(cause: unknown): boolean {
  return !isEventsSdkError(cause) || cause.code.startsWith('STORAGE_');
}

function toOutcome<M extends EventMap>(envelope: AnyEnvelope, gate: Gate): EmitOutcome<M> {
  // Stamped from a draft of this map, whose payload was checked against its schema.
  const typed = envelope as EventEnvelope<M>;
  return 'held' in gate
    ? { status: 'held', reason: gate.held, envelope: typed }
    : { status: 'queued', envelope: typed };
}

function label(draft: { readonly type: unknown }): string {
  return typeof draft.type === 'string' ? draft.type : 'Event';
}

function countEvents(count: number): string {
  return count === 1 ? '1 event' : `${count} events`;
}
