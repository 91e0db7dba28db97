/** A repository with one feature of so many packages, each worked on in a workspace of its own, one file changed. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { makeBoardWorld, type BoardWorld } from './board-world.ts';

export type GrownWorld = Pick<BoardWorld, 'run' | 'countGit' | 'remove'>;

const FEATURE = '001-work';

/** Made with git by hand where `implement` would take minutes. */
export async function makeGrownWorld(packages: number): Promise<GrownWorld> {
  const world = await makeBoardWorld(packages, { isSingle: true });
  const git = (cwd: string, ...args: readonly string[]): unknown =>
    execFileSync('git', args, { cwd, env: world.env, stdio: 'ignore' });
  const tasks = join(world.cwd, 'kitty-specs', FEATURE, 'tasks');
  const files = readdirSync(tasks).filter((name) => /^WP\d+/.test(name));
  const ids = files.map((name) => name.slice(0, /^WP\d+/.exec(name)?.[0].length)).toSorted();
  for (const file of files) {
    const text = readFileSync(join(tasks, file), 'utf8').replace(/lane: "?planned"?/, 'lane: doing');
    writeFileSync(join(tasks, file), `${text}- 2026-03-01T09:00:00Z – claude – lane=doing – Started\n`);
  }
  const plan = join(world.cwd, 'kitty-specs', FEATURE, 'tasks.md');
  writeFileSync(plan, readFileSync(plan, 'utf8').replaceAll('- [ ]', '- [x]'));
  git(world.cwd, 'commit', '--quiet', '--all', '--message', 'Begin every package');
  for (const id of ids) {
    const branch = `${FEATURE}-${id}`;
    const place = join(world.cwd, '.worktrees', branch);
    git(world.cwd, 'worktree', 'add', '--quiet', '--no-track', '-b', branch, place, 'main');
    mkdirSync(join(place, 'work'), { recursive: true });
    writeFileSync(join(place, 'work', `${id}.txt`), 'done\n');
    git(place, 'add', '.');
    git(place, 'commit', '--quiet', '--message', `Do ${id}`);
  }
  const inFeature = (args: readonly string[]): readonly string[] => [...args, '--feature', FEATURE];
  return {
    run: (args, codes) => world.run(inFeature(args), codes),
    countGit: (args, codes) => world.countGit(inFeature(args), codes),
    remove: () => world.remove(),
  };
}
