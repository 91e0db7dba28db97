/**
 * The git binary behind the {@link Git} port: never asks for a password, speaks English, and works on the
 * repository of `cwd` even when the CLI itself was started from inside a git hook.
 */
import { spawn } from 'node:child_process';
import { setTimeout as pauseFor } from 'node:timers/promises';

import { WorkflowError } from '../errors.ts';
import type { Git } from '../ports.ts';

/** Set by git for hooks; inherited, they would point every call of ours at another repository or index. */
export const HOOK_VARIABLES: ReadonlySet<string> = new Set([
  'GIT_DIR',
  'GIT_WORK_TREE',
  'GIT_INDEX_FILE',
  'GIT_PREFIX',
  'GIT_COMMON_DIR',
  'GIT_OBJECT_DIRECTORY',
]);

/** Creates the port over `git` on PATH. `env` defaults to this process's environment. */
export function createGit(env: Readonly<Record<string, string | undefined>> = process.env): Git {
  const gitEnv = {
    ...Object.fromEntries(Object.entries(env).filter(([name]) => !HOOK_VARIABLES.has(name))),
    GIT_TERMINAL_PROMPT: '0',
    LC_ALL: 'C',
  };
  return {
    async run(cwd, args, { limitMs } = {}) {
      const { exitCode, stdout, stderr } = await runGit(args, { cwd, env: gitEnv, timeout: limitMs });
      if (exitCode !== null) return { exitCode, stdout, stderr };
      if (limitMs !== undefined) return { exitCode: 124, stdout, stderr: 'it took too long' };
      throw new WorkflowError('git-failed', 'git ended without an exit code.', { kind: 'runtime' });
    },
    // Not the injected Time: its timers are unref'd, and a process waiting only for one would end here.
    async pause(delayMs) {
      await pauseFor(delayMs);
    },
  };
}

interface Ended {
  /** Null where a signal ended it. */
  readonly exitCode: number | null;
  /** Without the newline at their end. */
  readonly stdout: string;
  readonly stderr: string;
}

/** Node's own `spawn` and no process library: one costs every git call 3 ms more, and a command makes several. */
function runGit(
  args: readonly string[],
  {
    timeout,
    ...where
  }: { readonly cwd: string; readonly env: NodeJS.ProcessEnv; readonly timeout: number | undefined },
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn('git', args, {
      ...where,
      stdio: ['ignore', 'pipe', 'pipe'],
      windowsHide: true,
      ...(timeout === undefined ? {} : { timeout }),
    });
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.on('error', (cause: NodeJS.ErrnoException) => {
      reject(
        cause.code === 'ENOENT'
          ? new WorkflowError('git-missing', 'git was not found on PATH; the workflow commands need it.', {
              kind: 'runtime',
              remedy: 'git --version',
              cause,
            })
          : new WorkflowError('git-failed', 'git could not be started.', { kind: 'runtime', cause }),
      );
    });
    child.on('close', (exitCode) => {
      resolve({ exitCode, stdout: withoutLastNewline(stdout), stderr: withoutLastNewline(stderr) });
    });
  });
}

const withoutLastNewline = (text: string): string => text.replace(/\r?\n$/, '');
