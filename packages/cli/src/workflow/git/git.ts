/**
 * The git binary behind the {@link Git} port: never asks for a password, speaks English, and works on the
 * repository of `cwd` even when the CLI itself was started from inside a git hook.
 */
import { setTimeout as pauseFor } from 'node:timers/promises';

import { WorkflowError } from '../errors.ts';
import type { Git, GitAnswer } from '../ports.ts';

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
    ...Object.fromEntries([...Object.keys(process.env), ...HOOK_VARIABLES].map((name) => [name, undefined])),
    ...Object.fromEntries(Object.entries(env).filter(([name]) => !HOOK_VARIABLES.has(name))),
    GIT_TERMINAL_PROMPT: '0',
    LC_ALL: 'C',
  };
  return {
    async run(cwd, args, options = {}) {
      // Loaded at the first call: a command that is refused for its words pays for no process library.
      const { default: spawn } = await import('nano-spawn');
      const limit = options.limitMs === undefined ? {} : { timeout: options.limitMs };
      try {
        const { stdout, stderr } = await spawn('git', [...args], { cwd, env: gitEnv, stdin: 'ignore', ...limit });
        return { exitCode: 0, stdout, stderr };
      } catch (cause) {
        return failed(cause, options.limitMs !== undefined);
      }
    },
    // Not the injected Time: its timers are unref'd, and a process waiting only for one would end here.
    async pause(delayMs) {
      await pauseFor(delayMs);
    },
  };
}

/** What the process library throws: the outcome of the process, or why there was none. */
interface SpawnFailure extends Error {
  readonly exitCode?: number;
  readonly signalName?: string;
  readonly stdout: string;
  readonly stderr: string;
}

function failed(cause: unknown, isLimited: boolean): GitAnswer {
  // The library documents that it throws nothing else.
  const { exitCode, signalName, stdout, stderr, cause: reason } = cause as SpawnFailure;
  if (exitCode !== undefined) return { exitCode, stdout, stderr };
  if (signalName !== undefined && isLimited) return { exitCode: 124, stdout, stderr: 'it took too long' };
  const isMissing = reason instanceof Error && 'code' in reason && reason.code === 'ENOENT';
  throw isMissing
    ? new WorkflowError('git-missing', 'git was not found on PATH; the workflow commands need it.', {
        kind: 'runtime',
        remedy: 'git --version',
        cause,
      })
    : new WorkflowError('git-failed', 'git ended without an exit code.', { kind: 'runtime', cause });
}
