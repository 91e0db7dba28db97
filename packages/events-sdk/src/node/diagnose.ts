/**
 * Looks over a home: what could keep events from being recorded or delivered, each finding with its evidence. Changes
 * nothing but what opening the queue changes; asks the server once. A check that cannot be made is a finding, never
 * a silence.
 */
import { statfsSync, statSync } from 'node:fs';

import type { AuthStatus } from '../auth/token-manager.ts';
import { QUEUE_WARNING_SHARE } from '../contract/limits.ts';
import { isEventsSdkError } from '../errors.ts';
import { isSound } from '../storage/sql/salvage.ts';
import type { SyncConfig } from './config-file.ts';
import { readClockFile } from './clock-file.ts';
import { listDamagedQueues } from './damaged-queue.ts';
import { errorCodeOf, systemDisk } from './disk.ts';
import { openForReading } from './home-driver.ts';
import type { Home } from './home.ts';
import type { HomeStatus } from './home-status.ts';
import type { ServerProbe } from './server-probe.ts';

/** What was looked at. */
export type CheckName =
  | 'home'
  | 'space'
  | 'config'
  | 'queue-file'
  | 'queue-size'
  | 'beside-queue'
  | 'damaged'
  | 'refused'
  | 'dropped'
  | 'waiting'
  | 'held'
  | 'clock'
  | 'account'
  | 'sign-in'
  | 'server'
  | 'project'
  | 'project-file'
  | 'delivery';

/** One thing that was looked at. */
export interface Finding {
  readonly check: CheckName;
  /** `bad`: events are not recorded or cannot leave. `attention`: a person should know. */
  readonly state: 'good' | 'attention' | 'bad';
  /** What was found, in a sentence without payloads or absolute home paths. */
  readonly message: string;
}

export interface DiagnoseDeps {
  readonly home: Home;
  readonly config: { readonly config: SyncConfig; readonly warnings: readonly string[] };
  readonly auth: AuthStatus;
  /** Rejects when the queue cannot be used. */
  readonly status: () => Promise<HomeStatus>;
  readonly probe: () => Promise<ServerProbe | null>;
  readonly now: number;
}

/** Less free space than this is worth a word, in bytes. */
const LITTLE_SPACE = 50 * 1024 * 1024;
/** Events that wait longer than this although somebody is signed in, in milliseconds. */
const LONG_WAIT_MS = 24 * 3_600_000;

/** All findings, good ones too, in the order of the way of an event. */
export async function diagnoseHome(deps: DiagnoseDeps): Promise<readonly Finding[]> {
  const { home, config } = deps;
  const status = await deps.status().catch((cause: unknown) => messageOf(cause));
  const findings: Finding[] = [...checkFolder(home), checkConfig(config.warnings)];
  if (typeof status === 'string') findings.push(bad('queue-file', `The queue cannot be used: ${status}`));
  else findings.push(await checkFile(deps, status), ...checkQueue(status, deps));
  findings.push(...checkDamaged(home), checkClock(home), checkAccount(deps.auth), checkServer(await deps.probe()));
  if (typeof status !== 'string') findings.push(checkProject(status), checkDelivery(status, config.config));
  return findings;
}

const good = (check: CheckName, message: string): Finding => ({ check, state: 'good', message });
const attention = (check: CheckName, message: string): Finding => ({ check, state: 'attention', message });
const bad = (check: CheckName, message: string): Finding => ({ check, state: 'bad', message });

function checkFolder(home: Home): readonly Finding[] {
  const shown = home.display(home.root);
  try {
    const mode = statSync(home.root).mode & 0o077;
    const { bavail, bsize } = statfsSync(home.root);
    const free = bavail * bsize;
    return [
      mode === 0 || process.platform === 'win32'
        ? good('home', `${shown} is its owner's only.`)
        : attention('home', `${shown} can be entered by others on this machine.`),
      free < LITTLE_SPACE
        ? attention('space', `Only ${Math.floor(free / 1024 / 1024)} MiB are free where ${shown} lies.`)
        : good('space', 'There is room on the disk.'),
    ];
  } catch (cause) {
    const code = errorCodeOf(cause);
    return [
      code === 'ENOENT'
        ? good('home', `${shown} does not exist yet; the first event makes it.`)
        : bad('home', `${shown} cannot be looked at (${code}).`),
    ];
  }
}

function checkConfig(warnings: readonly string[]): Finding {
  return warnings.length === 0 ? good('config', 'The settings can be read.') : bad('config', warnings.join(' '));
}

async function checkFile({ home }: DiagnoseDeps, { driver }: HomeStatus): Promise<Finding> {
  try {
    // Opening it for the status has put a damaged file aside already; this looks at what stands there now.
    const db = await openForReading({ driver, disk: systemDisk }, home.queueDb);
    try {
      return isSound(db)
        ? good('queue-file', `queue.db is sound (kept by ${driver}).`)
        : bad('queue-file', 'queue.db is damaged; the next command that records an event puts it aside.');
    } finally {
      db.close();
    }
  } catch (cause) {
    return attention('queue-file', `queue.db could not be examined: ${messageOf(cause)}`);
  }
}

function checkQueue(status: HomeStatus, { auth, now }: DiagnoseDeps): readonly Finding[] {
  const { queued, held, parked, dropped, spilled, cap, oldestPendingAt } = status;
  const heldCount = Object.values(held).reduce((sum, count) => sum + count, 0);
  const waiting = queued + heldCount;
  const ageMs = oldestPendingAt === null ? 0 : now - oldestPendingAt;
  const isStuck = queued > 0 && ageMs > LONG_WAIT_MS && auth.session !== null;
  return [
    waiting >= cap
      ? bad('queue-size', `The queue is full: ${waiting} of ${cap} events. New ones are refused.`)
      : waiting >= cap * QUEUE_WARNING_SHARE
        ? attention('queue-size', `The queue is nearly full: ${waiting} of ${cap} events.`)
        : good('queue-size', `${waiting} of ${cap} events wait.`),
    ...(spilled > 0
      ? [
          attention(
            'beside-queue',
            `${counted(spilled, 'event lies', 'events lie')} beside the queue, which could not be had.`,
          ),
        ]
      : []),
    ...(parked > 0
      ? [attention('refused', `${counted(parked, 'refused event is', 'refused events are')} set aside.`)]
      : []),
    ...(dropped > 0
      ? [
          attention(
            'dropped',
            `${counted(dropped, 'event was', 'events were')} dropped so far, because the queue was full or by you.`,
          ),
        ]
      : []),
    ...(isStuck ? [bad('waiting', 'Events have been waiting for more than a day.')] : []),
    ...(heldCount > 0
      ? [
          attention(
            'held',
            `${counted(heldCount, 'event is', 'events are')} held back: ${Object.entries(held)
              .map(([why, count]) => `${count} ${why}`)
              .join(', ')}.`,
          ),
        ]
      : []),
  ];
}

function checkDamaged(home: Home): readonly Finding[] {
  const kept = listDamagedQueues(home);
  if (kept.length === 0) return [];
  return [
    attention(
      'damaged',
      `${counted(kept.length, 'damaged queue is', 'damaged queues are')} kept: ${kept.map(({ path }) => home.display(path)).join(', ')}.`,
    ),
  ];
}

function checkClock(home: Home): Finding {
  const file = readClockFile(home.clockJson);
  return file?.kind === 'broken' ? attention('clock', file.message) : good('clock', 'clock.json can be read.');
}

function checkAccount({ session, state }: AuthStatus): Finding {
  if (session === null) return attention('account', 'Nobody is signed in: events are kept on this machine.');
  if (state === 'expired') return bad('account', `The sign-in of ${session.username} has run out.`);
  if (session.teamSlug === null) return bad('account', `${session.username} has no team, so nothing may leave.`);
  return good('account', `${session.username} is signed in for team ${session.teamSlug}.`);
}

function checkServer(probe: ServerProbe | null): Finding {
  if (probe === null) return attention('server', 'No server is set.');
  const { server, verdict, isSignedIn } = probe;
  switch (verdict.kind) {
    case 'healthy':
      return isSignedIn
        ? good('server', `${server} answers and accepts the sign-in.`)
        : attention('server', `${server} answers; without a sign-in it was not asked about one.`);
    case 'unknown':
      return attention('server', verdict.message);
    case 'unauthorized':
      return bad('sign-in', verdict.message);
    case 'forbidden':
    case 'unhealthy':
    case 'not-a-sync-server':
    case 'unreachable':
      return bad('server', verdict.message);
    default:
      return verdict satisfies never;
  }
}

function checkProject({ project, projectProblem }: HomeStatus): Finding {
  if (projectProblem !== null) return bad('project-file', projectProblem);
  return project === null
    ? attention('project', 'This is no project with an identity: events from here are held.')
    : good('project', `The project is ${project.slug}.`);
}

function checkDelivery({ lastSync, queued }: HomeStatus, { delivery }: SyncConfig): Finding {
  if (lastSync !== null && lastSync.stoppedBy !== 'drained' && queued > 0)
    return attention('delivery', `The last delivery stopped: ${lastSync.message ?? lastSync.stoppedBy}`);
  if (delivery === 'off') return attention('delivery', 'Nothing is delivered by itself here.');
  return good(
    'delivery',
    delivery === 'courier' ? 'A courier delivers after each command.' : 'Each command tries to deliver.',
  );
}

function messageOf(cause: unknown): string {
  return isEventsSdkError(cause) ? cause.message : 'an unexpected error';
}

function counted(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}
