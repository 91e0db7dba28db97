/** Why events have not left, as text and as documents, each with the one command that helps. Pure. */
import type { EventExplanation, WaitingGate } from '@spec-kitty/events-sdk';

import { signIn } from './indicator.ts';
import { ago, amount, duration, events, iso, utc, visible } from './words.ts';

/** What holds it, and what helps. `null`: nothing has to be done. */
interface Advice {
  readonly why: string;
  readonly command: string | null;
}

/** The words for one gate. Every command here is executed by a test. */
export function adviceFor(event: EventExplanation, server: string | null): Advice {
  const advice: Readonly<Record<WaitingGate, Advice>> = {
    unreadable: { why: 'it cannot be read as an event', command: 'spec-kitty sync rejected export' },
    parked: {
      why: 'the server has refused it, and it is set aside',
      command: `spec-kitty sync rejected show ${event.eventId}`,
    },
    project: {
      why: 'it comes from a project without an identity',
      command: event.projectRoot === null ? null : 'spec-kitty init',
    },
    disabled: {
      why: 'sync is disabled for its project (sync.enabled in .kittify/config.yaml)',
      command: null,
    },
    team: { why: 'no team is known for it: the account signed in has none', command: 'spec-kitty auth login --force' },
    'team-changed': { why: 'its project belonged to another team until now', command: 'spec-kitty sync adopt' },
    'logged-out': { why: 'nobody is signed in', command: signIn(server) },
    expired: { why: 'the sign-in has run out', command: 'spec-kitty auth login --force' },
    'other-account': {
      why: `it belongs to ${event.teamSlug === null ? 'another account' : `team ${event.teamSlug}`}${event.server === null ? '' : ` on ${event.server}`}`,
      command: `spec-kitty auth login --force${event.server === null ? '' : ` --server ${event.server}`}`,
    },
    throttled: { why: 'the server asked to be left alone for a while', command: null },
    delivering: { why: 'it is being delivered', command: null },
    failed: { why: 'the last delivery failed', command: 'spec-kitty sync status --check' },
    'delivery-off': { why: 'nothing is delivered by itself here', command: 'spec-kitty sync now' },
    ready: { why: 'nothing holds it: it leaves with the next delivery', command: 'spec-kitty sync now' },
  };
  return advice[event.gate];
}

/** `spec-kitty sync explain EVENT_ID`. */
export function renderExplanation(event: EventExplanation, server: string | null, now: number): string {
  const { why, command } = adviceFor(event, server);
  return [
    `${visible(event.eventType)} ${visible(event.aggregateId)} (${event.eventId}), recorded ${ago(event.recordedAt, now)}`,
    `Waits because ${why}.`,
    ...times(event, now),
    ...(command === null ? [] : [`Helps: ${command}`]),
  ].join('\n');
}

/** `spec-kitty sync explain`: one paragraph a reason, the one with the most events first. */
export function renderExplanations(all: readonly EventExplanation[], server: string | null, now: number): string {
  if (all.length === 0) return 'Nothing waits.';
  return groupsOf(all, server)
    .map(({ first, count, oldestAt, why, command }) =>
      [
        `${events(count)}, the oldest ${duration(now - oldestAt)} old: ${why}.`,
        ...times(first, now).map((line) => `  ${line}`),
        ...(command === null ? [] : [`  Helps: ${command}`]),
        ...(count > 1 || command?.includes(first.eventId) === true ? [] : [`  ${first.eventId}`]),
      ].join('\n'),
    )
    .join('\n');
}

/** One event as a document. */
export function explanationDocument(event: EventExplanation, server: string | null): Record<string, unknown> {
  const { why, command } = adviceFor(event, server);
  return {
    event_id: event.eventId,
    event_type: event.eventType,
    aggregate_id: event.aggregateId,
    recorded_at: iso(event.recordedAt),
    gate: event.gate,
    why,
    since: iso(event.since),
    until: iso(event.until),
    detail: event.detail,
    team_slug: event.teamSlug,
    server: event.server,
    command,
  };
}

/** All of them, counted by what holds them. */
export function explanationsDocument(all: readonly EventExplanation[], server: string | null): Record<string, unknown> {
  return {
    groups: groupsOf(all, server).map(({ first, count, oldestAt, why, command }) => ({
      gate: first.gate,
      count,
      oldest_recorded_at: iso(oldestAt),
      why,
      command,
    })),
    events: all.map((event) => explanationDocument(event, server)),
  };
}

interface Group extends Advice {
  readonly first: EventExplanation;
  readonly count: number;
  readonly oldestAt: number;
}

function groupsOf(all: readonly EventExplanation[], server: string | null): readonly Group[] {
  const groups = new Map<string, Group>();
  for (const event of all) {
    const { why, command } = adviceFor(event, server);
    // Where the command names an event, it stands for its group: one of them shows what the others are like.
    const key = `${event.gate} ${why}`;
    const present = groups.get(key);
    groups.set(key, {
      first: present?.first ?? event,
      count: (present?.count ?? 0) + 1,
      oldestAt: Math.min(present?.oldestAt ?? event.recordedAt, event.recordedAt),
      why,
      command: present?.command ?? command,
    });
  }
  return [...groups.values()].toSorted((a, b) => b.count - a.count);
}

function times({ since, until, detail }: EventExplanation, now: number): readonly string[] {
  return [
    ...(detail === null || detail === '' ? [] : [`Known: ${visible(detail)}`]),
    ...(since === null ? [] : [`Since: ${utc(since)} (${ago(since, now)})`]),
    ...(until === null ? [] : [`Until: ${utc(until)} (in ${amount(Math.ceil((until - now) / 1000))} s)`]),
  ];
}
