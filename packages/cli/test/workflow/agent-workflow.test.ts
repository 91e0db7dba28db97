/** What `agent workflow implement` and `agent workflow review` promise, on real git repositories. */
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { implementPrompt, reviewPrompt } from '../../src/render/prompts.ts';
import { readLog } from '../../src/workflow/files/activity-log.ts';
import { implement } from '../../src/workflow/services/implement.ts';
import { markStatus } from '../../src/workflow/services/mark-status.ts';
import { moveTask } from '../../src/workflow/services/move-task.ts';
import { workflowImplement } from '../../src/workflow/services/workflow-implement.ts';
import { workflowReview } from '../../src/workflow/services/workflow-review.ts';
import { createProject } from './support/workspace.ts';

const SLUG = '001-demo';

/** A package of one commit, handed over for review; what was told so far is forgotten by the sink. */
async function createReviewable() {
  const repo = await createProject(['CSV writer', 'Scheduling:1']);
  /** What the prompt of an implementation asks for: work, subtasks checked, handed over. */
  const finish = async (wpId: string, file: string): Promise<void> => {
    const cwd = join(repo.root, '.worktrees', `${SLUG}-${wpId}`);
    repo.write(join('.worktrees', `${SLUG}-${wpId}`, file), 'work\n');
    repo.git('-C', cwd, 'add', '.');
    repo.git('-C', cwd, 'commit', '-qm', `Write ${file}`);
    await markStatus(repo.deps, { cwd, ids: [wpId.replace('WP', 'T0')], status: 'done' });
    await moveTask(repo.deps, { cwd, wpId, to: 'for_review' });
  };
  await implement(repo.deps, { cwd: repo.root, wpId: 'WP01', agent: 'claude' });
  await finish('WP01', 'csv.txt');
  repo.emitted.length = 0;
  return { ...repo, finish };
}

/** The range as git understands it: names of the files that differ. */
function filesIn(repo: { git(...args: string[]): string }, range: string | null): readonly string[] {
  return repo
    .git('diff', '--name-only', range ?? '')
    .trim()
    .split('\n');
}

test('implement claims the package and gives its agent place, text and the commands that follow', async () => {
  const repo = await createProject(['CSV writer']);
  const path = repo.wpPath('WP01');

  const { result, order } = await workflowImplement(repo.deps, { cwd: repo.root, wpId: 'WP01', agent: 'claude code' });

  const prompt = implementPrompt(result, order);
  expect(result).toMatchObject({ status: 'created', claimed: true, lane: 'doing', agent: 'claude code' });
  expect(repo.emitted.flatMap(({ drafts }) => drafts.map(({ type }) => type))).toEqual(['WPStatusChanged']);
  expect(prompt).toContain(`\n    cd .worktrees/${SLUG}-WP01\n`);
  expect(prompt).toContain(`\n    spec-kitty agent tasks mark-status T001 --status done --feature ${SLUG}\n`);
  expect(prompt).toContain(
    `\n    spec-kitty agent tasks move-task WP01 --to for_review --feature ${SLUG} --agent 'claude code'\n`,
  );
  expect(prompt.endsWith(`----- ${path} -----\n${repo.read(path).trimEnd()}`)).toBe(true);
});

test('implement run again gives the same prompt and changes nothing', async () => {
  const repo = await createProject(['CSV writer']);
  const first = await workflowImplement(repo.deps, { cwd: repo.root, wpId: 'WP01', agent: 'claude' });
  const commits = repo.commits();

  const again = await workflowImplement(repo.deps, { cwd: repo.root, wpId: 'WP01', agent: 'claude' });

  expect(again.result).toMatchObject({ status: 'reused', claimed: false });
  expect(implementPrompt(again.result, again.order)).toBe(implementPrompt(first.result, first.order));
  expect([repo.commits(), repo.emitted.length]).toEqual([commits, 1]);
});

test('review names the reviewer to the team, notes it in the log, and leaves the lane where it is', async () => {
  const repo = await createReviewable();

  const { result } = await workflowReview(repo.deps, { cwd: repo.root, wpId: 'WP01', agent: 'codex', shellPid: 42 });

  expect(repo.emitted.flatMap(({ drafts }) => drafts)).toMatchObject([
    { type: 'WPAssigned', payload: { wp_id: 'WP01', agent_id: 'codex', phase: 'review', retry_count: 0 } },
  ]);
  expect(repo.emitted[0]?.statusThen).toBe('');
  expect(result).toMatchObject({ lane: 'for_review', agent: 'codex', retry_count: 0, warnings: [] });
  const text = repo.read(repo.wpPath('WP01'));
  expect(text).toMatch(/^lane: "?for_review"?$/m);
  expect(text).toMatch(/^agent: "?claude"?$/m);
  expect(readLog(text).at(-1)).toMatchObject({
    agent: 'codex',
    lane: 'for_review',
    shellPid: '42',
    note: 'Review started',
  });
  expect(repo.git('log', '-1', '--format=%s').trim()).toBe('chore: Start review of WP01 on spec 001 [codex]');
});

test('review counts the reviews that began before it', async () => {
  const repo = await createReviewable();
  const review = () => workflowReview(repo.deps, { cwd: repo.root, wpId: 'WP01', agent: 'codex' });

  await review();
  const second = await review();

  expect(second.result.retry_count).toBe(1);
  expect(repo.emitted.at(-1)?.drafts).toMatchObject([{ payload: { retry_count: 1 } }]);
  expect(reviewPrompt(second.result, second.order)).toContain('One review was begun before');
});

test('the prompt of a review shows what the package changed, and names the commands that approve and reject', async () => {
  const repo = await createReviewable();

  const { result, order } = await workflowReview(repo.deps, { cwd: repo.root, wpId: 'WP01', agent: 'codex' });

  const prompt = reviewPrompt(result, order);
  expect(result).toMatchObject({ range: `main...${SLUG}-WP01`, commits: 1 });
  expect(filesIn(repo, result.range)).toEqual(['csv.txt']);
  expect(prompt).toContain(`\n    git diff main...${SLUG}-WP01\n    git log --oneline main..${SLUG}-WP01\n`);
  expect(prompt).toContain(`\n    spec-kitty agent tasks move-task WP01 --to done --feature ${SLUG} --agent codex\n`);
  expect(prompt).toContain(
    `\n    spec-kitty agent tasks move-task WP01 --to planned --review-feedback-file FILE --feature ${SLUG} --agent codex\n`,
  );
});

test('a package built on another shows only its own work, before and after the other was merged', async () => {
  const repo = await createReviewable();
  await implement(repo.deps, { cwd: repo.root, wpId: 'WP02', agent: 'claude' });
  await repo.finish('WP02', 'schedule.txt');

  const before = await workflowReview(repo.deps, { cwd: repo.root, wpId: 'WP02' });
  const filesBefore = filesIn(repo, before.result.range);
  repo.git('merge', '-q', '--no-edit', `${SLUG}-WP01`);
  repo.git('worktree', 'remove', `.worktrees/${SLUG}-WP01`);
  repo.git('branch', '-qD', `${SLUG}-WP01`);
  const after = await workflowReview(repo.deps, { cwd: repo.root, wpId: 'WP02' });

  expect(filesBefore).toEqual(['schedule.txt']);
  expect(filesIn(repo, after.result.range)).toEqual(['schedule.txt']);
});

test('a package without a branch here can be reviewed, with a word about it', async () => {
  const repo = await createReviewable();
  repo.git('worktree', 'remove', `.worktrees/${SLUG}-WP01`);
  repo.git('branch', '-qD', `${SLUG}-WP01`);

  const { result, order } = await workflowReview(repo.deps, { cwd: repo.root, wpId: 'WP01' });

  expect(result).toMatchObject({
    range: null,
    workspace_path: null,
    warnings: [expect.stringContaining(`${SLUG}-WP01 is not in this clone`)],
  });
  expect(reviewPrompt(result, order)).toContain(`git log --all --grep 'WP01 from ${SLUG}'`);
});

test('review runs in the workspace too', async () => {
  const repo = await createReviewable();
  const cwd = join(repo.root, '.worktrees', `${SLUG}-WP01`);

  const { result, order } = await workflowReview(repo.deps, { cwd, wpId: 'WP01' });

  expect(reviewPrompt(result, order)).toContain('To try it: cd .\n');
});

test.each([
  ['planned', 'nobody has begun it', `spec-kitty agent workflow implement WP02 --feature ${SLUG}`],
  ['doing', 'it is still being worked on', `spec-kitty agent tasks move-task WP02 --to for_review --feature ${SLUG}`],
  [
    'done',
    'it was approved already',
    `spec-kitty agent tasks move-task WP02 --to for_review --force --feature ${SLUG}`,
  ],
])('review refuses a package in %s and says why, changing nothing', async (lane, why, remedy) => {
  const repo = await createReviewable();
  repo.write(repo.wpPath('WP02'), repo.read(repo.wpPath('WP02')).replace('lane: planned', `lane: ${lane}`));
  const before = [repo.read(repo.wpPath('WP02')), repo.git('rev-parse', 'HEAD'), repo.status()];

  await expect(workflowReview(repo.deps, { cwd: repo.root, wpId: 'WP02', agent: 'codex' })).rejects.toMatchObject({
    code: 'not-for-review',
    message: `WP02 is in ${lane}, not in for_review: ${why}.`,
    remedy,
    wpId: 'WP02',
    agentId: 'codex',
  });
  expect([repo.read(repo.wpPath('WP02')), repo.git('rev-parse', 'HEAD'), repo.status()]).toEqual(before);
  expect(repo.emitted).toEqual([]);
});

test('a review whose commit is refused is not told and leaves the file as it was', async () => {
  const repo = await createReviewable();
  repo.write('.git/MERGE_HEAD', repo.git('rev-parse', 'HEAD'));
  const text = repo.read(repo.wpPath('WP01'));

  await expect(workflowReview(repo.deps, { cwd: repo.root, wpId: 'WP01' })).rejects.toMatchObject({
    code: 'merge-in-progress',
  });
  expect(repo.read(repo.wpPath('WP01'))).toBe(text);
  expect(repo.emitted).toEqual([]);
});
