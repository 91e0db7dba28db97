/** Asks the git program one question, within a time budget, without letting the environment point it elsewhere. */
import type { Time } from '../internal/time.ts';

/** The question. */
export interface GitQuestion {
  readonly args: readonly string[];
  readonly directory: string;
  readonly time: Time;
  readonly budgetMs: number;
  /** The program. Default `git`. */
  readonly git?: string;
}

/** What git printed, trimmed; null when it failed, is missing, or took longer than the budget (it is then killed). */
export async function askGit(question: GitQuestion): Promise<string | null> {
  const { execFile } = await import('node:child_process');
  const env: Record<string, string | undefined> = { ...process.env, GIT_OPTIONAL_LOCKS: '0', GIT_TERMINAL_PROMPT: '0' };
  // Inside a git hook these name another repository or index than the directory's own.
  for (const name of ['GIT_DIR', 'GIT_WORK_TREE', 'GIT_COMMON_DIR', 'GIT_INDEX_FILE']) delete env[name];

  return new Promise((resolve) => {
    const child = execFile(
      question.git ?? 'git',
      [...question.args],
      { cwd: question.directory, env, windowsHide: true, maxBuffer: 64 * 1024 },
      (error, output) => {
        cancel();
        resolve(error === null ? output.trim() : null);
      },
    );
    const cancel = question.time.after(question.budgetMs, () => {
      child.kill('SIGKILL');
      // The answer must not wait for pipes that the killed program's children still hold.
      resolve(null);
    });
  });
}
