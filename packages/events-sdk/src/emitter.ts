/**
 * The one way an event is recorded (FR-024): checked, stamped and stored in this order, without network
 * and without ever rejecting. What it answers is the truth: `queued` and `held` mean on disk.
 */
import type { Session } from './auth/port.ts';
import type { AnyEnvelope, EventEnvelope } from './contract/envelope.ts';
import type { Draft, EventMap, EventType } from './contract/event-map.ts';
import { QUEUE_WARNING_SHARE } from './contract/limits.ts';
import type { DroppedReason, EmitOutcome, HeldReason } from './emit-outcome.ts';
import { isEventsSdkError } from './errors.ts';
import { checkDraft } from './events/check.ts';
import { stampEvent, type CheckedEvent, type StampFacts } from './events/stamp.ts';
import type { Logger } from './internal/logger.ts';
import { systemTime, type Time } from './internal/time.ts';
import { decideGate, type Gate, type ProjectFacts } from './queue/binding.ts';
import type { OfflineQueue, Placement } from './queue/offline-queue.ts';

/** What is known at the moment of emission. Gathered by the host, without network. */
export interface EmissionFacts {
  readonly nodeId: string;
  readonly session: Session | null;
  readonly project: ProjectFacts | null;
  /** Root of the project, to find its identity later; null outside one. */
  readonly projectRoot: string | null;
  /** True when the person has been told already why `project` is null. Default false. */
  readonly isProjectReported?: boolean;
  readonly gitBranch: string | null;
  readonly headCommitSha: string | null;
  readonly repoSlug: string | null;
}

export interface EmitOptions {
  /** ULID shared by all events of one action; a draft's own wins. */
  readonly causationId?: string | null;
}

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
  readonly newUlid: () => string;
  readonly logger: Logger;
  readonly time?: Time;
}

/** An emitter over an offline queue. */
export function createEmitter<M extends EventMap>(deps: EmitterDeps<M>): Emitter<M> {
  const time = deps.time ?? systemTime;

  async function record(drafts: readonly Draft<M>[], options: EmitOptions): Promise<readonly EmitOutcome<M>[]> {
    const checked: (CheckedEvent & { readonly causationId: string | null })[] = [];
    for (const draft of drafts) {
      const check = checkDraft(deps.events, draft);
      if (!check.ok) return dropAll(drafts, 'invalid', `${label(draft)} not recorded: ${check.message}.`);
      checked.push({
        type: draft.type,
        definition: check.definition,
        payload: check.payload,
        causationId: draft.causationId ?? null,
      });
    }
    const shared = options.causationId ?? (drafts.length > 1 ? deps.newUlid() : null);
    const [queue, facts] = await Promise.all([deps.queue(), deps.facts()]);
    const gate = decideGate(facts.project, facts.session);
    const stampFacts = toStampFacts(facts, gate);
    const answer = await queue.append(checked.length, toPlacement(facts, gate), (lamportClock, index) => {
      // `index` runs over `checked`.
      const event = checked[index] as (typeof checked)[number];
      return stampEvent(event, stampFacts, {
        eventId: deps.newUlid(),
        lamportClock,
        causationId: event.causationId ?? shared,
        at: time.now(),
      });
    });
    const { cap } = queue;
    if (answer.kind === 'full') {
      return dropAll(
        drafts,
        'full',
        `Queue full: ${answer.waiting} of ${cap} events wait, ${countEvents(drafts.length)} not recorded. Deliver what waits first.`,
      );
    }
    if (answer.waiting >= cap * QUEUE_WARNING_SHARE) {
      deps.logger.warn(
        'queue-filling',
        `${answer.waiting} of ${cap} events wait to be sent. New ones are refused once it is full.`,
      );
    }
    if ('held' in gate && gate.held !== 'disabled' && !(gate.held === 'project' && facts.isProjectReported === true)) {
      deps.logger.warn(
        `event-held-${gate.held}`,
        `${countEvents(drafts.length)} kept on this machine: ${HELD_BECAUSE[gate.held]}.`,
      );
    }
    return answer.envelopes.map((envelope) => toOutcome<M>(envelope, gate));
  }

  function dropAll(drafts: readonly Draft<M>[], reason: DroppedReason, message: string): readonly EmitOutcome<M>[] {
    deps.logger.warn(`event-dropped-${reason}`, message);
    return drafts.map(() => ({ status: 'dropped', reason, message }));
  }

  async function emitAll(drafts: readonly Draft<M>[], options: EmitOptions = {}): Promise<readonly EmitOutcome<M>[]> {
    if (drafts.length === 0) return [];
    try {
      return await record(drafts, options);
    } catch (cause) {
      const why = isEventsSdkError(cause) ? cause.message : 'an unexpected error';
      if (!isEventsSdkError(cause)) deps.logger.debug('emit-failed', String(cause));
      return dropAll(drafts, 'unavailable', `${countEvents(drafts.length)} not recorded: ${why}`);
    }
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

/** Why an event is held, for a person. Being switched off is the project's own choice and needs no words. */
const HELD_BECAUSE: Readonly<Record<Exclude<HeldReason, 'disabled'>, string>> = {
  team: 'no team is signed in',
  project: 'the project has no identity yet',
  'team-changed': 'this project belongs to another team than the one signed in',
};

function toPlacement(facts: EmissionFacts, gate: Gate): Placement {
  const held = 'held' in gate;
  return {
    state: held ? 'held' : 'queued',
    reason: held ? gate.held : null,
    server: facts.session?.server ?? null,
    projectRoot: facts.projectRoot,
  };
}

function toStampFacts(facts: EmissionFacts, gate: Gate): StampFacts {
  return {
    nodeId: facts.nodeId,
    teamSlug: 'held' in gate ? heldTeam(gate.held, facts) : gate.teamSlug,
    projectUuid: facts.project?.uuid ?? null,
    projectSlug: facts.project?.slug ?? null,
    gitBranch: facts.gitBranch,
    headCommitSha: facts.headCommitSha,
    repoSlug: facts.repoSlug,
  };
}

/** A held event keeps the team it would go to, except where the team itself is the open question. */
function heldTeam(reason: HeldReason, facts: EmissionFacts): string | null {
  return reason === 'disabled' || reason === 'project' ? (facts.session?.teamSlug ?? null) : null;
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
