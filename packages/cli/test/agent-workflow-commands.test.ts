/** The prompts for agents as programs: an agent that types what it is told gets a package from planned to done. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';

import { buildProgram, type Ended, type Program } from './support/program.ts';

let program: Program;

beforeAll(async () => {
  program = await buildProgram();
});

afterAll(() => program.remove());

const env = {
  GIT_AUTHOR_NAME: 'Ann',
  GIT_AUTHOR_EMAIL: 'a@example.com',
  GIT_COMMITTER_NAME: 'Ann',
  GIT_COMMITTER_EMAIL: 'a@example.com',
};

/** A project of two packages, the second waiting for the first, and a way to run commands there. */
async function createAnnounced() {
  const cwd = await mkdtemp(join(tmpdir(), 'spec-kitty-agent-'));
  onTestFinished(() => rm(cwd, { recursive: true, force: true }));
  const run = (words: string | readonly string[], at = cwd): Promise<Ended> =>
    program.run(typeof words === 'string' ? words.split(' ') : words, { cwd: at, env });
  for (const words of [
    ['init', '--git'],
    ['agent', 'feature', 'create-feature', 'demo'],
    ['agent', 'tasks', 'scaffold', '--wp', 'CSV writer', '--wp', 'Scheduling:WP01'],
    ['agent', 'feature', 'finalize-tasks'],
  ]) {
    expect(await run(words)).toMatchObject({ code: 0 });
  }
  const git = (...args: string[]): string =>
    execFileSync('git', args, { cwd, encoding: 'utf8', stdio: 'pipe', env: { ...process.env, ...env } });
  return { cwd, run, git };
}

/** The command of a prompt that has these words, without the program's name. */
function commandIn(prompt: string, words: string): string {
  const line = prompt.split('\n').find((each) => each.startsWith('    spec-kitty ') && each.includes(words));
  return line?.replace('    spec-kitty ', '') ?? `no command with "${words}"`;
}

function eventsOf(ended: Ended): readonly { readonly type: string; readonly payload: Record<string, unknown> }[] {
  return ended.calls
    .filter(([method]) => method === 'emitAll')
    .flatMap(([, drafts]) => drafts as { type: string; payload: Record<string, unknown> }[]);
}

test('an agent that types what the prompts say takes a package from planned through a rejection to done', async () => {
  const { cwd, run, git } = await createAnnounced();
  const workspace = join(cwd, '.worktrees/001-demo-WP01');
  const feedback = join(tmpdir(), `feedback-${process.pid}.md`);
  writeFileSync(feedback, 'Write the header line.\n');
  onTestFinished(() => rm(feedback, { force: true }));
  const work = (file: string): void => {
    writeFileSync(join(workspace, file), 'work\n');
    git('-C', workspace, 'add', '.');
    git('-C', workspace, 'commit', '-qm', `Write ${file}`);
  };

  const first = await run('agent workflow implement WP01 --agent claude');
  work('one.txt');
  const marked = await run(commandIn(first.stdout, 'mark-status'), workspace);
  const handed = await run(commandIn(first.stdout, 'for_review'), workspace);
  const review = await run('agent workflow review WP01 --agent codex');
  const rejected = await run(commandIn(review.stdout, '--to planned').replace('FILE', feedback));
  const second = await run('agent workflow implement WP01 --agent claude');
  work('two.txt');
  const handedAgain = await run(commandIn(second.stdout, 'for_review'));
  const secondReview = await run('agent workflow review WP01 --agent codex --json');
  const { prompt, retry_count: retries } = JSON.parse(secondReview.stdout) as { prompt: string; retry_count: number };
  const approved = await run(commandIn(prompt, '--to done'));

  const all = [first, marked, handed, review, rejected, second, handedAgain, secondReview, approved];
  for (const ended of all) expect(ended).toMatchObject({ code: 0, stderr: '' });
  expect(second.stdout).toContain('A review sent it back');
  expect(second.stdout).toContain('Write the header line.');
  expect(retries).toBe(1);
  expect(
    all.flatMap(eventsOf).flatMap(({ type, payload }) => {
      if (type === 'WPStatusChanged') return [`${String(payload['new_status'])} by ${String(payload['changed_by'])}`];
      return type === 'WPAssigned' ? [`${String(payload['phase'])} by ${String(payload['agent_id'])}`] : [];
    }),
  ).toEqual([
    'doing by claude',
    'for_review by claude',
    'review by codex',
    'planned by codex',
    'doing by claude',
    'for_review by claude',
    'review by codex',
    'done by codex',
  ]);
  expect(git('status', '--porcelain')).toBe('');
  expect(JSON.parse((await run('sync reconcile --json')).stdout)).toMatchObject({ events_emitted: 0 });
});

test('implement under --json is the answer of implement and the prompt', async () => {
  const { run } = await createAnnounced();

  const ended = await run('agent workflow implement WP01 --agent claude --json');

  expect(JSON.parse(ended.stdout)).toMatchObject({
    wp_id: 'WP01',
    workspace_path: '.worktrees/001-demo-WP01',
    status: 'created',
    claimed: true,
    prompt: expect.stringContaining('# Implement WP01: CSV writer'),
  });
});

test('the remedies of a refused review lead to one', async () => {
  const { cwd, run, git } = await createAnnounced();
  const remedyOf = async (): Promise<string> => {
    const refused = await run('agent workflow review WP01 --json');
    expect(refused.code).toBe(1);
    return (JSON.parse(refused.stdout) as { remedy: string }).remedy.replace('spec-kitty ', '');
  };

  const begin = await run(await remedyOf());
  writeFileSync(join(cwd, '.worktrees/001-demo-WP01/one.txt'), 'work\n');
  git('-C', '.worktrees/001-demo-WP01', 'add', '.');
  git('-C', '.worktrees/001-demo-WP01', 'commit', '-qm', 'Work');
  const marked = await run('agent tasks mark-status T001 --status done');
  const handed = await run(await remedyOf());
  const approved = await run('agent tasks move-task WP01 --to done');
  const reopened = await run(await remedyOf());
  const review = await run('agent workflow review WP01');

  for (const ended of [begin, marked, handed, approved, reopened, review]) expect(ended).toMatchObject({ code: 0 });
  expect(review.stdout).toContain('git diff main...001-demo-WP01');
});

test('a refused prompt is logged for the team with package and agent (SC-011)', async () => {
  const { run } = await createAnnounced();

  const refused = [
    await run('agent workflow review WP02 --agent codex'),
    await run('agent workflow implement WP02 --agent claude'),
  ];

  expect(refused.map(({ code }) => code)).toEqual([1, 1]);
  expect(refused.flatMap(eventsOf)).toMatchObject([
    { type: 'ErrorLogged', payload: { error_type: 'validation', wp_id: 'WP02', agent_id: 'codex' } },
    { type: 'ErrorLogged', payload: { error_type: 'validation', wp_id: 'WP02', agent_id: 'claude' } },
  ]);
});

test('list-tasks and list-dependents tell nobody, and answer as text and as documents', async () => {
  const { run } = await createAnnounced();

  const list = await run('agent tasks list-tasks --lane planned');
  const dependents = await run('agent tasks list-dependents WP01 --json');

  expect(list.stdout).toBe('WP01  planned     CSV writer\nWP02  planned     Scheduling\n');
  expect(JSON.parse(dependents.stdout)).toMatchObject({ wp_id: 'WP01', depends_on: [], dependents: ['WP02'] });
  expect([list.calls, dependents.calls]).toEqual([[], []]);
});
