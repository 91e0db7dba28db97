/** `accept` as a program: words in, exit code, one document and events out. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { buildProgram, type Ended, type Program } from './support/program.ts';
import { createAcceptable, type Acceptable } from './workflow/support/acceptable.ts';

let program: Program;

beforeAll(async () => {
  program = await buildProgram();
});

afterAll(() => program.remove());

async function createReady(...lanes: Parameters<typeof createAcceptable>[0] & object): Promise<Acceptable> {
  const repo = await createAcceptable(lanes.length === 0 ? undefined : lanes);
  repo.git('config', 'user.name', 'Ada');
  repo.git('config', 'user.email', 'ada@example.com');
  return repo;
}

function run(repo: Acceptable, ...words: readonly string[]): Promise<Ended> {
  return program.run(['accept', ...words], { cwd: repo.root });
}

function eventsOf(ended: Ended): readonly { readonly type: string; readonly payload: Record<string, unknown> }[] {
  return ended.calls
    .filter(([method]) => method === 'emitAll')
    .flatMap(([, drafts]) => drafts as { type: string; payload: Record<string, unknown> }[]);
}

test('accepts, answers in one document with paths below the project, and tells each move once (FR-018, SC-003)', async () => {
  const repo = await createReady('for_review', 'done', 'for_review');

  const ended = await run(repo, '--actor', 'Grace', '--test', 'touch ran', '--test', 'npm test', '--json');

  expect(ended).toMatchObject({ code: 0, stderr: '' });
  expect(JSON.parse(ended.stdout)).toMatchObject({
    accepted: ['WP01', 'WP03'],
    accepted_by: 'Grace',
    mode: 'local',
    commit_created: true,
    accept_commit: repo.git('rev-parse', 'HEAD').trim(),
    summary: { ok: true, feature_dir: 'kitty-specs/001-demo' },
  });
  expect(ended.stdout).not.toContain(repo.root);
  expect(eventsOf(ended)).toMatchObject(
    ['WP01', 'WP03'].map((wp_id) => ({
      type: 'WPStatusChanged',
      payload: { wp_id, previous_status: 'for_review', new_status: 'done', changed_by: 'Grace' },
    })),
  );
  expect(existsSync(join(repo.root, 'ran')), 'a test command is recorded, never run').toBe(false);
  expect(repo.read('kitty-specs/001-demo/meta.json')).toContain('"touch ran"');
  expect(repo.status()).toBe('');
});

test('as text it names what moved, the commit, and what comes next; warnings stand on stderr', async () => {
  const repo = await createReady();
  repo.git('switch', '-qc', '001-demo-WP01');
  repo.git('commit', '-q', '--allow-empty', '-m', 'Work');
  repo.git('switch', '-q', 'main');

  const first = await run(repo);
  const second = await run(repo);

  expect(first.code).toBe(0);
  expect(first.stdout).toMatch(/^Accepted 001-demo on main as Ada\. Moved to done: WP01\. Committed [0-9a-f]{9}\.\n/);
  expect(first.stdout).toContain('Next:\n  Bring WP01 into main: spec-kitty merge --feature 001-demo\n');
  expect(first.stderr).toContain('Warning: WP01: its branch 001-demo-WP01 has commits that main does not have.');
  expect(second).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/was accepted at .*Z by Ada\. Nothing was changed\./),
  });
  expect(eventsOf(second)).toEqual([]);
});

test('a refusal is one document with every bucket, and one ErrorLogged with the same message (FR-014, SC-011)', async () => {
  const repo = await createReady('for_review', 'doing');
  repo.write('new.txt', 'new');
  const before = repo.state();

  const ended = await run(repo, '--actor', 'Grace', '--json');

  expect(ended).toMatchObject({ code: 1, stderr: '' });
  expect(JSON.parse(ended.stdout)).toMatchObject({
    error: '001-demo cannot be accepted yet: not done (1), git dirty (1).',
    code: 'not-acceptable',
    remedy: 'spec-kitty agent tasks move-task WP02 --to for_review --feature 001-demo',
    ok: false,
    not_done: ['WP02'],
    git_dirty: ['?? new.txt'],
    metadata: [],
    help: { git_dirty: [expect.stringContaining('git commit')] },
  });
  expect(eventsOf(ended)).toMatchObject([
    {
      type: 'ErrorLogged',
      payload: {
        error_type: 'validation',
        error_message: '001-demo cannot be accepted yet: not done (1), git dirty (1).',
        agent_id: 'Grace',
      },
    },
  ]);
  expect(repo.state()).toEqual(before);
});

test('a refusal as text shows each bucket with what helps above the error, all of it on stderr (FR-014)', async () => {
  const repo = await createReady('for_review', 'doing');
  repo.replace('tasks.md', '- [x] T001', '- [ ] T001');

  const ended = await run(repo);

  expect(ended).toMatchObject({ code: 1, stdout: '' });
  expect(ended.stderr).toContain(`Packages that are not ready for review:
  WP02 is in doing
  > spec-kitty agent tasks move-task WP02 --to for_review --feature 001-demo

Open boxes in tasks.md:
  - [ ] T001 Package 1
  > spec-kitty agent tasks mark-status T001 --status done --feature 001-demo

Error: 001-demo cannot be accepted yet: not done (1), unchecked tasks (1).
`);
  expect(eventsOf(ended)).toMatchObject([
    {
      type: 'ErrorLogged',
      payload: { error_message: '001-demo cannot be accepted yet: not done (1), unchecked tasks (1).' },
    },
  ]);
});

test('with --allow-fail the same facts are an answer: exit code 1, and nothing is logged', async () => {
  const repo = await createReady('doing');

  const refused = await run(repo, '--json');
  const json = await run(repo, '--allow-fail', '--json');
  const text = await run(repo, '--allow-fail');

  expect(json).toMatchObject({ code: 1, stderr: '', calls: [] });
  expect(withoutCommands(json.stdout)).toEqual(withoutCommands(refused.stdout));
  expect(text).toMatchObject({ code: 1, stderr: '', calls: [], stdout: expect.stringContaining('WP01 is in doing') });
});

test('--allow-fail allows closed gates only: another refusal is an error as ever (SC-011)', async () => {
  const repo = await createReady();
  repo.git('switch', '-qc', 'side');

  const ended = await run(repo, '--allow-fail', '--json');

  expect(ended.code).toBe(1);
  expect(JSON.parse(ended.stdout)).toMatchObject({ code: 'wrong-branch' });
  expect(eventsOf(ended)).toMatchObject([{ type: 'ErrorLogged', payload: { error_type: 'validation' } }]);
});

test('--mode checklist only looks: exit code by the answer, no event on any path, no change', async () => {
  const ready = await createReady();
  const notReady = await createReady('doing');
  const before = [ready.state(), notReady.state()];

  const good = await run(ready, '--mode', 'checklist');
  const bad = await run(notReady, '--mode', 'checklist', '--json');
  const unknown = await run(ready, '--mode', 'checklist', '--feature', '009-none', '--json');

  expect(good).toMatchObject({ code: 0, calls: [], stderr: '' });
  expect(good.stdout).toContain('001-demo (main): ready to be accepted.');
  expect(bad).toMatchObject({ code: 1, calls: [], stderr: '' });
  expect(JSON.parse(bad.stdout)).toMatchObject({ feature: '001-demo', ok: false, not_done: ['WP01'] });
  expect(JSON.parse(bad.stdout)).not.toHaveProperty('error');
  expect(unknown).toMatchObject({ code: 1, calls: [] });
  expect([ready.state(), notReady.state()]).toEqual(before);
});

test('--no-commit only says what would be accepted: no event, refused or not, and no change', async () => {
  const ready = await createReady();
  const notReady = await createReady('doing');
  const before = [ready.state(), notReady.state()];

  const json = await run(ready, '--no-commit', '--json');
  const text = await run(ready, '--no-commit');
  const refused = await run(notReady, '--no-commit', '--json');

  expect(json).toMatchObject({ code: 0, calls: [] });
  expect(JSON.parse(json.stdout)).toMatchObject({ would_accept: ['WP01'], accepted_at: null, commit_created: false });
  expect(text.stdout).toContain('001-demo can be accepted: WP01 would move to done.');
  expect(refused).toMatchObject({ code: 1, calls: [] });
  expect([ready.state(), notReady.state()]).toEqual(before);
});

test('words nobody understands are a usage error and nobody is told; a mode nobody knows is a refusal (SC-011)', async () => {
  const repo = await createReady();

  const flag = await run(repo, '--tests', 'x', '--json');
  const mode = await run(repo, '--mode', 'locl', '--json');

  expect(flag).toMatchObject({ code: 2, calls: [] });
  expect(JSON.parse(flag.stdout)).toMatchObject({ code: 'usage' });
  expect(mode.code).toBe(1);
  expect(JSON.parse(mode.stdout)).toMatchObject({ code: 'mode-unknown', remedy: 'spec-kitty accept --mode auto' });
  expect(eventsOf(mode)).toMatchObject([{ type: 'ErrorLogged', payload: { error_type: 'validation' } }]);
});

test('long buckets are cut as text, with a count, and whole as JSON', async () => {
  const repo = await createReady();
  for (let file = 0; file < 13; file += 1) repo.write(`new-${file}.txt`, 'x');

  const text = await run(repo, '--allow-fail');
  const json = await run(repo, '--allow-fail', '--json');

  expect(text.stdout.match(/\?\? new-/g)).toHaveLength(10);
  expect(text.stdout).toContain('… and 3 more');
  expect(JSON.parse(json.stdout)).toMatchObject({ git_dirty: expect.objectContaining({ length: 13 }) });
});

/** A document without the commands that repeat the words that were typed. */
function withoutCommands(stdout: string): unknown {
  const { help: _, ...rest } = JSON.parse(stdout) as Record<string, unknown>;
  return rest;
}
