/**
 * The one way a lane changes, for every command: read the lane from disk, judge the move, note what will be told,
 * write file and log, commit exactly those files. The events follow once this has returned (feature-work.ts), with the
 * lane this read.
 */
import { wpStatusChanged } from '@spec-kitty/events-sdk';
import type { Draft, Lane, SpecKittyEvents } from '@spec-kitty/events-sdk/contract';

import { appendLog, formatEntry, logTime } from '../files/activity-log.ts';
import type { FrontmatterFile, FrontmatterValue } from '../files/frontmatter.ts';
import { rememberFiles, writeText } from '../files/text-files.ts';
import { commitWritten, type Commit } from '../git/commit.ts';
import type { WorkflowDeps } from '../ports.ts';
import { WorkflowError } from '../errors.ts';
import { judgeMove } from '../rules/lanes.ts';
import type { FeatureWork } from './feature-work.ts';
import type { Happening } from './unsent.ts';
import { wpText, type WorkPackage } from './wp-file.ts';

/** What happens to one work package. */
export interface LaneMove {
  readonly wp: WorkPackage;
  readonly to: Lane;
  readonly force?: boolean;
  /** Who is named in the log line. */
  readonly agent: string;
  /** Who is named in the event. Default: `agent`. */
  readonly changedBy?: string;
  readonly shellPid?: string;
  /** Text of the log line. */
  readonly note: string;
  /** What the person said about a move that needs a reason; the log note does not count as one. */
  readonly reason?: string;
  /** Further frontmatter keys. */
  readonly fields?: Readonly<Record<string, FrontmatterValue>>;
  /** Changes the text below the frontmatter, before the log line is added. */
  readonly body?: (body: string) => string;
  /** Further events of this move, told before its lane; the log line proves them too. */
  readonly tells?: readonly Draft<SpecKittyEvents>[];
  /** The same, told after its lane. */
  readonly follows?: readonly Draft<SpecKittyEvents>[];
}

/** Moves that belong together, in one commit. */
export interface LaneChange {
  readonly moves: readonly LaneMove[];
  /** Further files of the same commit, relative to the project root, with their new text. */
  readonly files?: readonly { readonly path: string; readonly text: string }[];
  /** Further events of the same action, told before the lane changes. */
  readonly tells?: readonly Happening[];
  readonly message: string;
  /** What the events have in common with others of the same action. */
  readonly causationId?: string;
  /** False leaves the files changed and not committed. Default true. */
  readonly commit?: boolean;
}

/** What became of one package. `previous` is the lane that was on disk. */
export interface Transition {
  readonly wpId: string;
  readonly previous: Lane;
  readonly next: Lane;
  /** False for a move to the lane it was in: the log grew, but nobody is to be told of a transition. */
  readonly changed: boolean;
  readonly warnings: readonly string[];
}

/** Makes the change. Rejects with everything as it was before when a move or the commit is refused. */
export async function changeLanes(
  deps: Pick<WorkflowDeps, 'git' | 'time'>,
  work: FeatureWork,
  change: LaneChange,
): Promise<{ readonly transitions: readonly Transition[]; readonly commit: Commit | undefined }> {
  const { root } = work.project;
  const edits = change.moves.map((move) => editOf(move, deps.time.now()));
  const files = [...edits.map(({ move, text }) => ({ path: move.wp.relativePath, text })), ...(change.files ?? [])];
  work.willTell([...(change.tells ?? []), ...edits.flatMap((edit) => happeningsOf(work, edit, change))]);
  const restore = rememberFiles(files.map(({ path }) => `${root}/${path}`));
  try {
    for (const { path, text } of files) writeText(`${root}/${path}`, text);
    const paths = files.map(({ path }) => path);
    const commit =
      change.commit === false ? undefined : await commitWritten(deps.git, root, { message: change.message, paths });
    return { transitions: edits.map(({ transition }) => transition), commit };
  } catch (cause) {
    restore();
    throw cause;
  }
}

/** A package's file as it will be, and what that means. */
interface Edit {
  readonly move: LaneMove;
  readonly text: string;
  readonly logLine: string;
  readonly transition: Transition;
}

/** Judges a move by the table alone; throws when it is refused, so that cheap refusals come first. */
export function checkMove(move: Pick<LaneMove, 'wp' | 'to' | 'force' | 'reason' | 'agent'>): {
  readonly changed: boolean;
  readonly warnings: readonly string[];
} {
  const { wp, to, force, reason } = move;
  const verdict = judgeMove({
    from: wp.lane,
    to,
    force: force === true,
    ...(reason === undefined ? {} : { note: reason }),
  });
  if (verdict.kind === 'refused') {
    throw new WorkflowError('transition-refused', `${wp.id} cannot move to ${to}: ${verdict.reason}.`, {
      wpId: wp.id,
      agentId: move.agent,
    });
  }
  const warnings = verdict.kind === 'allowed' && verdict.warning !== undefined ? [verdict.warning] : [];
  return { changed: verdict.kind === 'allowed', warnings };
}

function editOf(move: LaneMove, nowMs: number): Edit {
  const { wp, to } = move;
  const verdict = checkMove(move);
  return {
    move,
    ...edited(wp.file, move, nowMs),
    transition: { wpId: wp.id, previous: wp.lane, next: to, ...verdict },
  };
}

function edited(
  file: FrontmatterFile,
  move: LaneMove,
  nowMs: number,
): { readonly text: string; readonly logLine: string } {
  let next = file;
  const fields = { ...move.fields, ...(wpText(file, 'lane') === move.to ? {} : { lane: move.to }) };
  for (const [key, value] of Object.entries(fields)) next = next.set(key, value);
  const pid = move.shellPid ?? wpText(next, 'shell_pid');
  const entry = {
    at: logTime(nowMs),
    agent: move.agent,
    lane: move.to,
    note: move.note,
    ...(pid === undefined ? {} : { shellPid: pid }),
  };
  const body = move.body?.(next.body) ?? next.body;
  return { text: next.withBody(appendLog(body, entry)).text, logLine: formatEntry(entry) };
}

function happeningsOf(
  work: FeatureWork,
  { move, logLine, transition }: Edit,
  { causationId }: LaneChange,
): readonly Happening[] {
  const status = wpStatusChanged({
    wpId: transition.wpId,
    previousStatus: transition.previous,
    newStatus: transition.next,
    changedBy: move.changedBy ?? move.agent,
    featureSlug: work.feature.slug,
    ...(causationId === undefined ? {} : { causationId }),
  });
  const drafts = [...(move.tells ?? []), ...(transition.changed ? [status] : []), ...(move.follows ?? [])];
  return drafts.map((draft) => ({ draft, evidence: { path: move.wp.relativePath, text: logLine } }));
}
