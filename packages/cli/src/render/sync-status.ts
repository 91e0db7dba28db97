/** What a home knows about its queue and delivery, each line with its evidence and age. Pure. */
import { homedir } from 'node:os';

import type { HomeStatus } from '../client.ts';
import { sessionDocument } from './auth.ts';
import { CONNECTION_LABELS, heldEvents, signIn } from './indicator.ts';
import { ago, amount, duration, events, iso, rows, utc } from './words.ts';

const HELD_REASONS: Readonly<Record<string, string>> = {
  team: 'no team known yet',
  project: 'no project identity (spec-kitty init)',
  disabled: 'sync is disabled for the project',
  'team-changed': 'the project belongs to another team',
};

/** `spec-kitty sync status` (US6-4), given the time. */
export function renderSyncStatus(status: HomeStatus, now: number, userHome: string = homedir()): string {
  const { session, project, courier, lastSync, connection } = status;
  const pairs: (readonly [string, string])[] = [
    ['Queue', queue(status, now)],
    ...(heldEvents(status.held) > 0
      ? [['Held', held(status.held) + (status.queued === 0 ? oldest(status, now) : '')] as const]
      : []),
    ...(status.spilled > 0
      ? [
          [
            'Beside it',
            `${events(status.spilled)} that could not get into the queue; the next command takes them in`,
          ] as const,
        ]
      : []),
    ...(status.parked > 0
      ? [
          [
            'Set aside',
            `${events(status.parked)} after refusals; kept, not sent: spec-kitty sync rejected list`,
          ] as const,
        ]
      : []),
    ...(status.dropped > 0
      ? [['Dropped', `${events(status.dropped)}: the queue was full, or you dropped them`] as const]
      : []),
    [
      'Connection',
      `${CONNECTION_LABELS[connection.state]} ${connection.evidence.replace(/\.$/, '')}${connection.at === null ? '' : `, ${ago(connection.at, now)}`}`,
    ],
    [
      'Last sync',
      lastSync === null
        ? 'Never'
        : `${utc(lastSync.at)} (${ago(lastSync.at, now)}), ${amount(lastSync.sent)} sent, ended: ${lastSync.stoppedBy}`,
    ],
    ['Courier', delivering(courier, now)],
    ['Server', status.server ?? 'none; set one: spec-kitty sync server URL'],
    [
      'Account',
      session === null
        ? `not signed in: ${signIn(status.server)}`
        : `${session.username}, ${session.teamSlug === null ? 'no team' : `team ${session.teamSlug}`}`,
    ],
    [
      'Project',
      project === null ? (status.projectProblem ?? 'none here: spec-kitty init') : `${project.slug} (${project.uuid})`,
    ],
    ['Store', `${status.driver}, ${tilde(status.home, userHome)}`],
  ];
  return rows(pairs);
}

/** The same as a document. */
export function syncStatusDocument(status: HomeStatus): Record<string, unknown> {
  const { connection, lastSync, courier, project } = status;
  return {
    queue: {
      queued: status.queued,
      held: status.held,
      spilled: status.spilled,
      parked: status.parked,
      dropped: status.dropped,
      cap: status.cap,
      oldest_pending_at: iso(status.oldestPendingAt),
    },
    connection: {
      state: connection.state,
      label: CONNECTION_LABELS[connection.state],
      evidence: connection.evidence,
      at: iso(connection.at),
    },
    last_sync: lastSync === null ? null : { at: iso(lastSync.at), sent: lastSync.sent, stopped_by: lastSync.stoppedBy },
    courier: courier === null ? null : { role: courier.role, pid: courier.pid, since: iso(courier.since) },
    server: status.server,
    session: status.session === null ? null : sessionDocument(status.session),
    project,
    project_problem: status.projectProblem,
    store: { driver: status.driver, home: status.home },
  };
}

function delivering(courier: HomeStatus['courier'], now: number): string {
  if (courier === null) return 'not running';
  const { role, pid, since } = courier;
  return `${role === 'courier' ? '' : `not running; delivered by ${role}, `}process ${pid}, for ${duration(now - since)}`;
}

function queue(status: HomeStatus, now: number): string {
  const { queued, cap } = status;
  const share = Math.round(((queued + heldEvents(status.held)) / cap) * 100);
  const room = share === 0 ? `it holds at most ${amount(cap)}` : `${share} % of the ${amount(cap)} it holds`;
  return `${events(queued)} to send${queued > 0 ? oldest(status, now) : ''} (${room})`;
}

/** The age is that of the oldest of all waiting events: said once, at the first line that has any. */
function oldest({ oldestPendingAt }: HomeStatus, now: number): string {
  return oldestPendingAt === null ? '' : `, oldest ${duration(now - oldestPendingAt)}`;
}

function held(byReason: HomeStatus['held']): string {
  return Object.entries(byReason)
    .filter(([, count]) => count > 0)
    .map(([reason, count]) => `${amount(count)}: ${HELD_REASONS[reason] ?? reason}`)
    .join('; ');
}

function tilde(path: string, userHome: string): string {
  return path === userHome || path.startsWith(`${userHome}/`) ? `~${path.slice(userHome.length)}` : path;
}
