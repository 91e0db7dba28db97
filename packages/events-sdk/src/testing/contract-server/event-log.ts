/**
 * The events the server has accepted, each once per team, and the projects they belong to.
 * A project belongs to the team that first sent an event of it.
 */
import type { AnyEnvelope } from '../../contract/envelope.ts';
import type { ServerDatabase } from './database.ts';
import type { WireEnvelope } from './validate.ts';

/** What the server noticed about an event it stored nevertheless (CONTRACT §13). */
export type Anomaly = 'wp_status_event_without_create';

/** A stored event. */
export interface ReceivedEvent {
  /** Order of arrival. For display only: the order of what happened is (lamport_clock, node_id, event_id). */
  readonly seq: number;
  readonly envelope: AnyEnvelope;
  readonly sentBy: string;
  /** Server's wall time of arrival, milliseconds since the epoch; the producer's own time stays in the envelope. */
  readonly receivedAt: number;
  readonly anomaly: Anomaly | null;
}

/** Which events; absent fields do not filter. */
export interface EventFilter {
  readonly team?: string;
  readonly projectUuid?: string;
  readonly eventType?: string;
  readonly wpId?: string;
  /** Only what arrived after the event with this `seq`. */
  readonly afterSeq?: number;
}

/** Stored events and projects. */
export interface EventLog {
  has(team: string, eventId: string): boolean;
  /** The team a project belongs to; undefined while no event of it was stored. */
  ownerOf(projectUuid: string): string | undefined;
  /** Stores an event that is new to its team, creating the project at first sight; returns what was odd about it. */
  append(envelope: WireEnvelope, sentBy: string, receivedAt: number): Anomaly | null;
  /** Stored events in causal order. */
  events(filter?: EventFilter): readonly ReceivedEvent[];
  /** Highest Lamport value among the events of these teams; 0 without any. */
  highestClock(teams: readonly string[]): number;
  /** Arrival number and time of the team's latest event; zeros without any. */
  latest(team: string): { readonly seq: number; readonly receivedAt: number };
}

/** The event log of a data file. */
export function createEventLog({ sql }: ServerDatabase): EventLog {
  const find = sql.prepare('SELECT 1 FROM events WHERE team_slug = ? AND event_id = ?');
  const owner = sql.prepare('SELECT team_slug FROM projects WHERE project_uuid = ?');
  const addProject = sql.prepare(
    'INSERT INTO projects (project_uuid, team_slug, project_slug) VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
  );
  const created = sql.prepare(
    `SELECT 1 FROM events WHERE team_slug = ? AND project_uuid = ? AND wp_id = ? AND event_type = 'WPCreated'
     AND (? IS NULL OR feature_slug = ?)`,
  );
  const insert = sql.prepare(
    `INSERT INTO events (team_slug, event_id, event_type, project_uuid, wp_id, feature_slug, lamport_clock, node_id, data, sent_by, received_at, anomaly)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const select = sql.prepare(
    `SELECT seq, data, sent_by, received_at, anomaly FROM events
     WHERE (?1 IS NULL OR team_slug = ?1) AND (?2 IS NULL OR project_uuid = ?2)
       AND (?3 IS NULL OR event_type = ?3) AND (?4 IS NULL OR wp_id = ?4) AND seq > ?5
     ORDER BY lamport_clock, node_id, event_id`,
  );
  const highest = sql.prepare('SELECT max(lamport_clock) AS clock FROM events WHERE team_slug = ?');
  const last = sql.prepare('SELECT seq, received_at FROM events WHERE team_slug = ? ORDER BY seq DESC LIMIT 1');

  return {
    has: (team, eventId) => find.get(team, eventId) !== undefined,

    ownerOf(projectUuid) {
      const team = owner.get(projectKey(projectUuid))?.['team_slug'];
      return typeof team === 'string' ? team : undefined;
    },

    append(envelope, sentBy, receivedAt) {
      const project = projectKey(envelope.project_uuid);
      const wpId = textOf(envelope.payload['wp_id']);
      const feature = textOf(envelope.payload['feature_slug']);
      const isEarly =
        envelope.event_type === 'WPStatusChanged' &&
        created.get(envelope.team_slug, project, wpId, feature, feature) === undefined;
      const anomaly: Anomaly | null = isEarly ? 'wp_status_event_without_create' : null;

      addProject.run(project, envelope.team_slug, envelope.project_slug);
      insert.run(
        envelope.team_slug,
        envelope.event_id,
        envelope.event_type,
        project,
        wpId,
        feature,
        envelope.lamport_clock,
        envelope.node_id,
        JSON.stringify(envelope),
        sentBy,
        receivedAt,
        anomaly,
      );
      return anomaly;
    },

    events(filter = {}) {
      const project = filter.projectUuid === undefined ? null : projectKey(filter.projectUuid);
      return select
        .all(filter.team ?? null, project, filter.eventType ?? null, filter.wpId ?? null, filter.afterSeq ?? 0)
        .map((row) => ({
          seq: Number(row['seq']),
          // Only `append` writes this column, and it writes a checked envelope.
          envelope: JSON.parse(String(row['data'])) as AnyEnvelope,
          sentBy: String(row['sent_by']),
          receivedAt: Number(row['received_at']),
          // Only `append` writes this column.
          anomaly: row['anomaly'] as Anomaly | null,
        }));
    },

    highestClock: (teams) => Math.max(0, ...teams.map((team) => Number(highest.get(team)?.['clock'] ?? 0))),

    latest(team) {
      const row = last.get(team);
      return { seq: Number(row?.['seq'] ?? 0), receivedAt: Number(row?.['received_at'] ?? 0) };
    },
  };
}

/** One project has one key, however its UUID is written. */
function projectKey(projectUuid: string): string {
  return projectUuid.toLowerCase();
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
