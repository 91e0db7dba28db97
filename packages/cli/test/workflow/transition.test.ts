/** The one function that changes a lane: file, log, commit and what is told fit together, or nothing has happened. */
import { chmodSync } from 'node:fs';
import { join } from 'node:path';

import type { Draft, Lane, SpecKittyEvents } from '@spec-kitty/events-sdk/contract';
import { historyAdded } from '@spec-kitty/events-sdk';
import { expect, test } from 'vitest';

import { parseFrontmatter } from '../../src/workflow/files/frontmatter.ts';
import type { FeatureWork } from '../../src/workflow/project/feature-work.ts';
import { changeLanes, checkMove, type LaneMove } from '../../src/workflow/project/transition.ts';
import type { Happening } from '../../src/workflow/project/unsent.ts';
import type { WorkPackage } from '../../src/workflow/project/wp-file.ts';
import { createRepo } from './support/workspace.ts';

const PATH = 'kitty-specs/001-demo/tasks/WP01-writer.md';
const LINE = '- 2026-03-02T14:30:00Z – claude – ';
const COMMENT: Draft<SpecKittyEvents> = historyAdded({
  wpId: 'WP01',
  entryType: 'comment',
  entryContent: 'Well',
  author: 'ada',
});

/** WP01 in `lane`, committed; `change` is the change of one move, `told` what was announced, with the file as it was then. */
async function setUp(lane: Lane = 'planned', head = '', body = '# Writer\n') {
  const repo = createRepo();
  const text = `---\nlane: "${lane}"\n${head}---\n${body}`;
  repo.write(PATH, text);
  repo.git('add', '.');
  repo.git('commit', '-qm', 'Plan');
  const wp = {
    id: 'WP01',
    fileName: 'WP01-writer.md',
    path: join(repo.root, PATH),
    relativePath: PATH,
    file: parseFrontmatter(PATH, text),
    title: 'Writer',
    lane,
    dependencies: [],
  } satisfies WorkPackage;
  const told: Happening[] = [];
  const before: string[] = [];
  const work = {
    // What a change reads of either.
    project: { root: repo.root } as FeatureWork['project'],
    feature: { slug: '001-demo' } as FeatureWork['feature'],
    willTell(happenings: readonly Happening[]) {
      told.push(...happenings);
      before.push(repo.read(PATH));
    },
  };
  const move = (part: Partial<LaneMove> = {}): LaneMove => ({
    wp,
    to: 'doing',
    agent: 'claude',
    note: 'Begun',
    ...part,
  });
  const change = (part: Partial<LaneMove> = {}, more: Partial<Parameters<typeof changeLanes>[2]> = {}) =>
    changeLanes(repo.deps, work, { moves: [move(part)], message: 'Move WP01', ...more });
  return { repo, text, wp, told, before, change };
}

test('writes lane, keys and log line, commits exactly that, and has said before what it will tell (FR-019)', async () => {
  const { repo, text, told, before, change } = await setUp();
  repo.write('app.txt', 'two\n');

  const { transitions, commit } = await change({ fields: { agent: 'claude' }, body: (body) => `${body}More.\n` });

  expect(transitions).toEqual([{ wpId: 'WP01', previous: 'planned', next: 'doing', changed: true, warnings: [] }]);
  expect(commit).toBeDefined();
  expect(repo.git('show', '--name-only', '--format=%s', 'HEAD').trim().split('\n').filter(Boolean)).toEqual([
    'Move WP01',
    PATH,
  ]);
  expect(repo.status().trim()).toBe('M app.txt');
  const now = repo.read(PATH);
  expect(now).toContain('lane: "doing"');
  expect(now).toMatch(/^agent: "?claude"?$/m);
  expect(now).toMatch(/# Writer\nMore\.\n\n## Activity Log\n\n.*lane=doing – Begun\n$/s);
  expect(before).toEqual([text]);
  expect(told).toEqual([
    {
      draft: expect.objectContaining({
        type: 'WPStatusChanged',
        causationId: null,
        payload: {
          wp_id: 'WP01',
          previous_status: 'planned',
          new_status: 'doing',
          changed_by: 'claude',
          feature_slug: '001-demo',
        },
      }),
      evidence: { path: PATH, text: `${LINE}lane=doing – Begun` },
    },
  ]);
});

test('a move to the lane it is in logs and commits, leaves the lane as it is written, and tells no transition', async () => {
  const { repo, told, change } = await setUp('doing');

  const { transitions } = await change();

  expect(transitions).toEqual([{ wpId: 'WP01', previous: 'doing', next: 'doing', changed: false, warnings: [] }]);
  expect(repo.git('show', '--format=', 'HEAD').match(/^\+.*lane=doing.*$/gm)).toHaveLength(1);
  expect(repo.git('show', '--format=', 'HEAD')).not.toContain('+lane:');
  expect(told).toEqual([]);
});

test('an alias in the file becomes the lane itself', async () => {
  const { repo, wp, change } = await setUp('doing');
  repo.write(PATH, repo.read(PATH).replace('"doing"', '"in_progress"'));

  await change({ wp: { ...wp, file: parseFrontmatter(PATH, repo.read(PATH)) } });

  expect(repo.read(PATH)).toContain('lane: "doing"');
});

test('tells what belongs to a move before and after its lane, each proven by the log line', async () => {
  const { told, change } = await setUp();
  const other = { ...COMMENT };
  const first: Happening = { draft: COMMENT, evidence: { path: 'x', text: 'y' } };

  await change({ tells: [COMMENT], follows: [other] }, { tells: [first], causationId: '01HZZZZZZZZZZZZZZZZZZZZ001' });

  expect(told.map(({ draft }) => draft.type)).toEqual([
    'HistoryAdded',
    'HistoryAdded',
    'WPStatusChanged',
    'HistoryAdded',
  ]);
  expect(told[0]).toBe(first);
  expect(told[2]?.draft.causationId).toBe('01HZZZZZZZZZZZZZZZZZZZZ001');
  for (const { evidence } of told.slice(1)) expect(evidence).toEqual({ path: PATH, text: `${LINE}lane=doing – Begun` });
});

test('names in the event who is meant, in the log who acted, and the process: the one given, else the one in the file', async () => {
  const { repo, told, change } = await setUp('planned', 'shell_pid: "7"\n');

  await change({ changedBy: 'ada' });

  expect(told[0]?.draft.payload).toMatchObject({ changed_by: 'ada' });
  expect(repo.read(PATH)).toContain(`${LINE}shell_pid=7 – lane=doing – Begun\n`);
  const other = await setUp('planned', 'shell_pid: "7"\n');
  await other.change({ shellPid: '8' });
  expect(other.repo.read(PATH)).toContain(`${LINE}shell_pid=8 – lane=doing – Begun\n`);
});

test('further files go into the same commit; without a commit everything is written and nothing committed', async () => {
  const { repo, change } = await setUp();
  const files = [{ path: 'kitty-specs/001-demo/tasks.md', text: '# Tasks\n' }];

  await change({}, { files });
  expect(repo.git('show', '--name-only', '--format=', 'HEAD').trim().split('\n')).toEqual([files[0]?.path, PATH]);

  const other = await setUp();
  const commits = other.repo.commits();
  expect(await other.change({}, { files, commit: false })).toMatchObject({ commit: undefined });
  expect(other.repo.commits()).toBe(commits);
  expect([other.repo.read(PATH), other.repo.read('kitty-specs/001-demo/tasks.md')]).toEqual([
    expect.stringContaining('lane: "doing"'),
    '# Tasks\n',
  ]);
});

test('a refused commit leaves every file as it was, also one that was not there', async () => {
  const { repo, text, change } = await setUp();
  repo.write('.git/hooks/pre-commit', '#!/bin/sh\nexit 1\n');
  chmodSync(join(repo.root, '.git/hooks/pre-commit'), 0o755);

  await expect(change({}, { files: [{ path: 'new.md', text: 'x' }] })).rejects.toMatchObject({
    code: 'commit-refused',
  });

  expect(repo.read(PATH)).toBe(text);
  expect(repo.status()).toBe('');
});

test('a refused move changes and tells nothing, and says which package cannot go where, and whose it was', async () => {
  const { repo, text, told, change } = await setUp();

  await expect(change({ to: 'done' })).rejects.toMatchObject({
    code: 'transition-refused',
    message: 'WP01 cannot move to done: it is in planned, and from there it can go to doing.',
    wpId: 'WP01',
    agentId: 'claude',
  });

  expect([repo.read(PATH), repo.status(), told]).toEqual([text, '', []]);
});

test('only what a person said is a reason: the note of the log is none; with one it warns; force needs none', async () => {
  const { wp } = await setUp('doing');
  const check = (part: Partial<LaneMove>) => checkMove({ wp, to: 'done', agent: 'claude', ...part });

  expect(() => check({})).toThrow('needs a note that says why');
  expect(() => check({ note: 'Moved' })).toThrow('needs a note that says why');
  expect(() => check({ force: false })).toThrow('needs a note that says why');
  expect(check({ reason: 'typo' })).toEqual({
    changed: true,
    warnings: ['It went from doing to done without a review.'],
  });
  expect(check({ force: true })).toEqual({ changed: true, warnings: [] });
  expect(check({ to: 'doing' })).toEqual({ changed: false, warnings: [] });
});
