/**
 * The git binary behind the {@link Git} port: never asks for a password, speaks English, and works on the
 * repository of `cwd` even when the CLI itself was started from inside a git hook.
 */
import { setTimeout as pauseFor } from 'node:timers/promises';

import { WorkflowError } from '../errors.ts';
import type { Git } from '../ports.ts';

/** Set by git for hooks; inherited, they would point every call of ours at another repository or index. */
const HOOK_VARIABLES = new Set([
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
    async run(cwd, args) {
      // Loaded at the first call: a command that is refused for its words pays for no process library.
      const { execa } = await import('execa');
      const answer = await execa('git', [...args], {
        cwd,
        env: gitEnv,
        extendEnv: false,
        reject: false,
        stdin: 'ignore',
        stripFinalNewline: false,
      });
      if (answer.exitCode === undefined) throw gitUnusable(answer.cause ?? answer);
      return { exitCode: answer.exitCode, stdout: answer.stdout, stderr: answer.stderr };
    },
    // Not the injected Time: its timers are unref'd, and a process waiting only for one would end here.
    async pause(delayMs) {
      await pauseFor(delayMs);
    },
  };
}

function gitUnusable(cause: unknown): WorkflowError {
  const missing = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
  return missing
    ? new WorkflowError('git-missing', 'git was not found on PATH; the workflow commands need it.', {
        kind: 'runtime',
        remedy: 'git --version',
        cause,
      })
    : new WorkflowError('git-failed', 'git ended without an exit code.', { kind: 'runtime', cause });
}
