/** What `orchestrate` promises, with agents that are real programs on real git repositories. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { abort } from '../../../src/workflow/orchestrate/abort-run.ts';
import { planOfRun, resume, startRun, statusOfRun } from '../../../src/workflow/orchestrate/orchestrate.ts';
import { readState } from '../../../src/workflow/orchestrate/state-file.ts';
import { implement } from '../../../src/workflow/services/implement.ts';
import { createRunWorld } from './support/run-world.ts';

const STATE = '.kittify/orchestration-state.json';

test('takes two packages from planned to done and tells every assignment, lane and release, once, with one cause (US5-1, US5-2, US5-4, US5-5, FR-023, SC-005, SC-012)', async () => {
  const world = await createRunWorld(['Writer', 'Reader:1']);

  const summary = await startRun(world.runDeps(), { cwd: world.root });

  expect(summary).toMatchObject({
    status: 'completed',
    total: 2,
    completed: 2,
    failed: 0,
    agents: ['claude', 'codex'],
  });
  expect([world.lane('WP01'), world.lane('WP02')]).toEqual(['done', 'done']);
  const status = (wp_id: string, previous_status: string, new_status: string, changed_by: string) => ({
    type: 'WPStatusChanged',
    wp_id,
    previous_status,
    new_status,
    changed_by,
  });
  const assigned = (wp_id: string, phase: string, agent_id: string) => ({
    type: 'WPAssigned',
    wp_id,
    phase,
    agent_id,
    retry_count: 0,
  });
  const life = (wp: string) => [
    assigned(wp, 'implementation', 'claude'),
    status(wp, 'planned', 'doing', 'claude'),
    { type: 'HistoryAdded', wp_id: wp, author: 'claude' },
    status(wp, 'doing', 'for_review', 'claude'),
    assigned(wp, 'review', 'codex'),
    status(wp, 'for_review', 'done', 'codex'),
  ];
  expect(world.events()).toMatchObject([
    ...life('WP01'),
    { type: 'DependencyResolved', wp_id: 'WP02', dependency_wp_id: 'WP01', resolution_type: 'completed' },
    ...life('WP02'),
    {
      type: 'FeatureCompleted',
      feature_slug: '001-demo',
      total_wps: 2,
      total_duration: expect.stringMatching(/^[\d.]+s$/),
    },
  ]);
  expect(world.causes()).toEqual([summary.run_id]);
  expect(world.read('kitty-specs/001-demo/tasks.md')).not.toContain('[ ]');
  expect(existsSync(join(world.root, '.worktrees/001-demo-WP02/wp01-0.txt'))).toBe(true);
  expect(world.status()).toBe('');
});

test('gives a failing package to another agent and counts the starts truthfully (US5-3, FR-014)', async () => {
  const world = await createRunWorld(['Writer'], {
    script: { 'WP01 implementation claude': ['auth'], 'WP01 review': ['approve'] },
  });

  const summary = await startRun(world.runDeps(), { cwd: world.root });

  expect(summary.status).toBe('completed');
  expect(world.events().filter(({ type }) => type === 'WPAssigned' || type === 'ErrorLogged')).toMatchObject([
    { type: 'WPAssigned', agent_id: 'claude', phase: 'implementation', retry_count: 0 },
    {
      type: 'ErrorLogged',
      error_type: 'auth',
      wp_id: 'WP01',
      agent_id: 'claude',
      error_message: 'Error: invalid api key',
    },
    { type: 'WPAssigned', agent_id: 'codex', phase: 'implementation', retry_count: 1 },
    { type: 'WPAssigned', agent_id: 'claude', phase: 'review', retry_count: 0 },
  ]);
  expect(world.events().filter(({ type }) => type === 'WPStatusChanged')).toMatchObject([
    { previous_status: 'planned', new_status: 'doing', changed_by: 'claude' },
    { previous_status: 'doing', new_status: 'for_review', changed_by: 'codex' },
    { previous_status: 'for_review', new_status: 'done', changed_by: 'claude' },
  ]);
});

test('tries the same agent again after a failure of the network, announces it once, and tells the agent what went wrong', async () => {
  const world = await createRunWorld(['Writer'], {
    script: { 'WP01 implementation': ['network', 'network', 'work'], 'WP01 review': ['approve'] },
  });

  const summary = await startRun(world.runDeps(), { cwd: world.root });

  expect(summary.status).toBe('completed');
  expect(world.events().filter(({ type }) => type === 'ErrorLogged')).toMatchObject([
    { error_type: 'network' },
    { error_type: 'network' },
  ]);
  expect(world.events().filter((event) => 'phase' in event && event.phase === 'implementation')).toHaveLength(1);
  expect(world.diary()[2]?.prompt).toContain('# Another try');
  expect(world.diary()[2]?.prompt).toContain('connection refused');
});

test('a rejection goes back to the implementer with the feedback, in the file, in the prompt and on the board (US5-2)', async () => {
  const world = await createRunWorld(['Writer'], { script: { 'WP01 review': ['reject', 'approve'] } });

  const summary = await startRun(world.runDeps(), { cwd: world.root });

  expect(summary.status).toBe('completed');
  expect(world.diary().map(({ key, agent }) => `${key} ${agent}`)).toEqual([
    'WP01 implementation claude',
    'WP01 review codex',
    'WP01 implementation claude',
    'WP01 review codex',
  ]);
  expect(world.diary()[2]?.prompt).toContain('> Quotes are lost in line 3.');
  expect(world.read(world.wpPath('WP01'))).toContain('Quotes are lost in line 3.');
  expect(world.events().filter(({ type }) => type === 'WPAssigned')).toMatchObject([
    { phase: 'implementation', retry_count: 0 },
    { phase: 'review', retry_count: 0 },
    { phase: 'implementation', retry_count: 1 },
    { phase: 'review', retry_count: 1 },
  ]);
  expect(world.events().filter(({ type }) => type === 'WPStatusChanged')).toMatchObject([
    { new_status: 'doing', changed_by: 'claude' },
    { new_status: 'for_review', changed_by: 'claude' },
    { previous_status: 'for_review', new_status: 'doing', changed_by: 'codex' },
    { new_status: 'for_review', changed_by: 'claude' },
    { new_status: 'done', changed_by: 'codex' },
  ]);
});

test.each(['no-verdict', 'echo'])(
  'a reviewer that says %s has approved nothing: once more, then the run pauses',
  async (word) => {
    const world = await createRunWorld(['Writer'], { script: { 'WP01 review': [word] } });

    const summary = await startRun(world.runDeps(), { cwd: world.root });

    expect(summary).toMatchObject({ status: 'paused', failed: 1 });
    expect(world.lane('WP01')).toBe('for_review');
    expect(world.diary().filter(({ key }) => key === 'WP01 review')).toHaveLength(2);
    expect(summary.ways_on).toEqual([
      'spec-kitty orchestrate --feature 001-demo --retry WP01',
      'spec-kitty orchestrate --feature 001-demo --skip WP01',
      'spec-kitty orchestrate --feature 001-demo --abort',
    ]);
    expect(world.events().some(({ type }) => type === 'FeatureCompleted')).toBe(false);
  },
);

test.each([
  ['forget-commit', 'has 1 file not committed'],
  ['nothing', 'has no commit of its own yet'],
])('an agent that leaves its work unfinished (%s) has failed, whatever it says', async (word, why) => {
  const world = await createRunWorld(['Writer'], { script: { 'WP01 implementation': [word, 'work'] } });

  const summary = await startRun(world.runDeps(), { cwd: world.root });

  expect(summary.status).toBe('completed');
  expect(world.events().filter(({ type }) => type === 'ErrorLogged')).toMatchObject([
    { error_type: 'runtime', wp_id: 'WP01', agent_id: 'claude', error_message: expect.stringContaining(why) },
  ]);
});

test('commits the target branch got meanwhile are merged into the workspace', async () => {
  const world = await createRunWorld(['Writer']);
  world.onChange((change) => {
    if (change.kind !== 'log' || world.git('log', '--format=%s').includes('Meanwhile')) return;
    world.write('meanwhile.txt', 'x\n');
    world.git('add', '.');
    world.git('commit', '-qm', 'Meanwhile');
  });

  const summary = await startRun(world.runDeps(), { cwd: world.root });

  expect(summary.status).toBe('completed');
  expect(existsSync(join(world.root, '.worktrees/001-demo-WP01/meanwhile.txt'))).toBe(true);
  expect(world.events().filter(({ type }) => type === 'ErrorLogged')).toEqual([]);
});

test('commits of the target branch that conflict are the agent’s to solve, and it is told', async () => {
  const world = await createRunWorld(['Writer', 'Rival']);
  world.onChange((change) => {
    // Both workspaces are there by then.
    if (change.kind !== 'log' || change.wp_id !== 'WP02' || world.git('log', '--format=%s').includes('Meanwhile'))
      return;
    world.write('meanwhile.txt', 'x\n');
    // The same file as the agent of WP02 makes, with other words.
    world.write('wp02-0.txt', 'mine\n');
    world.git('add', '.');
    world.git('commit', '-qm', 'Meanwhile');
  });

  const summary = await startRun(world.runDeps(), { cwd: world.root });

  expect(summary).toMatchObject({ status: 'paused', failed: 1, pause_reason: expect.stringContaining('WP02 failed') });
  expect(existsSync(join(world.root, '.worktrees/001-demo-WP02/meanwhile.txt'))).toBe(false);
  expect(world.git('-C', '.worktrees/001-demo-WP02', 'status', '--porcelain')).toBe('');
  expect(world.diary().find(({ prompt }) => prompt.includes('# Another try'))?.prompt).toContain(
    'lacks commits of main',
  );
});

test('what a reviewer changes is put aside and not merged', async () => {
  const world = await createRunWorld(['Writer'], { script: { 'WP01 review': ['fix-and-approve'] } });

  const summary = await startRun(world.runDeps(), { cwd: world.root });

  expect(summary.status).toBe('completed');
  expect(existsSync(join(world.root, '.worktrees/001-demo-WP01/fixed-by-reviewer.txt'))).toBe(false);
  expect(world.git('stash', 'list')).toContain('Left by the review of WP01 by codex');
  expect(world.changes).toContainEqual(
    expect.objectContaining({
      kind: 'warning',
      message: expect.stringContaining('codex changed files while it reviewed WP01'),
    }),
  );
});

test('a package nobody can finish pauses the run; what it holds up waits, what it does not goes on, and --retry leads to the end', async () => {
  const world = await createRunWorld(['Writer', 'Reader:1', 'Docs'], { script: { 'WP01 implementation': ['broken'] } });

  const paused = await startRun(world.runDeps(), { cwd: world.root });

  expect(paused).toMatchObject({ status: 'paused', failed: 1, pause_reason: expect.stringContaining('WP01 failed') });
  expect(world.lane('WP02')).toBe('planned');
  world.say({});
  const done = await resume(world.runDeps(), { cwd: world.root, retry: 'WP01' });

  expect(done).toMatchObject({ status: 'completed', completed: 3, failed: 0 });
  expect(['WP01', 'WP02', 'WP03'].map(world.lane)).toEqual(['done', 'done', 'done']);
  expect(world.causes()).toEqual([paused.run_id]);
  expect(world.events().filter(({ type }) => type === 'FeatureCompleted')).toHaveLength(1);
});

test('--skip leaves a failed package out, tells its dependents, and the feature is not called completed (SC-012)', async () => {
  const world = await createRunWorld(['Writer', 'Reader:1'], {
    script: { 'WP01 implementation': ['broken'] },
    config: 'agents:\n  available: [claude, codex]\n  orchestrator:\n    max_retries: 0\n',
  });
  await startRun(world.runDeps(), { cwd: world.root });
  world.emitted.length = 0;

  const summary = await resume(world.runDeps(), { cwd: world.root, skip: 'WP01' });

  expect(summary).toMatchObject({ status: 'completed', completed: 1, skipped: 1 });
  expect(world.events()[0]).toMatchObject({
    type: 'DependencyResolved',
    wp_id: 'WP02',
    dependency_wp_id: 'WP01',
    resolution_type: 'skipped',
  });
  expect(world.events().some(({ type }) => type === 'FeatureCompleted')).toBe(false);
  expect([world.lane('WP01'), world.lane('WP02')]).toEqual(['doing', 'done']);
});

test('one agent alone implements and reviews, and says so', async () => {
  const world = await createRunWorld(['Writer'], { config: 'agents:\n  available: [claude]\n' });

  const summary = await startRun(world.runDeps(), { cwd: world.root });

  expect(summary.status).toBe('completed');
  expect(world.changes).toContainEqual(
    expect.objectContaining({ kind: 'assigned', role: 'review', self_review: true }),
  );
});

test('Ctrl-C ends the agents, pauses, and --resume goes on where it stood', async () => {
  const world = await createRunWorld(['Writer', 'Reader:1'], { script: { 'WP02 implementation': ['hang', 'work'] } });
  // Stopped once the agent is really at work.
  world.onChange((change) => {
    if (change.kind !== 'log' || change.wp_id !== 'WP02') return;
    const look = setInterval(() => {
      if (!world.diary().some(({ key }) => key === 'WP02 implementation')) return;
      clearInterval(look);
      world.stop.abort();
    }, 20);
  });

  const paused = await startRun(world.runDeps(), { cwd: world.root });

  expect(paused).toMatchObject({ status: 'paused', completed: 1, failed: 0 });
  const hung = world.diary().find(({ key }) => key === 'WP02 implementation');
  if (hung !== undefined) expect(existsSync(`/proc/${hung.pid}/cwd`)).toBe(false);
  const done = await resume(world.runDeps({ signal: new AbortController().signal }), { cwd: world.root });

  expect(done.status).toBe('completed');
  expect(world.diary().filter(({ key }) => key === 'WP01 implementation')).toHaveLength(1);
  expect(world.events().filter(({ type }) => type === 'ErrorLogged')).toEqual([]);
});

test('an agent that hangs is ended at its limit and replaced', async () => {
  const world = await createRunWorld(['Writer'], {
    script: { 'WP01 implementation claude': ['hang'] },
    config:
      'agents:\n  available: [claude, codex]\n  orchestrator:\n    max_retries: 0\n    agents:\n      claude: {timeout_seconds: 1}\n',
  });

  const summary = await startRun(world.runDeps(), { cwd: world.root });

  expect(summary.status).toBe('completed');
  expect(world.events().filter(({ type }) => type === 'ErrorLogged')).toMatchObject([
    { error_type: 'runtime', agent_id: 'claude' },
  ]);
  expect(world.changes).toContainEqual(expect.objectContaining({ kind: 'attempt-failed', class: 'timeout' }));
});

test('a lane that cannot be moved fails its package with the reason', async () => {
  const world = await createRunWorld(['Writer']);
  world.onChange((change) => {
    if (change.kind === 'log' && change.wp_id === 'WP01')
      world.write('kitty-specs/001-demo/research.md', 'not committed\n');
  });

  const summary = await startRun(world.runDeps(), { cwd: world.root });

  expect(summary).toMatchObject({ status: 'paused', failed: 1 });
  expect(summary.work_packages[0]?.last_error).toContain('not committed: kitty-specs/001-demo/research.md');
  expect(world.events().filter(({ type }) => type === 'ErrorLogged')).toMatchObject([
    { error_type: 'validation', wp_id: 'WP01', agent_id: 'claude' },
  ]);
});

test('takes up packages where they stand: doing goes on, for_review is only reviewed, done is left alone', async () => {
  const world = await createRunWorld(['A', 'B', 'C']);
  await implement(world.deps, { cwd: world.root, wpId: 'WP01', agent: 'gemini' });
  const file = (id: string) => join(world.root, world.wpPath(id));
  for (const [id, lane] of [
    ['WP02', 'for_review'],
    ['WP03', 'done'],
  ] as const) {
    await implement(world.deps, { cwd: world.root, wpId: id, agent: 'gemini' });
    world.write(`.worktrees/001-demo-${id}/x-${id}.txt`, 'x');
    world.git('-C', `.worktrees/001-demo-${id}`, 'add', '.');
    world.git('-C', `.worktrees/001-demo-${id}`, 'commit', '-qm', 'By hand');
    writeFileSync(file(id), readFileSync(file(id), 'utf8').replace(/^lane: .*$/m, `lane: ${lane}`));
  }
  world.git('commit', '-qam', 'By hand');

  const summary = await startRun(world.runDeps(), { cwd: world.root });

  expect(summary).toMatchObject({ status: 'completed', total: 2 });
  expect(
    world
      .diary()
      .map(({ key, agent }) => `${key} ${agent}`)
      .toSorted(),
  ).toEqual(['WP01 implementation claude', 'WP01 review codex', 'WP02 review claude']);
  expect(world.events().filter(({ type }) => type === 'FeatureCompleted')).toMatchObject([{ total_wps: 3 }]);
});

test('--plan shows waves and agents, and starts and changes nothing', async () => {
  const world = await createRunWorld(['A', 'B:1', 'C:1', 'D:2,3']);
  const before = [world.status(), world.commits()];

  const plan = await planOfRun(world.runDeps(), { cwd: world.root });

  expect(plan.waves.map((wave) => wave.map((work) => work.wp_id))).toEqual([['WP01'], ['WP02', 'WP03'], ['WP04']]);
  expect(plan.agents.map(({ id, version }) => `${id} ${version ?? ''}`)).toEqual(['claude 1.2.3', 'codex 1.2.3']);
  expect([world.status(), world.commits(), existsSync(join(world.root, STATE))]).toEqual([...before, false]);
  expect(world.diary()).toEqual([]);
});

test('refuses a second run while one is at work, and while one is unfinished', async () => {
  const world = await createRunWorld(['Writer'], { script: { 'WP01 implementation': ['hang'] } });
  let second: unknown;
  world.onChange((change) => {
    if (change.kind !== 'log') return;
    world.onChange(() => {});
    void startRun(world.runDeps(), { cwd: world.root })
      .catch((cause: unknown) => {
        second = cause;
      })
      .finally(() => {
        world.stop.abort();
      });
  });

  await startRun(world.runDeps(), { cwd: world.root });

  expect(second).toMatchObject({ code: 'run-active', remedy: expect.stringContaining('--status') });
  await expect(startRun(world.runDeps(), { cwd: world.root })).rejects.toMatchObject({
    code: 'run-unfinished',
    remedy: 'spec-kitty orchestrate --feature 001-demo --resume   (or: --abort)',
  });
});

test('shows where the run stands, and that there is none', async () => {
  const world = await createRunWorld(['Writer'], { script: { 'WP01 implementation': ['broken'] } });

  expect(await statusOfRun(world.runDeps(), { cwd: world.root })).toBeUndefined();
  await startRun(world.runDeps(), { cwd: world.root });

  expect(await statusOfRun(world.runDeps(), { cwd: world.root })).toMatchObject({
    status: 'paused',
    owner: 'gone',
    work_packages: [{ wp_id: 'WP01', status: 'failed', last_error: expect.stringContaining('something broke') }],
  });
});

test('--abort --cleanup removes the workspaces this run made and nothing else', async () => {
  const world = await createRunWorld(['Writer', 'Mine'], { script: { implementation: ['broken'] } });
  await implement(world.deps, { cwd: world.root, wpId: 'WP02', agent: 'me' });
  await startRun(world.runDeps(), { cwd: world.root });

  const aborted = await abort(world.runDeps(), { cwd: world.root, cleanup: true });

  expect(aborted).toMatchObject({ removed_worktrees: ['.worktrees/001-demo-WP01'], kept_worktrees: [] });
  expect(existsSync(join(world.root, '.worktrees/001-demo-WP01'))).toBe(false);
  expect(existsSync(join(world.root, '.worktrees/001-demo-WP02'))).toBe(true);
  expect(world.git('branch', '--list', '001-demo-WP01').trim()).toBe('001-demo-WP01');
  expect([existsSync(join(world.root, STATE)), existsSync(join(world.root, `${STATE}.bak`))]).toEqual([false, false]);
  expect(await abort(world.runDeps(), { cwd: world.root })).toMatchObject({ run_id: null });
});

test('--abort --cleanup keeps a workspace with work that is not committed, and says so', async () => {
  const world = await createRunWorld(['Writer'], { script: { implementation: ['forget-commit'] } });
  await startRun(world.runDeps(), { cwd: world.root });

  const aborted = await abort(world.runDeps(), { cwd: world.root, cleanup: true });

  expect(aborted).toMatchObject({ removed_worktrees: [], kept_worktrees: ['.worktrees/001-demo-WP01'] });
  expect(aborted.warnings[0]).toContain('was kept');
});

test('an abort gets rid of a state nobody can read', async () => {
  const world = await createRunWorld(['Writer']);
  world.write(STATE, '{');

  await expect(statusOfRun(world.runDeps(), { cwd: world.root })).rejects.toMatchObject({ code: 'run-state-damaged' });
  await abort(world.runDeps(), { cwd: world.root });

  expect(await readState(world.root)).toBeUndefined();
});

test('programs the repository describes run only with consent', async () => {
  const config = 'agents:\n  available: [mine]\n  custom:\n    mine:\n      bin: ./agent.sh\n      output: text\n';
  const world = await createRunWorld(['Writer'], { config });
  world.write(
    'agent.sh',
    '#!/bin/sh\ncat > prompt.txt\nif grep -q "Your task: review" prompt.txt; then\n  code=$(sed -n "s/.*verdict code is .\\([a-z0-9]*\\).\\..*/\\1/p" prompt.txt)\n  rm prompt.txt\n  echo "VERDICT $code: APPROVED"\nelse\n  git add -A && git commit -qm work && echo done\nfi\n',
  );
  world.git('add', '.');
  world.git('update-index', '--chmod=+x', 'agent.sh');
  world.git('commit', '-qm', 'Agent');
  world.git('checkout', '--', 'agent.sh');

  await expect(startRun(world.runDeps(), { cwd: world.root })).rejects.toMatchObject({
    code: 'consent-needed',
    remedy: expect.stringMatching(/--allow-custom-agents$/),
    message: expect.stringContaining('./agent.sh'),
  });
  expect(existsSync(join(world.root, STATE))).toBe(false);
  const summary = await startRun(world.runDeps(), { cwd: world.root, allowCustomAgents: true });

  expect(summary).toMatchObject({ status: 'completed', agents: ['mine'] });
});
