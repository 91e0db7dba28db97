/**
 * Every refusal of the workflow commands, as a person and as a script meet it: exit code 1, one message, one JSON
 * document with its code, one ErrorLogged with that very message, and a repository as it was.
 */
import { execFileSync } from 'node:child_process';
import { appendFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';

import { buildProgram, type Ended, type Program } from './support/program.ts';

let program: Program;
let template: string;

const FEATURE = 'kitty-specs/001-demo';
const WORKSPACE = '.worktrees/001-demo-WP02';
const env = {
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_AUTHOR_NAME: 'Ada',
  GIT_AUTHOR_EMAIL: 'ada@example.com',
  GIT_COMMITTER_NAME: 'Ada',
  GIT_COMMITTER_EMAIL: 'ada@example.com',
};

function git(cwd: string, ...args: readonly string[]): string {
  return execFileSync('git', args, { cwd, env: { ...process.env, ...env }, encoding: 'utf8', stdio: 'pipe' });
}

/** WP01 planned, WP02 under way with committed work and a box to check, WP03 waiting for both, WP04 in review. */
beforeAll(async () => {
  program = await buildProgram();
  template = mkdtempSync(join(tmpdir(), 'spec-kitty-refusals-'));
  const steps: readonly (readonly string[])[] = [
    ['init', '--git'],
    ['agent', 'feature', 'create-feature', 'demo'],
    ['agent', 'tasks', 'scaffold', '--wp', 'One', '--wp', 'Two', '--wp', 'Three:1,2', '--wp', 'Four'],
    ['implement', 'WP02', '--agent', 'claude'],
    ['agent', 'tasks', 'move-task', 'WP04', '--to', 'doing'],
    ['agent', 'tasks', 'mark-status', 'T004', '--status', 'done'],
    ['agent', 'tasks', 'move-task', 'WP04', '--to', 'for_review'],
  ];
  for (const words of steps) {
    const ended = await program.run(words, { cwd: template, env });
    if (ended.code !== 0) throw new Error(`${words.join(' ')}: ${ended.stderr}`);
  }
  writeFileSync(join(template, WORKSPACE, 'two.txt'), 'two\n');
  git(join(template, WORKSPACE), 'add', '.');
  git(join(template, WORKSPACE), 'commit', '-qm', 'Two');
});

afterAll(async () => {
  await program.remove();
  rmSync(template, { recursive: true, force: true });
});

interface Refusal {
  readonly code: string;
  readonly words: readonly string[];
  readonly message: RegExp;
  /** Puts the repository into the state that is refused; answers where to stand. */
  readonly provoke?: (root: string) => string | void;
  /** What ErrorLogged says beside the message. */
  readonly about?: Readonly<Record<string, unknown>>;
  readonly errorType?: 'validation' | 'runtime';
}

const tasks = (...words: readonly string[]): readonly string[] => ['agent', 'tasks', ...words];
const move = (id: string, to: string, ...more: readonly string[]): readonly string[] =>
  tasks('move-task', id, '--to', to, ...more);
const sideBranch = (root: string): void => {
  git(root, 'switch', '-qc', 'side');
};
const unfinishedMerge = (root: string): void => {
  git(root, 'switch', '-qc', 'side');
  git(root, 'commit', '-q', '--allow-empty', '-m', 'side');
  git(root, 'switch', '-q', 'main');
  git(root, 'merge', '-q', '--no-ff', '--no-commit', 'side');
};
const secondFeature = (root: string): void => {
  cpSync(join(root, FEATURE), join(root, 'kitty-specs/002-other'), { recursive: true });
  git(root, 'add', '.');
  git(root, 'commit', '-qm', 'Second');
};
const refusingHook = (root: string): void => {
  writeFileSync(join(root, '.git/hooks/pre-commit'), '#!/bin/sh\necho no >&2\nexit 1\n', { mode: 0o755 });
};

const refusals: readonly Refusal[] = [
  { code: 'wp-id-invalid', words: ['implement', 'first'], message: /"first" is not a work package id/ },
  { code: 'wp-not-found', words: ['implement', 'WP09'], message: /WP09 was not found/, about: { wp_id: 'WP09' } },
  {
    code: 'feature-not-found',
    words: ['implement', 'WP01', '-f', '009-x'],
    message: /There is no feature "009-x"/,
    about: { wp_id: 'WP01' },
  },
  { code: 'feature-unclear', words: ['implement', 'WP01'], message: /not clear which feature/, provoke: secondFeature },
  {
    code: 'wrong-branch',
    words: ['implement', 'WP01', '-f', '001-demo', '--agent', 'claude'],
    message: /recorded on main, but the main checkout is on side/,
    provoke: sideBranch,
    about: { wp_id: 'WP01', agent_id: 'claude' },
  },
  {
    code: 'in-worktree',
    words: ['implement', 'WP01'],
    message: /main checkout only/,
    provoke: (root) => join(root, WORKSPACE),
  },
  {
    code: 'merge-in-progress',
    words: ['implement', 'WP01'],
    message: /A merge is in progress/,
    provoke: unfinishedMerge,
  },
  { code: 'base-not-started', words: ['implement', 'WP03'], message: /WP03 builds on WP01/, about: { wp_id: 'WP03' } },
  {
    code: 'workspace-blocked',
    words: ['implement', 'WP01'],
    message: /exists but is no workspace/,
    provoke: (root) => {
      mkdirSync(join(root, '.worktrees/001-demo-WP01'));
    },
  },
  {
    code: 'meta-missing',
    words: ['implement', 'WP01'],
    message: /meta\.json is missing/,
    provoke: (root) => {
      git(root, 'rm', '-q', `${FEATURE}/meta.json`);
      git(root, 'commit', '-qm', 'Oops');
    },
  },
  {
    code: 'meta-invalid',
    words: ['implement', 'WP01'],
    message: /meta\.json is not valid JSON/,
    provoke: (root) => {
      writeFileSync(join(root, FEATURE, 'meta.json'), '{');
    },
  },
  {
    code: 'frontmatter-invalid',
    words: ['implement', 'WP01'],
    message: /WP01-one\.md, line \d+/,
    provoke: (root) => {
      writeFileSync(join(root, FEATURE, 'tasks/WP01-one.md'), 'no frontmatter\n');
    },
  },
  {
    code: 'commit-refused',
    words: move('WP01', 'doing'),
    message: /perhaps a hook refused: no/,
    provoke: refusingHook,
    about: { wp_id: 'WP01' },
    errorType: 'runtime',
  },
  {
    code: 'lane-unknown',
    words: move('WP01', 'nowhere'),
    message: /"nowhere" is not a lane/,
    about: { wp_id: 'WP01' },
  },
  {
    code: 'transition-refused',
    words: move('WP01', 'for_review'),
    message: /it is in planned/,
    about: { wp_id: 'WP01' },
  },
  {
    code: 'not-yours',
    words: move('WP02', 'planned', '--agent', 'codex'),
    message: /worked on by claude, not by codex/,
    about: { wp_id: 'WP02', agent_id: 'codex' },
  },
  { code: 'subtasks-open', words: move('WP02', 'for_review'), message: /WP02 has an open subtask: T002/ },
  {
    code: 'plan-uncommitted',
    words: move('WP04', 'done'),
    message: /not committed: kitty-specs\/001-demo\/research\.md/,
    provoke: (root) => {
      writeFileSync(join(root, FEATURE, 'research.md'), 'x\n');
    },
  },
  { code: 'feedback-missing', words: move('WP04', 'planned'), message: /goes back from review to planned/ },
  {
    code: 'feedback-file-missing',
    words: move('WP04', 'planned', '--review-feedback-file', 'no.md'),
    message: /no\.md does not exist/,
  },
  { code: 'wrong-branch', words: move('WP01', 'doing', '-f', '001-demo'), message: /is on side/, provoke: sideBranch },
  {
    code: 'merge-in-progress',
    words: move('WP01', 'doing'),
    message: /A merge is in progress/,
    provoke: unfinishedMerge,
  },
  { code: 'task-not-found', words: tasks('mark-status', 'T777', '--status', 'done'), message: /no box for T777/ },
  { code: 'task-id-invalid', words: tasks('mark-status', 'x', '--status', 'done'), message: /"x" is neither/ },
  { code: 'ids-mixed', words: tasks('mark-status', 'T001', 'WP01', '--status', 'done'), message: /in one call/ },
  { code: 'status-unknown', words: tasks('mark-status', 'T001', '--status', 'half'), message: /not "half"/ },
  {
    code: 'task-ambiguous',
    words: tasks('mark-status', 'T001', '--status', 'done'),
    message: /T001 stands 2 times/,
    provoke: (root) => {
      appendFileSync(join(root, FEATURE, 'tasks.md'), '\n- [ ] T001 Again\n');
    },
  },
  {
    code: 'tasks-missing',
    words: tasks('mark-status', 'T001', '--status', 'done'),
    message: /tasks\.md does not exist/,
    provoke: (root) => {
      rmSync(join(root, FEATURE, 'tasks.md'));
    },
  },
  { code: 'note-empty', words: tasks('add-history', 'WP01', '--note', ' '), message: /the text is empty/ },
  { code: 'wp-not-found', words: tasks('add-history', 'WP09', '--note', 'x'), message: /WP09 was not found/ },
  {
    code: 'dependency-cycle',
    words: ['agent', 'feature', 'finalize-tasks'],
    message: /WP01 → WP02 → WP01/,
    provoke: (root) => {
      const path = join(root, FEATURE, 'tasks.md');
      const text = readFileSync(path, 'utf8');
      writeFileSync(path, text.replace('- None', '- Depends on WP02').replace('- None', '- Depends on WP01'));
    },
  },
  {
    code: 'dependency-invalid',
    words: ['agent', 'feature', 'finalize-tasks'],
    message: /WP01 waits for WP50, which does not exist/,
    provoke: (root) => {
      const path = join(root, FEATURE, 'tasks.md');
      writeFileSync(path, readFileSync(path, 'utf8').replace('- None', '- Depends on WP50'));
    },
    about: { wp_id: 'WP01' },
  },
  {
    code: 'section-repeated',
    words: ['agent', 'feature', 'finalize-tasks'],
    message: /more than one section for WP01/,
    provoke: (root) => {
      appendFileSync(join(root, FEATURE, 'tasks.md'), '\n## Work Package WP01: Again\n');
    },
  },
  {
    code: 'no-work-packages',
    words: ['agent', 'feature', 'finalize-tasks'],
    message: /holds no work packages/,
    provoke: (root) => {
      rmSync(join(root, FEATURE, 'tasks'), { recursive: true });
    },
  },
];

function makeProject(): string {
  const root = mkdtempSync(join(tmpdir(), 'spec-kitty-refusal-'));
  onTestFinished(() => {
    rmSync(root, { recursive: true, force: true });
  });
  cpSync(template, root, { recursive: true });
  // A copied worktree still points at where it was made.
  git(root, 'worktree', 'repair', WORKSPACE);
  return root;
}

/** Everything a refusal must leave alone. */
function stateOf(root: string): readonly string[] {
  const files = git(root, 'ls-files', '--cached', '--others', '--exclude-standard', '-z', FEATURE).split('\0');
  const texts = files
    .filter((file) => file !== '')
    .map((file) => {
      try {
        return readFileSync(join(root, file), 'utf8');
      } catch {
        return 'gone';
      }
    });
  return [git(root, 'status', '--porcelain'), git(root, 'for-each-ref'), git(root, 'worktree', 'list'), ...texts];
}

function errorsOf(ended: Ended): readonly unknown[] {
  const drafts = ended.calls
    .filter(([method]) => method === 'emitAll')
    .flatMap(([, all]) => all as readonly { readonly type: string; readonly payload: unknown }[]); // what the fake wrote down
  expect(drafts.map(({ type }) => type)).toEqual(drafts.map(() => 'ErrorLogged'));
  return drafts.map(({ payload }) => payload);
}

test.each(refusals.map((refusal) => ({ ...refusal, typed: refusal.words.join(' ') })))(
  '$typed is refused with $code, in words and as JSON, told once, and nothing is changed (US3-5, FR-014, SC-011)',
  async ({ code, words, message, provoke, about, errorType = 'validation' }) => {
    const root = makeProject();
    const cwd = provoke?.(root) ?? root;
    const before = stateOf(root);

    const json = await program.run([...words, '--json'], { cwd, env });
    const text = await program.run(words, { cwd, env });

    const answer = JSON.parse(json.stdout) as { readonly error: string; readonly code: string };
    expect([json.code, text.code, answer.code]).toEqual([1, 1, code]);
    expect(answer.error).toMatch(message);
    expect(text.stdout).toBe('');
    expect(text.stderr).toContain(answer.error.split('\n')[0]);
    for (const ended of [json, text]) {
      expect(errorsOf(ended)).toMatchObject([
        { error_type: errorType, error_message: answer.error.split('\n')[0], ...about },
      ]);
      expect(JSON.stringify(errorsOf(ended))).not.toContain('stack_trace');
    }
    expect(stateOf(root)).toEqual(before);
  },
);

test.each([
  [move('WP01', 'doing').slice(0, 3)],
  [tasks('mark-status', '--status', 'done')],
  [tasks('add-history', 'WP01')],
  [tasks('add-history', 'WP01', '--note', 'x', '--type', 'poem')],
  [tasks('move-task', 'WP01', '--to', 'doing', '--colour')],
])('%s is a usage error: exit code 2, one document, and nothing is told', async (words) => {
  const root = makeProject();

  const ended = await program.run([...words, '--json'], { cwd: root, env });

  expect(ended.code).toBe(2);
  expect(JSON.parse(ended.stdout)).toMatchObject({ code: 'usage', error: expect.any(String) });
  expect(ended.calls).toEqual([]);
});
