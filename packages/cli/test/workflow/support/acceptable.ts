/** A feature that is ready to be accepted, on a real repository; a test takes one thing of it away. */
import type { Lane } from '@spec-kitty/events-sdk/contract';

import { parseFrontmatter } from '../../../src/workflow/files/frontmatter.ts';
import { createProject, type TestRepo } from './workspace.ts';

export const DIR = 'kitty-specs/001-demo';

/** The repository, and what tests change about its feature. */
export interface Acceptable extends TestRepo {
  wpPath(id: string): string;
  /** Sets frontmatter keys of a package and commits. */
  set(id: string, fields: Readonly<Record<string, string>>): void;
  /** Replaces text in a file of the feature and commits; fails when the text is not there. */
  replace(name: string, from: string | RegExp, to: string): void;
  /** Writes a file and commits it. */
  commit(path: string, text: string): void;
  /** Everything a refusal must leave as it was. */
  state(): readonly unknown[];
}

/** One package per lane given: WP01, WP02, … Default: one in review, one done. Everything is committed. */
export async function createAcceptable(
  lanes: readonly Lane[] = ['for_review', 'done'],
  options: Parameters<typeof createProject>[1] = {},
): Promise<Acceptable> {
  const repo = await createProject(
    lanes.map((_, index) => `Package ${index + 1}`),
    options,
  );
  const commitAll = (): void => {
    repo.git('add', '--all');
    repo.git('commit', '-qm', 'By hand');
  };
  for (const [index, lane] of lanes.entries()) {
    const path = repo.wpPath(`WP0${index + 1}`);
    const fields = { lane, agent: 'claude', assignee: 'Ada', shell_pid: '4711' };
    let file = parseFrontmatter(path, repo.read(path));
    for (const [key, value] of Object.entries(fields)) file = file.set(key, value);
    repo.write(path, `${file.text}- 2026-03-01T10:00:00Z – claude – shell_pid=4711 – lane=${lane} – By hand\n`);
  }
  repo.write(`${DIR}/tasks.md`, repo.read(`${DIR}/tasks.md`).replaceAll('- [ ]', '- [x]'));
  commitAll();
  return {
    ...repo,
    set(id, fields) {
      const path = repo.wpPath(id);
      const file = parseFrontmatter(path, repo.read(path));
      const next = Object.entries(fields).reduce((each, [key, value]) => each.set(key, value), file);
      repo.write(path, next.text);
      commitAll();
    },
    replace(name, from, to) {
      const path = name.startsWith('WP') ? repo.wpPath(name) : `${DIR}/${name}`;
      const before = repo.read(path);
      const after = before.replace(from, to);
      if (after === before) throw new Error(`${path} does not hold ${String(from)}`);
      repo.write(path, after);
      commitAll();
    },
    commit(path, text) {
      repo.write(path, text);
      commitAll();
    },
    state: () => [
      repo.status(),
      repo.git('rev-parse', 'HEAD'),
      repo.git('diff', '--cached'),
      repo.read(`${DIR}/meta.json`),
      ...lanes.map((_, index) => repo.read(repo.wpPath(`WP0${index + 1}`))),
    ],
  };
}
