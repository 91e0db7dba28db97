/** `agent tasks add-history`: one line in a package's activity log, committed, and told to the team. */
import { historyAdded } from '@spec-kitty/events-sdk';

import { naming, WorkflowError } from '../errors.ts';
import type { Place } from '../ports.ts';
import { detectFeature, requireTargetBranch } from '../project/feature.ts';
import { changeFeature } from '../project/feature-work.ts';
import { findProject } from '../project/project-root.ts';
import { changeLanes } from '../project/transition.ts';
import { findWp, wpText } from '../project/wp-file.ts';
import { parseWpId, readWpId } from '../rules/wp-id.ts';
import { namedAgent } from './move-request.ts';
import type { MoveDeps } from './move-task.ts';

/** What an entry is about. */
export const HISTORY_TYPES = ['note', 'review', 'error', 'comment'] as const;

/** What the user asked for. */
export interface AddHistoryInput extends Place {
  readonly wpId: string;
  readonly note: string;
  /** Default `note`. */
  readonly type?: (typeof HISTORY_TYPES)[number];
  /** Who says it. Default: `SPEC_KITTY_AGENT`, else the package's agent, else `user`. */
  readonly agent?: string;
  readonly shellPid?: number;
  readonly feature?: string;
  /** False leaves the file changed and not committed. Default true. */
  readonly autoCommit?: boolean;
}

/** The JSON answer. */
export interface AddHistoryResult {
  readonly result: 'success';
  readonly task_id: string;
  readonly feature: string;
  readonly note: string;
  readonly type: string;
  readonly author: string;
  readonly commit_hash: string | null;
}

/** Runs it. Emits one HistoryAdded. */
export async function addHistory(deps: MoveDeps, input: AddHistoryInput): Promise<AddHistoryResult> {
  const agentId = namedAgent(input);
  const wpId = readWpId(input.wpId);
  try {
    const project = await findProject(deps.git, input);
    const id = parseWpId(input.wpId);
    const note = input.note.trim().replaceAll(/\s*\r?\n\s*/g, ' / ');
    if (note === '') throw new WorkflowError('note-empty', `There is nothing to note for ${id}: the text is empty.`);
    const feature = await detectFeature(deps.git, project, input);
    const retry = input.retype?.(feature.slug) ?? `spec-kitty agent tasks add-history ${id} --feature ${feature.slug}`;
    await requireTargetBranch(deps.git, project, feature, retry);
    const type = input.type ?? 'note';
    const { result } = await changeFeature(deps, project, feature, async (work) => {
      const wp = findWp(feature, id);
      const author = agentId ?? wpText(wp.file, 'agent') ?? 'user';
      const { commit } = await changeLanes(deps, work, {
        moves: [
          {
            wp,
            to: wp.lane,
            agent: author,
            note,
            tells: [historyAdded({ wpId: id, entryType: type, entryContent: note, author })],
            ...(input.shellPid === undefined ? {} : { shellPid: String(input.shellPid) }),
          },
        ],
        message: `chore: Add history to ${id} on spec ${feature.number}`,
        commit: input.autoCommit !== false,
      });
      return { author, commit };
    });
    return {
      result: 'success',
      task_id: id,
      feature: feature.slug,
      note,
      type,
      author: result.author,
      commit_hash: result.commit?.hash ?? null,
    };
  } catch (cause) {
    throw naming(cause, { ...(wpId === undefined ? {} : { wpId }), ...(agentId === undefined ? {} : { agentId }) });
  }
}
