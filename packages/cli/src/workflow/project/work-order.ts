/** What somebody who works on a package needs to know: where it is, what its file says, and where to go. */
import { realpathSync } from 'node:fs';
import { relative } from 'node:path';

import { readLog } from '../files/activity-log.ts';
import { workspaceOf } from './workspace.ts';
import type { Feature } from './feature.ts';
import type { Project } from './project-root.ts';
import { wpText, type WorkPackage } from './wp-file.ts';

/** The log line a review begins with. */
export const REVIEW_STARTED = 'Review started';

/** The facts of a prompt. */
export interface WorkOrder {
  readonly title: string;
  /** The package's file, relative to the project root. */
  readonly path: string;
  /** Its whole text. */
  readonly text: string;
  /** Ids of its subtasks, e.g. `T001`. */
  readonly subtasks: readonly string[];
  /** True when a review sent it back and nobody has answered that yet. */
  readonly hasFeedback: boolean;
  /** How many reviews have begun. */
  readonly reviews: number;
  /** The workspace from where the command runs, for `cd`. */
  readonly wayToWorkspace: string;
}

/** Gathers them. */
export function workOrderOf(project: Project, feature: Feature, wp: WorkPackage, cwd: string): WorkOrder {
  const subtasks: unknown = wp.file.get('subtasks');
  return {
    title: wp.title,
    path: wp.relativePath,
    text: wp.file.text.replace(/^\uFEFF/, ''),
    subtasks: Array.isArray(subtasks) ? subtasks.filter((id) => typeof id === 'string') : [],
    hasFeedback: ['has_feedback', 'acknowledged'].includes(wpText(wp.file, 'review_status') ?? ''),
    reviews: readLog(wp.file.body).filter(({ note }) => note === REVIEW_STARTED).length,
    wayToWorkspace: relative(realpathSync(cwd), workspaceOf(project.root, feature, wp.id).path) || '.',
  };
}
