/**
 * Which files a merge will leave to a person, without merging anything: what two packages change may conflict, and
 * git, where it is new enough, merges the trees in memory and says what does.
 */
import { mustRun } from '../git/repository.ts';
import type { Git } from '../ports.ts';

/** A branch that will be merged. */
export interface ForecastBranch {
  readonly wpId: string;
  readonly tip: string;
}

/** A file that may wait for a person. */
export interface ForecastConflict {
  readonly file: string;
  /** The packages that change it. */
  readonly wps: readonly string[];
  /** True for the files of tasks, which hold lanes and logs. */
  readonly is_status_file: boolean;
  /** `certain`: git has tried it. `possible`: two packages change it, and this git cannot try. */
  readonly confidence: 'possible' | 'certain';
}

/** The conflicts to expect when `branches` are merged into `target` one after the other. */
export async function forecast(
  git: Git,
  root: string,
  target: string,
  branches: readonly ForecastBranch[],
): Promise<readonly ForecastConflict[]> {
  const tried = await tryMerges(git, root, target, branches);
  // Who else changes a file is only worth a look at every branch where something is in conflict.
  if (tried?.size === 0) return [];
  const changers = await changersOf(git, root, target, branches);
  if (tried !== undefined) {
    return [...tried].map(([file, wpId]) => describe(file, changers.get(file) ?? [wpId], 'certain'));
  }
  const shared = [...changers].filter(([, wps]) => wps.length > 1);
  return shared.map(([file, wps]) => describe(file, wps, 'possible'));
}

/** File → the packages that change it. */
async function changersOf(
  git: Git,
  root: string,
  target: string,
  branches: readonly ForecastBranch[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  const changes = await Promise.all(
    branches.map(async ({ wpId, tip }) => {
      const args = ['diff', '--name-only', '--no-renames', '-z', `refs/heads/${target}...${tip}`, '--'];
      const text = await mustRun(git, root, args, 'compare the branches');
      return { wpId, files: text.split('\0').filter((file) => file !== '') };
    }),
  );
  const changers = new Map<string, string[]>();
  for (const { wpId, files } of changes)
    for (const file of files) changers.set(file, [...(changers.get(file) ?? []), wpId]);
  return changers;
}

/** File → the first package whose merge leaves it in conflict; undefined where git is older than 2.38. */
async function tryMerges(
  git: Git,
  root: string,
  target: string,
  branches: readonly ForecastBranch[],
): Promise<ReadonlyMap<string, string> | undefined> {
  const found = new Map<string, string>();
  let current = `refs/heads/${target}`;
  for (const { wpId, tip } of branches) {
    const answer = await git.run(root, [
      'merge-tree',
      '--write-tree',
      '--name-only',
      '--no-messages',
      '-z',
      current,
      tip,
    ]);
    if (answer.exitCode > 1) return undefined;
    const [tree = '', ...files] = answer.stdout.split('\0').filter((part) => part !== '');
    for (const file of files) if (!found.has(file)) found.set(file, wpId);
    // With its conflicts in it, as if a person had resolved them: only later files are looked at.
    const who = ['-c', 'user.name=spec-kitty', '-c', 'user.email=spec-kitty@localhost'];
    const args = [...who, 'commit-tree', tree, '-p', current, '-p', tip, '-m', `Forecast of ${wpId}`];
    current = (await mustRun(git, root, args, 'try the merge')).trim();
  }
  return found;
}

function describe(file: string, wps: readonly string[], confidence: ForecastConflict['confidence']): ForecastConflict {
  const isStatusFile = /^kitty-specs\/(?:[^/]+\/){1,2}tasks(?:\.md|\/[^/]+\.md)$/.test(file);
  return { file, wps, is_status_file: isStatusFile, confidence };
}
