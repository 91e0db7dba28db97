/** What the target branch says about a package's work: how its merge is called there, and whether there was one. */
import { readLog } from '../files/activity-log.ts';
import type { Git } from '../ports.ts';
import type { Feature } from './feature.ts';
import type { Project } from './project-root.ts';
import { workspaceOf } from './workspace.ts';
import type { WorkPackage } from './wp-file.ts';

/** Where to look. */
export interface MergedWhere {
  readonly project: Project;
  readonly feature: Feature;
  readonly target: string;
}

/** First line of the commit that brings a package's work to the target branch. */
export function mergeSubject(feature: string, wpId: string): string {
  return `Merge ${wpId} from ${feature}`;
}

/** A squash leaves no trace of the branch in history; this line of its message does. */
export function squashNote(branch: string, tip: string): string {
  return `Squashed ${branch} at ${tip}`;
}

/** The log line of a package that a merge moved to review. */
export function mergeNote(target: string): string {
  return `Merged into ${target}`;
}

/**
 * Whether a package whose branch is gone was merged. A deleted branch leaves its merge commit: ours say `Merge WP01 from
 * <slug>`, git's own name the branch. One that brought nothing left no commit, but a line in the package's log.
 */
export async function wasMerged(git: Git, where: MergedWhere, wp: WorkPackage): Promise<boolean> {
  const log = readLog(wp.file.body);
  const at = log.findLastIndex(({ note }) => note === mergeNote(where.target));
  if (at !== -1 && log.slice(at).every(({ lane }) => lane === 'for_review' || lane === 'done')) return true;
  const { branch } = workspaceOf(where.project.root, where.feature, wp.id);
  const texts = [mergeSubject(where.feature.slug, wp.id), `Merge branch '${branch}'`];
  return saysSo(git, where.project, texts, `refs/heads/${where.target}`);
}

/** True when exactly this state of the branch was squashed onto the target branch. */
export async function wasSquashed(git: Git, where: MergedWhere, wpId: string, tip: string): Promise<boolean> {
  const { branch } = workspaceOf(where.project.root, where.feature, wpId);
  return saysSo(git, where.project, [squashNote(branch, tip)], `${tip}..refs/heads/${where.target}`);
}

async function saysSo(git: Git, project: Project, texts: readonly string[], range: string): Promise<boolean> {
  const grep = texts.map((text) => `--grep=${text}`);
  const args = ['log', '--no-show-signature', '-1', '--format=%H', '--fixed-strings', ...grep, range, '--'];
  const answer = await git.run(project.root, args);
  return answer.exitCode === 0 && answer.stdout.trim() !== '';
}
