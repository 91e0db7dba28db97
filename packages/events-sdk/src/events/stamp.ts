/**
 * Stamping: a checked draft becomes an envelope. Pure, so that it can run inside the one transaction
 * that ticks the clock and appends the row.
 */
import * as v from 'valibot';

import { ENVELOPE_KEYS, storedEnvelopeSchema, type AnyEnvelope } from '../contract/envelope.ts';
import type { EventDefinition } from '../contract/event-map.ts';
import { describeIssues } from '../contract/issues.ts';
import { EventsSdkError } from '../errors.ts';

/** Who and where: gathered before the transaction. Unknown facts are null. */
export interface StampFacts {
  readonly nodeId: string;
  readonly teamSlug: string | null;
  readonly projectUuid: string | null;
  readonly projectSlug: string | null;
  readonly gitBranch: string | null;
  readonly headCommitSha: string | null;
  readonly repoSlug: string | null;
}

/** What identifies one event among all. */
export interface Stamp {
  readonly eventId: string;
  readonly lamportClock: number;
  readonly causationId: string | null;
  /** Milliseconds since the epoch; written as ISO 8601 in UTC. */
  readonly at: number;
}

/** The event itself, already checked. */
export interface CheckedEvent {
  readonly type: string;
  readonly definition: EventDefinition;
  readonly payload: object;
}

/** An envelope before its turn at the clock: complete but for the clock's value and the node it belongs to. */
export type UnclockedEnvelope = Omit<AnyEnvelope, 'node_id' | 'lamport_clock'>;

/** The envelope without clock and node, for an event whose turn at the clock is still to come. Throws as {@link stampEvent}. */
export function stampWithoutClock(
  event: CheckedEvent,
  facts: Omit<StampFacts, 'nodeId'>,
  stamp: Omit<Stamp, 'lamportClock'>,
): UnclockedEnvelope {
  // Checked like any other, with stand-ins for what is not known yet.
  const {
    node_id: _node,
    lamport_clock: _clock,
    ...rest
  } = stampEvent(event, { ...facts, nodeId: 'unknown' }, { ...stamp, lamportClock: 1 });
  return rest;
}

/** The whole envelope, its keys in the order of the contract. Throws INVALID_ARGUMENT when anything in it is malformed. */
export function addClock(
  unclocked: UnclockedEnvelope,
  turn: { readonly nodeId: string; readonly lamportClock: number },
): AnyEnvelope {
  const all: Readonly<Record<string, unknown>> = {
    ...unclocked,
    node_id: turn.nodeId,
    lamport_clock: turn.lamportClock,
  };
  return checkEnvelope(Object.fromEntries(ENVELOPE_KEYS.map((key) => [key, all[key]])));
}

/** The envelope, its keys in the order of the contract. Throws INVALID_ARGUMENT when facts or ids are malformed. */
export function stampEvent(event: CheckedEvent, facts: StampFacts, stamp: Stamp): AnyEnvelope {
  const { definition, payload } = event;
  const envelope = {
    event_id: stamp.eventId,
    event_type: event.type,
    aggregate_id: definition.aggregateId(payload),
    aggregate_type:
      typeof definition.aggregateType === 'string' ? definition.aggregateType : definition.aggregateType(payload),
    payload: { ...payload },
    node_id: facts.nodeId,
    lamport_clock: stamp.lamportClock,
    causation_id: stamp.causationId,
    timestamp: new Date(stamp.at).toISOString(),
    team_slug: facts.teamSlug,
    project_uuid: facts.projectUuid,
    project_slug: facts.projectSlug,
    git_branch: facts.gitBranch,
    head_commit_sha: facts.headCommitSha,
    repo_slug: facts.repoSlug,
  };
  return checkEnvelope(envelope);
}

function checkEnvelope(envelope: unknown): AnyEnvelope {
  const checked = v.safeParse(storedEnvelopeSchema, envelope);
  if (!checked.success) throw new EventsSdkError('INVALID_ARGUMENT', describeIssues(checked.issues));
  // As it came: what is stored keeps the keys' order.
  return envelope as AnyEnvelope;
}
