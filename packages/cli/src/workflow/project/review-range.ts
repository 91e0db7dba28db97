/** Which commits are a package's own: what a reviewer has to look at. Asks git and changes nothing. */
import type { Git } from '../ports.ts';
import { branchTip } from '../git/repository.ts';
import type { Feature } from './feature.ts';
import type { Project } from './project-root.ts';
import { readContext, workspaceOf } from './workspace.ts';
import { wpText, type WorkPackage } from './wp-file.ts';

/** A range for `git log base..branch` and `git diff base...branch`. */
export interface ReviewRange {
  readonly base: string;
  readonly branch: string;
  readonly commits: number;
}

/** Finds it; undefined when the package's branch is not in this clone. */
export async function reviewRange(
  git: Git,
  project: Project,
  { feature, wp, target }: { readonly feature: Feature; readonly wp: WorkPackage; readonly target: string },
): Promise<ReviewRange | undefined> {
  const workspace = workspaceOf(project.root, feature, wp.id);
  const { branch } = workspace;
  if ((await branchTip(git, project.root, branch)) === undefined) return undefined;
  const context = readContext(project.root, workspace);
  const recorded = [wpText(wp.file, 'base_branch'), wpText(wp.file, 'base_commit'), context?.base_commit];
  const bases = [...new Set([...recorded, target].filter((name) => typeof name === 'string'))];
  const ranges = await Promise.all(
    bases.map(async (base) => ({ base, branch, commits: await count(git, project.root, base, branch) })),
  );
  // A base merged in later, or from before a rebase, leaves others' commits in the range: the shortest is the package's
  // own. An empty one says that it was merged already.
  const known = ranges.filter(({ commits }) => commits > 0).toSorted((a, b) => a.commits - b.commits);
  const { base, commits } = known[0] ?? { base: target, commits: 0 };
  return { base: /^[0-9a-f]{40,64}$/.test(base) ? base.slice(0, 12) : base, branch, commits };
}

async function count(git: Git, root: string, base: string, branch: string): Promise<number> {
  const answer = await git.run(root, ['rev-list', '--count', '--end-of-options', `${base}..${branch}`, '--']);
  return answer.exitCode === 0 ? Number(answer.stdout.trim()) : 0;
}
