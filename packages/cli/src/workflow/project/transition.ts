/**
 * The one way a lane changes, for every command: read the lane from disk, judge the move, write file and log,
 * commit exactly those files. The caller emits afterwards, with the lane this read. Call it under the feature lock.
 */
import type { Lane } from '@spec-kitty/events-sdk/contract';

import { appendLog, logTime } from '../files/activity-log.ts';
import { commitOnly } from '../git/commit.ts';
import type { Commit } from '../git/commit.ts';
import { WorkflowError } from '../errors.ts';
import type { Feature } from './feature.ts';
import { rememberFiles, writeText } from '../files/text-files.ts';
import type { FrontmatterFile, FrontmatterValue } from '../files/frontmatter.ts';
import { judgeMove } from '../rules/lanes.ts';
import type { WorkflowDeps } from '../ports.ts';
import { findWp, wpText } from './wp-file.ts';

/** What to change in one work package. */
export interface TransitionInput {
  readonly root: string;
  readonly feature: Feature;
  readonly wpId: string;
  readonly to: Lane;
  readonly force?: boolean;
  /** Who is named in the log line. */
  readonly agent: string;
  readonly shellPid?: string;
  /** Text of the log line. */
  readonly note: string;
  /** What the person said about a move that needs a reason; the log note does not count as one. */
  readonly reason?: string;
  /** Further frontmatter keys, given the file as it is on disk. */
  readonly fields?: (file: FrontmatterFile) => Readonly<Record<string, FrontmatterValue>>;
  readonly message: string;
  /** Further files of the same commit: written by `write`, put back with the rest when the commit is refused. */
  readonly also?: { readonly paths: readonly string[]; readonly write: () => void };
}

/** What became of it. `previous` is the lane that was on disk. */
export interface Transition {
  readonly previous: Lane;
  readonly next: Lane;
  /** False for a move to the lane it was in: the log grew, but nobody is to be told of a transition. */
  readonly changed: boolean;
  readonly commit: Commit | undefined;
  readonly warnings: readonly string[];
}

/** Moves one work package. Rejects with everything as it was before when the move or the commit is refused. */
export async function transitionLane(
  deps: Pick<WorkflowDeps, 'git' | 'time'>,
  input: TransitionInput,
): Promise<Transition> {
  const wp = findWp(input.feature, input.wpId);
  const verdict = judgeMove({
    from: wp.lane,
    to: input.to,
    force: input.force === true,
    ...(input.reason === undefined ? {} : { note: input.reason }),
  });
  if (verdict.kind === 'refused') {
    throw new WorkflowError('transition-refused', `${wp.id} cannot move to ${input.to}: ${verdict.reason}.`, {
      wpId: wp.id,
    });
  }

  const also = input.also?.paths ?? [];
  const restore = rememberFiles([wp.path, ...also.map((path) => `${input.root}/${path}`)]);
  try {
    writeText(wp.path, edited(wp.file, input, deps.time.now()));
    input.also?.write();
    const commit = await commitOnly(deps.git, input.root, {
      message: input.message,
      paths: [wp.relativePath, ...also],
    });
    const warnings = verdict.kind === 'allowed' && verdict.warning !== undefined ? [verdict.warning] : [];
    return { previous: wp.lane, next: input.to, changed: verdict.kind === 'allowed', commit, warnings };
  } catch (cause) {
    restore();
    throw cause;
  }
}

function edited(file: FrontmatterFile, input: TransitionInput, nowMs: number): string {
  let next = file;
  const fields = { ...input.fields?.(file), ...(wpText(file, 'lane') === input.to ? {} : { lane: input.to }) };
  for (const [key, value] of Object.entries(fields)) next = next.set(key, value);
  const pid = input.shellPid ?? wpText(next, 'shell_pid');
  const entry = {
    at: logTime(nowMs),
    agent: input.agent,
    lane: input.to,
    note: input.note,
    ...(pid === undefined ? {} : { shellPid: pid }),
  };
  return next.withBody(appendLog(next.body, entry)).text;
}
