/** What `accept` promises, on real git repositories. */
import { chmodSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { isWorkflowError } from '../../src/workflow/errors.ts';
import { parseFrontmatter } from '../../src/workflow/files/frontmatter.ts';
import { createGit } from '../../src/workflow/git/git.ts';
import { accept, type AcceptInput } from '../../src/workflow/services/accept.ts';
import { implement } from '../../src/workflow/services/implement.ts';
import { createAcceptable, DIR, type Acceptable } from './support/acceptable.ts';
import { NOW, type TestRepo } from './support/workspace.ts';

function run(repo: TestRepo, more: Partial<AcceptInput> = {}) {
  return accept(repo.deps, { cwd: repo.root, ...more });
}

function metaOf(repo: TestRepo): Record<string, unknown> {
  return JSON.parse(repo.read(`${DIR}/meta.json`)) as Record<string, unknown>;
}

/** The same repository a while later. */
function later(repo: Acceptable, minutes: number): Acceptable {
  return { ...repo, deps: { ...repo.deps, time: { ...repo.deps.time, now: () => NOW + minutes * 60_000 } } };
}

test('moves packages in review to done in one commit with meta.json, then tells each move once (FR-018, SC-003)', async () => {
  const repo = await createAcceptable(['for_review', 'done', 'for_review']);
  const head = repo.git('rev-parse', 'HEAD').trim();

  const result = await run(repo, { actor: 'Grace', tests: ['npm test', 'npm run lint'] });

  expect(repo.git('rev-parse', 'HEAD~1').trim()).toBe(head);
  expect(repo.git('show', '--name-only', '--format=%s', 'HEAD').trim().split('\n').filter(Boolean)).toEqual([
    'Accept 001-demo',
    `${DIR}/meta.json`,
    repo.wpPath('WP01'),
    repo.wpPath('WP03'),
  ]);
  for (const id of ['WP01', 'WP03']) {
    const file = parseFrontmatter(id, repo.read(repo.wpPath(id)));
    expect([file.get('lane'), file.get('reviewed_by'), file.get('review_status')]).toEqual([
      'done',
      'Grace',
      'approved',
    ]);
    expect(file.body).toContain('\n- 2026-03-02T14:30:00Z – Grace – shell_pid=4711 – lane=done – Accepted\n');
  }
  const acceptance = { accepted_at: '2026-03-02T14:30:00Z', accepted_by: 'Grace', accepted_from_commit: head };
  expect(metaOf(repo)).toMatchObject({
    ...acceptance,
    acceptance_mode: 'local',
    accept_commit: null,
    acceptance_history: [
      { ...acceptance, mode: 'local', branch: 'main', validation_commands: ['npm test', 'npm run lint'] },
    ],
  });
  expect(repo.emitted).toHaveLength(1);
  expect(repo.emitted[0]?.statusThen).toBe('');
  expect(repo.emitted[0]?.drafts).toEqual(
    ['WP01', 'WP03'].map((wp_id) => ({
      type: 'WPStatusChanged',
      payload: {
        wp_id,
        previous_status: 'for_review',
        new_status: 'done',
        changed_by: 'Grace',
        feature_slug: '001-demo',
      },
      causationId: expect.stringMatching(/^[0-9A-Z]{26}$/),
    })),
  );
  expect(new Set(repo.emitted[0]?.drafts.map((draft) => draft.causationId)).size).toBe(1);
  expect(result).toMatchObject({
    accepted_at: '2026-03-02T14:30:00Z',
    accepted_by: 'Grace',
    mode: 'local',
    already_accepted: false,
    accepted: ['WP01', 'WP03'],
    would_accept: [],
    parent_commit: head,
    accept_commit: repo.git('rev-parse', 'HEAD').trim(),
    commit_created: true,
    notes: ['The test commands were recorded, not run.'],
    summary: { ok: true, all_done: true, lanes: { for_review: [], done: ['WP01', 'WP02', 'WP03'] } },
  });
  expect(repo.status()).toBe('');
});

test('records the acceptance of a feature whose packages are done already, and tells nothing (FR-018)', async () => {
  const repo = await createAcceptable(['done', 'done']);

  const result = await run(repo);

  expect(result).toMatchObject({ accepted: [], commit_created: true, already_accepted: false });
  expect(repo.git('show', '--name-only', '--format=', 'HEAD').trim()).toBe(`${DIR}/meta.json`);
  expect(repo.emitted).toEqual([]);
});

test('a second acceptance with nothing new neither commits nor tells, and says who accepted', async () => {
  const repo = await createAcceptable();
  const first = await run(repo, { actor: 'Grace' });
  const before = repo.state();

  const second = await run(later(repo, 5), { actor: 'Ada', tests: ['true'] });

  expect(second).toMatchObject({
    accepted_at: first.accepted_at,
    accepted_by: 'Grace',
    already_accepted: true,
    accepted: [],
    accept_commit: null,
    commit_created: false,
    notes: ['It was accepted before, and nothing has happened since.'],
  });
  expect(await run(later(repo, 5), { commit: false })).toMatchObject({ already_accepted: true, would_accept: [] });
  expect(repo.state()).toEqual(before);
  expect(repo.emitted).toHaveLength(1);
});

test('accepts again once a package was opened and is in review, or done, anew', async () => {
  const repo = await createAcceptable();
  await run(repo);
  const log = (time: string, lane: string): string => `- ${time} – claude – lane=${lane} – Once more\n`;

  repo.replace('WP02', /$/, log('2026-03-02T14:40:00Z', 'doing') + log('2026-03-02T14:50:00Z', 'done'));
  const doneAnew = await run(later(repo, 60));
  repo.set('WP01', { lane: 'for_review' });
  repo.replace('WP01', /$/, log('2026-03-02T15:40:00Z', 'for_review'));
  const reviewedAnew = await run(later(repo, 120));

  expect([doneAnew.accepted, reviewedAnew.accepted]).toEqual([[], ['WP01']]);
  expect(metaOf(repo)['acceptance_history']).toHaveLength(3);
  expect(repo.emitted.flatMap((each) => each.drafts)).toHaveLength(2);
});

test('a log line from the future does not make an accepted feature new for ever', async () => {
  const repo = await createAcceptable();
  repo.replace('WP02', /$/, '- 2031-01-01T00:00:00Z – claude – lane=done – Wrong clock\n');
  await run(repo);

  expect(await run(later(repo, 5))).toMatchObject({ already_accepted: true });
});

test('an acceptance that takes seconds has one time, and is no news to the next', async () => {
  const repo = await createAcceptable(['for_review', 'for_review']);
  let seconds = 0;
  const slow = { ...repo.deps, time: { ...repo.deps.time, now: () => NOW + (seconds += 1) * 1000 } };

  const { accepted_at: at } = await accept(slow, { cwd: repo.root });

  for (const id of ['WP01', 'WP02']) expect(repo.read(repo.wpPath(id))).toContain(`- ${at ?? ''} – Ada – `);
  expect(await accept(slow, { cwd: repo.root })).toMatchObject({ already_accepted: true, accepted_at: at });
});

test('keeps foreign keys, their order, the indent and line ends of meta.json, and the newest twenty acceptances', async () => {
  const repo = await createAcceptable();
  const old = Array.from({ length: 20 }, (_, index) => ({
    accepted_at: `2025-01-01T00:00:${10 + index}Z`,
    extra: index,
  }));
  const meta = { zebra: 1, ...metaOf(repo), accepted_by: 'Old', acceptance_history: old, alpha: { kept: ['yes'] } };
  repo.commit(`${DIR}/meta.json`, `${JSON.stringify(meta, undefined, 4)}\n`.replaceAll('\n', '\r\n'));

  await run(repo);

  const text = repo.read(`${DIR}/meta.json`);
  const after = metaOf(repo);
  expect(Object.keys(after).slice(0, Object.keys(meta).length)).toEqual(Object.keys(meta));
  expect(after).toMatchObject({ zebra: 1, alpha: { kept: ['yes'] }, accepted_by: 'Ada' });
  const history = after['acceptance_history'] as unknown[];
  expect(history).toHaveLength(20);
  expect(history.slice(0, 19)).toEqual(old.slice(1));
  expect(history.at(-1)).toMatchObject({ accepted_at: '2026-03-02T14:30:00Z' });
  expect(text).toMatch(/^\{\r\n {4}"zebra": 1,\r\n/);
  expect(text.replaceAll('\r\n', '')).not.toContain('\n');
});

test('keeps CRLF package files CRLF', async () => {
  const repo = await createAcceptable();
  const path = repo.wpPath('WP01');
  repo.commit(path, repo.read(path).replaceAll('\n', '\r\n'));

  await run(repo);

  expect(repo.read(path).replaceAll('\r\n', '')).not.toContain('\n');
  expect(parseFrontmatter(path, repo.read(path)).get('lane')).toBe('done');
});

test('--no-commit says what would move, and writes and tells nothing', async () => {
  const repo = await createAcceptable(['for_review', 'done', 'for_review']);
  const before = repo.state();

  const result = await run(repo, { commit: false, tests: ['npm test'] });

  expect(result).toMatchObject({
    notes: ['This was a trial run: nothing was written or told.'],
    would_accept: ['WP01', 'WP03'],
    accepted: [],
    accepted_at: null,
    accept_commit: null,
    commit_created: false,
    summary: { ok: true, all_done: false },
  });
  expect(repo.state()).toEqual(before);
  expect(repo.emitted).toEqual([]);
});

test('refuses while a gate is closed, with the whole report, and leaves everything as it was', async () => {
  const repo = await createAcceptable(['for_review', 'doing']);
  repo.write('new.txt', 'new');
  const before = repo.state();

  for (const commit of [true, false]) {
    await expect(run(repo, { commit })).rejects.toMatchObject({
      code: 'not-acceptable',
      kind: 'validation',
      message: '001-demo cannot be accepted yet: not done (1), git dirty (1).',
      remedy: 'spec-kitty agent tasks move-task WP02 --to for_review --feature 001-demo',
      details: { ok: false, not_done: ['WP02'], git_dirty: ['?? new.txt'], lanes: { for_review: ['WP01'] } },
    });
  }
  expect(repo.state()).toEqual(before);
  expect(repo.emitted).toEqual([]);
});

test('a remedy of many lines ends with a whole one', async () => {
  const repo = await createAcceptable(Array.from({ length: 9 }, () => 'doing' as const));

  const refusal = await run(repo).catch((error: unknown) => error);
  const remedy = isWorkflowError(refusal) ? (refusal.remedy ?? '') : '';

  const lines = remedy.split('\n');
  expect(lines.length).toBeGreaterThan(3);
  expect(remedy.length).toBeLessThan(500);
  expect(
    lines.every((line) => /^spec-kitty agent tasks move-task WP0\d --to for_review --feature 001-demo$/.test(line)),
  ).toBe(true);
});

test('judges what is on disk once it has the feature to itself', async () => {
  const repo = await createAcceptable();
  const { lock } = repo.deps;
  const late = {
    ...repo.deps,
    lock: {
      hold: <T>(path: string, work: () => Promise<T>): Promise<T> => {
        repo.set('WP02', { lane: 'doing' });
        return lock.hold(path, work);
      },
    },
  };

  await expect(accept(late, { cwd: repo.root })).rejects.toMatchObject({ details: { not_done: ['WP02'] } });
});

test('puts everything back when a hook refuses the commit, and tells nothing; the next run does both', async () => {
  const repo = await createAcceptable(['for_review', 'for_review']);
  const before = repo.state();
  repo.write('.git/hooks/pre-commit', '#!/bin/sh\necho "no commits on Friday" >&2\nexit 1\n');
  chmodSync(join(repo.root, '.git/hooks/pre-commit'), 0o755);

  await expect(run(repo)).rejects.toMatchObject({
    code: 'commit-refused',
    kind: 'runtime',
    message: expect.stringContaining('no commits on Friday'),
  });

  expect(repo.state()).toEqual(before);
  expect(repo.emitted).toEqual([]);
  rmSync(join(repo.root, '.git/hooks/pre-commit'));
  expect(await run(repo)).toMatchObject({ accepted: ['WP01', 'WP02'], commit_created: true });
  expect(repo.emitted).toHaveLength(1);
});

test('leaves staged and unstaged work of the user where it is', async () => {
  const repo = await createAcceptable();
  repo.write('.kittify/memory/staged.md', 'staged');
  repo.git('add', '.kittify/memory/staged.md');
  repo.write('.kittify/memory/new.md', 'new');
  repo.write(`${DIR}/tasks.md`, `${repo.read(`${DIR}/tasks.md`)}\nMore\n`);
  const before = [repo.status(), repo.git('diff', '--cached'), repo.git('diff')];

  const result = await run(repo);

  expect([repo.status(), repo.git('diff', '--cached'), repo.git('diff')]).toEqual(before);
  expect(result.summary.warnings).toEqual([`${DIR}/tasks.md is not committed, and acceptance leaves it so.`]);
});

test('what a run killed between commit and events did not tell is told by the next command, even a refused one (FR-018)', async () => {
  const repo = await createAcceptable(['for_review', 'for_review']);
  const killed = { ...repo.deps, events: { emit: () => Promise.reject(new Error('killed here')) } };
  await expect(accept(killed, { cwd: repo.root, actor: 'Grace' })).rejects.toThrow('killed here');
  const commits = repo.commits();
  repo.write('new.txt', 'new');

  await expect(run(repo)).rejects.toMatchObject({ code: 'not-acceptable' });
  rmSync(join(repo.root, 'new.txt'));
  const again = await run(repo);

  expect(again).toMatchObject({ already_accepted: true, accepted_by: 'Grace' });
  expect(repo.commits()).toBe(commits);
  expect(repo.emitted).toHaveLength(1);
  expect(repo.emitted[0]?.drafts.map(({ payload }) => payload)).toMatchObject([
    { wp_id: 'WP01', new_status: 'done', changed_by: 'Grace' },
    { wp_id: 'WP02', new_status: 'done', changed_by: 'Grace' },
  ]);
  expect(new Set(repo.emitted[0]?.drafts.map(({ causationId }) => causationId)).size).toBe(1);
});

test('two acceptances at the same time make one', async () => {
  const repo = await createAcceptable();

  const results = await Promise.all([run(repo), run(repo)]);

  expect(results.map((result) => result.commit_created).toSorted()).toEqual([false, true]);
  expect(repo.emitted).toHaveLength(1);
});

test('auto is pr where there is a remote and local where there is none; the hints name the real target branch', async () => {
  const local = await createAcceptable();
  local.git('switch', '-qc', '2.x');
  local.replace('meta.json', '"main"', '"2.x"');
  const pr = await createAcceptable();
  pr.git('remote', 'add', 'upstream', 'https://example.com/a/b.git');
  pr.git('remote', 'add', 'origin', 'https://example.com/a/b.git');

  const here = await run(local);
  const there = await run(pr);

  expect(here).toMatchObject({
    mode: 'local',
    instructions: ['Nothing is left to do: no branch of a package waits to be merged into 2.x.'],
    cleanup_instructions: [],
  });
  expect(metaOf(local)).toMatchObject({ acceptance_history: [{ branch: '2.x', mode: 'local' }] });
  expect(there).toMatchObject({
    mode: 'pr',
    instructions: ['Push main: git push origin main', expect.stringContaining('pull request from main')],
  });
  expect(metaOf(pr)).toMatchObject({ acceptance_mode: 'pr' });
});

test('pr without a remote asks for one, and local with a remote does not push', async () => {
  const without = await createAcceptable();
  const withRemote = await createAcceptable();
  withRemote.git('remote', 'add', 'fork', 'https://example.com/a/b.git');

  expect((await run(without, { mode: 'pr' })).instructions[0]).toContain('git remote add origin URL');
  expect(await run(withRemote, { mode: 'local' })).toMatchObject({
    mode: 'local',
    instructions: [expect.not.stringContaining('push')],
  });
});

test('hints merge what is not merged and clean up only what is', async () => {
  const repo = await createAcceptable(['done', 'for_review']);
  for (const id of ['WP01', 'WP02']) {
    repo.git('worktree', 'add', '-q', '-b', `001-demo-${id}`, `.worktrees/001-demo-${id}`);
    repo.git('-C', `.worktrees/001-demo-${id}`, 'commit', '-q', '--allow-empty', '-m', `Work of ${id}`);
  }
  repo.git('merge', '-q', '--no-ff', '-m', 'Merge', '001-demo-WP01');

  const result = await run(repo);

  expect(result.instructions).toEqual(['Bring WP02 into main: spec-kitty merge --feature 001-demo']);
  expect(result.cleanup_instructions).toEqual([
    'git worktree remove .worktrees/001-demo-WP01',
    'git branch -d 001-demo-WP01',
  ]);
  expect(result.summary.warnings).toEqual(['WP02: its branch 001-demo-WP02 has commits that main does not have.']);
  for (const hint of result.cleanup_instructions) repo.git(...hint.split(' ').slice(1));
});

test('no hint deletes the target branch, whatever it is called', async () => {
  const repo = await createAcceptable();
  repo.replace('meta.json', '"main"', '"001-demo-WP02"');
  repo.git('branch', '001-demo-WP01');
  repo.git('switch', '-qc', '001-demo-WP02');

  expect((await run(repo)).cleanup_instructions).toEqual(['git branch -d 001-demo-WP01']);
});

test('a mode nobody knows is refused before anything is looked at', async () => {
  const repo = await createAcceptable(['doing']);

  await expect(run(repo, { mode: 'locl' })).rejects.toMatchObject({
    code: 'mode-unknown',
    kind: 'validation',
    message: '"locl" is no mode: the modes are auto, pr, local and checklist.',
    remedy: 'spec-kitty accept --mode auto',
  });
});

test('who accepts: the flag, SPEC_KITTY_AGENT, git, USER, USERNAME, system', async () => {
  const repo = await createAcceptable();
  const nobody = {
    ...repo,
    deps: {
      ...repo.deps,
      git: createGit({
        PATH: process.env['PATH'],
        GIT_CONFIG_GLOBAL: '/dev/null',
        GIT_CONFIG_NOSYSTEM: '1',
        HOME: '/',
      }),
    },
  };
  const who = async (from: TestRepo, more: Partial<AcceptInput>) =>
    (await run(from, { ...more, commit: false })).accepted_by;

  expect([
    await who(repo, { actor: ' Grace ', env: { SPEC_KITTY_AGENT: 'codex' } }),
    await who(repo, { actor: ' ', env: { SPEC_KITTY_AGENT: 'codex', USER: 'u' } }),
    await who(repo, { env: { USER: 'u' } }),
    await who(nobody, { env: { USER: 'u', USERNAME: 'n' } }),
    await who(nobody, { env: { USERNAME: 'n' } }),
    await who(nobody, {}),
  ]).toEqual(['Grace', 'codex', 'Ada', 'u', 'n', 'system']);
  await expect(run(nobody)).rejects.toMatchObject({ code: 'git-identity-missing' });
});

test('works from the main checkout on the target branch only, and says how to get there', async () => {
  const repo = await createAcceptable(['for_review', 'planned']);
  await implement(repo.deps, { cwd: repo.root, wpId: 'WP02' });
  const before = repo.state();

  await expect(run(repo, { cwd: join(repo.root, '.worktrees/001-demo-WP02') })).rejects.toMatchObject({
    code: 'in-worktree',
  });
  repo.git('switch', '-qc', 'side');
  await expect(run(repo)).rejects.toMatchObject({
    code: 'wrong-branch',
    remedy: 'git switch main && spec-kitty accept --feature 001-demo',
  });
  await expect(run(repo, { commit: false })).rejects.toMatchObject({ code: 'wrong-branch' });
  expect(repo.git('branch', '--show-current').trim()).toBe('side');
  expect(repo.state()).toEqual(before);
});

test('refuses during a merge, and names the way out rather than the files of the merge', async () => {
  const repo = await createAcceptable();
  repo.git('switch', '-qc', 'side');
  repo.commit('other.txt', 'x\n');
  repo.git('switch', '-q', 'main');
  repo.git('merge', '-q', '--no-ff', '--no-commit', 'side');

  await expect(run(repo)).rejects.toMatchObject({ code: 'merge-in-progress' });
});
