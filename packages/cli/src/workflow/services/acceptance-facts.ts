/** Looks up everything an acceptance depends on: files once, and git's answers side by side. Changes nothing. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { WorkflowError } from '../errors.ts';
import { metaTarget, metaText, type FeatureMeta } from '../files/meta-json.ts';
import { missionPaths } from '../files/mission-yaml.ts';
import { isFolder, listFolder, readText } from '../files/text-files.ts';
import { commitOf, dirtyFiles, headBranch } from '../git/repository.ts';
import type { Git } from '../ports.ts';
import { requireMeta, type Feature } from '../project/feature.ts';
import type { Project } from '../project/project-root.ts';
import { workspaceOf } from '../project/workspace.ts';
import { readAllWps, type WorkPackage } from '../project/wp-file.ts';
import { wpIdOfFile } from '../rules/wp-id.ts';
import { ARTIFACTS, type AcceptanceFacts } from './acceptance-gates.ts';

/** The facts that are judged, and those an acceptance is recorded and explained with. */
export interface Findings {
  readonly facts: AcceptanceFacts;
  readonly meta: FeatureMeta;
  readonly mission: string;
  /** The commit of the main checkout. */
  readonly head: string | undefined;
  /** Where to push: `origin` where there is one. */
  readonly remote: string | undefined;
  /** Worktrees and branches of packages whose work is in the target branch. */
  readonly merged: { readonly worktrees: readonly string[]; readonly branches: readonly string[] };
}

/** Looks. Refuses when a file cannot be read, or when there is nothing to accept. */
export async function findOut(
  git: Git,
  { project, feature }: { readonly project: Project; readonly feature: Feature },
  lenient: boolean,
): Promise<Findings> {
  const { root } = project;
  const meta = requireMeta(feature);
  const mission = metaText(meta, 'mission') ?? 'software-dev';
  const wps = packagesOf(feature);
  const branch = await headBranch(git, project.gitCommonDir);
  const target = metaTarget(meta, feature.slug) ?? branch;
  const [dirty, head, remote, branches] = await Promise.all([
    dirtyFiles(git, root, ['.kittify', '.worktrees']),
    commitOf(git, root, 'HEAD'),
    aRemote(git, root),
    packageBranches(git, root, { feature, wps, target }),
  ]);
  const facts: AcceptanceFacts = {
    feature: feature.slug,
    featureDir: feature.relativeDir,
    branch,
    target,
    lenient,
    wps,
    artifacts: artifactsOf(feature),
    dirty,
    missingPaths: missionPaths(root, mission).filter((path) => !existsSync(join(root, path))),
    unmerged: branches.unmerged,
    strayFiles: strayFiles(feature),
  };
  const worktrees = branches.merged
    .map((id) => workspaceOf(root, feature, id))
    .filter(({ path }) => existsSync(path))
    .map(({ relativePath }) => relativePath);
  const merged = { worktrees, branches: branches.merged.map((id) => workspaceOf(root, feature, id).branch) };
  return { facts, meta, mission, head, remote, merged };
}

/** The packages; a feature without any has nothing to accept. */
export function packagesOf(feature: Feature): readonly WorkPackage[] {
  const wps = readAllWps(feature);
  if (wps.length > 0) return wps;
  const hasTasks = existsSync(join(feature.dir, 'tasks.md'));
  throw new WorkflowError('no-work-packages', `${feature.relativeDir}/tasks holds no work packages.`, {
    remedy: `spec-kitty agent tasks scaffold --feature ${feature.slug}${hasTasks ? ` --from ${feature.relativeDir}/tasks.md` : ' --wp "First title"'}`,
  });
}

function artifactsOf(feature: Feature): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const name of ARTIFACTS) {
    const text = isFolder(join(feature.dir, name))
      ? ''
      : readText(join(feature.dir, name), `${feature.relativeDir}/${name}`);
    if (text !== undefined) found.set(name, text);
  }
  return found;
}

/** `WP100-x.md` and the like: somebody meant a package, and no command sees one. */
function strayFiles(feature: Feature): readonly string[] {
  return listFolder(feature.tasksDir, `${feature.relativeDir}/tasks`)
    .filter((name) => /^wp.*\.md$/i.test(name) && wpIdOfFile(name) === undefined)
    .toSorted();
}

async function aRemote(git: Git, root: string): Promise<string | undefined> {
  const answer = await git.run(root, ['remote']);
  const names = answer.stdout.split('\n').filter((name) => name !== '');
  return names.includes('origin') ? 'origin' : names[0];
}

interface BranchQuestion {
  readonly feature: Feature;
  readonly wps: readonly WorkPackage[];
  readonly target: string | undefined;
}

/** Ids of packages that have a branch, by whether the target branch has all its commits. A target nobody has made yet has none. */
async function packageBranches(
  git: Git,
  root: string,
  { feature, wps, target }: BranchQuestion,
): Promise<{ readonly merged: readonly string[]; readonly unmerged: readonly string[] }> {
  if (target === undefined) return { merged: [], unmerged: [] };
  const idsOf = async (which: '--merged' | '--no-merged'): Promise<readonly string[]> => {
    const pattern = `refs/heads/${feature.slug}-WP*`;
    const args = ['for-each-ref', '--format=%(refname:short)', `${which}=refs/heads/${target}`, pattern];
    const names = (await git.run(root, args)).stdout.split('\n');
    return wps
      .map((wp) => wp.id)
      .filter((id) => {
        const { branch } = workspaceOf(root, feature, id);
        return branch !== target && names.includes(branch);
      });
  };
  const [merged, unmerged] = await Promise.all([idsOf('--merged'), idsOf('--no-merged')]);
  return { merged, unmerged };
}
