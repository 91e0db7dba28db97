/**
 * A person's or agent's wish to move a package, judged: who asks, whether the package is theirs, whether it is ready,
 * and what is written beside the lane. `move-task` and `mark-status` share it; nothing is changed here.
 */
import { resolve } from 'node:path';

import type { Lane } from '@spec-kitty/events-sdk/contract';

import { WorkflowError } from '../errors.ts';
import { replaceSection } from '../files/sections.ts';
import { readNamedText } from '../files/text-files.ts';
import { userName } from '../git/repository.ts';
import type { Place, WorkflowDeps } from '../ports.ts';
import { refuseUnready, type ReadinessInput } from '../project/review-readiness.ts';
import { checkMove, type LaneMove } from '../project/transition.ts';
import { wpText, type WorkPackage } from '../project/wp-file.ts';

/** What is wished. */
export interface MoveWish extends Place {
  readonly to: Lane;
  /** Who moves it. Default: `SPEC_KITTY_AGENT`, else the package's agent, else `user`. */
  readonly agent?: string;
  readonly assignee?: string;
  readonly shellPid?: number;
  /** Process that runs the command: recorded when a package begins and no other was named. */
  readonly callerPid?: number;
  /** Text of the log line; the reason where a move needs one. Default `Moved to <lane>`. */
  readonly note?: string;
  /** A file with what has to change, relative to `cwd`. */
  readonly reviewFeedbackFile?: string;
  /** The same as text, from a program. */
  readonly reviewFeedback?: string;
  /** An orchestrator vouches for the subtasks itself: open ones do not hold the package up. */
  readonly skipSubtasks?: boolean;
  /** Who reviewed. Default: the agent that was named, else git's user name, else `unknown`. */
  readonly reviewer?: string;
  /** Events of the same action, told after the lane. */
  readonly follows?: LaneMove['follows'];
  /** Any lane to any lane, without the guards. */
  readonly force?: boolean;
}

/** Where it would happen. Read the package under the feature's lock. */
export type MoveContext = Omit<ReadinessInput, 'skipSubtasks'>;

/** Who asks: named in words or by the environment; undefined when nobody was. */
export function namedAgent(wish: Pick<MoveWish, 'agent' | 'env'>): string | undefined {
  return wish.agent?.trim() || wish.env?.['SPEC_KITTY_AGENT']?.trim() || undefined;
}

/** The move to make. Rejects with the first guard that refuses. */
export async function judgeWish(
  deps: Pick<WorkflowDeps, 'git' | 'time'>,
  context: MoveContext,
  wish: MoveWish,
): Promise<LaneMove> {
  const { wp } = context;
  const force = wish.force === true;
  const agent = namedAgent(wish) ?? wpText(wp.file, 'agent') ?? 'user';
  const move = {
    wp,
    to: wish.to,
    force,
    agent,
    note: wish.note?.trim() || `Moved to ${wish.to}`,
    ...(wish.note === undefined ? {} : { reason: wish.note }),
    ...(wish.shellPid === undefined ? {} : { shellPid: String(wish.shellPid) }),
    ...(wish.follows === undefined ? {} : { follows: wish.follows }),
  };
  const { changed } = checkMove(move);
  refuseForeign(wp, wish, force);
  const feedback = readFeedback(wp, wish, force);
  const isJudged = changed && (wish.to === 'for_review' || wish.to === 'done');
  if (isJudged && !force) await refuseUnready(deps.git, { ...context, skipSubtasks: wish.skipSubtasks === true });
  const needsReviewer = feedback !== undefined || wish.to === 'done';
  const reviewer = needsReviewer ? await reviewerOf(deps, context, wish) : '';
  return {
    ...move,
    fields: {
      ...(wp.lane === 'planned' && wish.to === 'doing' ? await beginFields(deps, context, { ...wish, agent }) : {}),
      ...(wish.assignee === undefined ? {} : { assignee: wish.assignee }),
      // A reviewer does not become the one who worked on it.
      ...(wish.agent === undefined || wp.lane === 'for_review' || wp.lane === 'done' ? {} : { agent }),
      ...(wish.shellPid === undefined ? {} : { shell_pid: String(wish.shellPid) }),
      ...reviewFields(wp, wish.to, { feedback, reviewer }),
    },
    ...(feedback === undefined
      ? {}
      : { body: (body: string) => withFeedback(body, { feedback, reviewer, nowMs: deps.time.now() }) }),
  };
}

/** Who begins a package without a workspace: what `implement` would have written, so that strict acceptance finds it. */
export async function beginFields(
  deps: Pick<WorkflowDeps, 'git'>,
  { project, wp }: Pick<MoveContext, 'project' | 'wp'>,
  { agent, shellPid, callerPid }: Pick<MoveWish, 'shellPid' | 'callerPid'> & { readonly agent: string },
): Promise<Readonly<Record<string, string>>> {
  const pid = shellPid ?? callerPid;
  const person = wpText(wp.file, 'assignee') === undefined ? await userName(deps.git, project.root) : undefined;
  return {
    agent,
    ...(person === undefined ? {} : { assignee: person }),
    ...(pid === undefined ? {} : { shell_pid: String(pid) }),
  };
}

/** A package in somebody's hands is theirs; one in review is its reviewers'. */
function refuseForeign(wp: WorkPackage, wish: MoveWish, force: boolean): void {
  const owner = wpText(wp.file, 'agent');
  const agent = namedAgent(wish);
  const isTheirs = owner === undefined || agent === undefined || agent === owner || wp.lane !== 'doing';
  if (isTheirs || force) return;
  throw new WorkflowError('not-yours', `${wp.id} is being worked on by ${owner}, not by ${agent}.`, {
    wpId: wp.id,
    agentId: agent,
    remedy: wish.retype === undefined ? '--force' : `${wish.retype()} --force`,
  });
}

function readFeedback(wp: WorkPackage, wish: MoveWish, force: boolean): string | undefined {
  const file = wish.reviewFeedbackFile;
  if (wish.reviewFeedback !== undefined && wish.reviewFeedback.trim() !== '') return wish.reviewFeedback.trim();
  if (file === undefined) {
    if (force || wp.lane !== 'for_review' || wish.to !== 'planned') return undefined;
    throw new WorkflowError(
      'feedback-missing',
      `${wp.id} goes back from review to planned: whoever takes it up needs to know what to change.`,
      {
        wpId: wp.id,
        remedy: `${wish.retype?.() ?? `spec-kitty agent tasks move-task ${wp.id} --to planned`} --review-feedback-file FILE`,
      },
    );
  }
  const text = readNamedText(resolve(wish.cwd, file), file);
  if (text === undefined)
    throw new WorkflowError('feedback-file-missing', `The feedback file ${file} does not exist.`, { wpId: wp.id });
  const feedback = text.replace(/^\uFEFF/, '').trim();
  if (feedback === '')
    throw new WorkflowError('feedback-empty', `The feedback file ${file} is empty.`, { wpId: wp.id });
  return feedback;
}

async function reviewerOf(deps: Pick<WorkflowDeps, 'git'>, { project }: MoveContext, wish: MoveWish): Promise<string> {
  return wish.reviewer?.trim() || namedAgent(wish) || (await userName(deps.git, project.root)) || 'unknown';
}

function reviewFields(
  wp: WorkPackage,
  to: Lane,
  review: { readonly feedback: string | undefined; readonly reviewer: string },
): Readonly<Record<string, string>> {
  if (review.feedback !== undefined) return { review_status: 'has_feedback', reviewed_by: review.reviewer };
  if (to === 'done') return { review_status: 'approved', reviewed_by: review.reviewer };
  // Taken up again: whoever does so has seen the feedback.
  return to === 'doing' && wpText(wp.file, 'review_status') === 'has_feedback' ? { review_status: 'acknowledged' } : {};
}

function withFeedback(
  body: string,
  { feedback, reviewer, nowMs }: { readonly feedback: string; readonly reviewer: string; readonly nowMs: number },
): string {
  const day = new Date(nowMs).toISOString().slice(0, 10);
  const head = [`**Reviewed by**: ${reviewer}`, '**Status**: ❌ Changes Requested', `**Date**: ${day}`];
  return replaceSection(body, {
    heading: 'Review Feedback',
    before: 'Activity Log',
    // A heading of the reviewer's must not end the section.
    body: `${head.join('\n')}\n\n${feedback.replaceAll(/^(#{1,2})(?=[ \t])/gm, '###')}`,
  });
}
