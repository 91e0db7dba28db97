/** Agents that are real programs: executables in a folder on PATH, which read their prompt, work, answer or misbehave. */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

import { createTestTime, type TestTime } from '@spec-kitty/events-sdk/testing';
import { onTestFinished } from 'vitest';

import { SPEC_DEFAULTS, type AgentSpec } from '../../../../src/workflow/orchestrate/agents/agent-spec.ts';
import type { AgentRunDeps, AgentTask } from '../../../../src/workflow/orchestrate/agents/run-agent.ts';

/** Begins every fake: `say`, `prompt()` and `sh()` for its own lines. */
const PREAMBLE = `
const fs = require('node:fs');
const { execFileSync, spawn } = require('node:child_process');
const say = (text) => fs.writeSync(1, text + '\\n');
const prompt = () => fs.readFileSync(0, 'utf8');
const git = (...args) => execFileSync('git', args, { encoding: 'utf8' }).trim();
const hang = () => setInterval(() => {}, 1000);
const child = (code, options) => spawn(process.execPath, ['-e', code], { stdio: 'ignore', ...options }).pid;
`;

/** A project folder with a workspace that is a git repository, programs on PATH, and time that stands still. */
export interface AgentWorld {
  readonly root: string;
  readonly workspace: string;
  readonly time: TestTime;
  readonly deps: AgentRunDeps;
  /** Installs a program; answers its path. Its lines may use the words of the preamble. */
  install(name: string, lines: string): string;
  /** A task for the installed program `name`, which takes its prompt from stdin and answers text, unless `facts` say else. */
  task(name: string, facts?: Partial<AgentTask>, spec?: Partial<AgentSpec>): AgentTask;
  /** Text of a file below the project; empty when it is not there. */
  read(path: string): string;
  git(...args: string[]): string;
}

/** Makes one; it goes with the test, as does every process whose number a test hands to {@link endWithTest}. */
export function createAgentWorld(env: Readonly<Record<string, string>> = {}): AgentWorld {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'agents-')));
  onTestFinished(() => {
    rmSync(root, { recursive: true, force: true, maxRetries: 3 });
  });
  const [bin, workspace] = [join(root, 'bin'), join(root, 'workspace')];
  for (const folder of [bin, workspace]) mkdirSync(folder);
  const fullEnv = {
    PATH: `${bin}${delimiter}${process.env['PATH'] ?? ''}`,
    HOME: root,
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_AUTHOR_NAME: 'Ada',
    GIT_AUTHOR_EMAIL: 'ada@example.com',
    GIT_COMMITTER_NAME: 'Ada',
    GIT_COMMITTER_EMAIL: 'ada@example.com',
    ...env,
  };
  const git = (...args: string[]): string =>
    execFileSync('git', args, {
      cwd: workspace,
      env: { ...fullEnv, GIT_DIR: undefined },
      encoding: 'utf8',
      stdio: 'pipe',
    });
  git('init', '-q', '-b', 'main');
  git('commit', '-q', '--allow-empty', '-m', 'Start');
  const time = createTestTime();
  const install = (name: string, lines: string): string => {
    const path = join(bin, name);
    writeFileSync(path, `#!${process.execPath}\n${PREAMBLE}\n${lines}\n`);
    chmodSync(path, 0o755);
    return path;
  };
  return {
    root,
    workspace,
    time,
    // Time stands still, so waiting is giving others a turn.
    deps: { time, env: fullEnv, pause: () => new Promise((resolve) => setImmediate(resolve)) },
    install,
    task: (name, facts = {}, spec = {}) => ({
      spec: { ...SPEC_DEFAULTS, id: name, bin: name, ...spec },
      path: join(bin, name),
      role: 'implementation',
      wpId: 'WP01',
      feature: '001-demo',
      root,
      workspace,
      prompt: 'Do it.',
      timeoutMs: 600_000,
      isUnattended: false,
      runId: 'run1',
      ...facts,
    }),
    read: (path) => (existsSync(join(root, path)) ? readFileSync(join(root, path), 'utf8') : ''),
    git,
  };
}

/** True while a process does anything; one that only waits to be reaped does not. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

/** Ends a process that a test let live on purpose. */
export function endWithTest(pid: number): void {
  onTestFinished(() => {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended.
    }
  });
}
