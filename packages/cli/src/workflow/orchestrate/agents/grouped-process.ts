/** Runs one program without a shell, in a group of its own that ends with it: at its end, at a time limit, or when told. */
import { spawn, type ChildProcess } from 'node:child_process';

import type { Time } from '@spec-kitty/events-sdk';

import {
  endGroup,
  GRACE_MS,
  processStart,
  RUN_VARIABLE,
  signalGroup,
  type Pause,
  type StartedProcess,
} from './process-group.ts';

/** What to run. */
export interface GroupedCommand {
  /** Absolute: nothing is looked up. */
  readonly path: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Written to stdin, which is then closed. */
  readonly input: string;
  readonly runId: string;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  /** Called at once. When it throws, the program is ended and the run rejects with that. */
  readonly onStart?: (started: StartedProcess) => void;
  readonly onOutput: (stream: 'stdout' | 'stderr', chunk: Uint8Array) => void;
}

/** How it ended. */
export interface GroupedEnd {
  readonly pid: number | null;
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly timedOut: boolean;
  readonly aborted: boolean;
  /** Why it could not be started, e.g. `ENOENT`. */
  readonly startError: string | null;
}

/** What running takes. `pause` keeps this process alive while it waits. */
export interface GroupedDeps extends Pause {
  readonly time: Time;
}

/** How long pipes that something outside the group holds open are read after the program's end. */
const LAST_OUTPUT_MS = 1_000;

/** Runs to the end. When the promise resolves, nobody of the group is left. */
export async function runGrouped(deps: GroupedDeps, command: GroupedCommand): Promise<GroupedEnd> {
  const nothing = { pid: null, exitCode: null, signal: null, timedOut: false, aborted: false, startError: null };
  if (command.signal?.aborted === true) return { ...nothing, aborted: true };
  const child = start(command);
  if (typeof child === 'string') return { ...nothing, startError: child };
  const { pid } = child;
  if (pid === undefined) return { ...nothing, startError: await startErrorOf(child) };

  const stopping = { timedOut: false, aborted: false };
  let cancelOrder = (): void => {};
  const stop = (reason: 'timedOut' | 'aborted'): void => {
    if (stopping.timedOut || stopping.aborted) return;
    stopping[reason] = true;
    signalGroup(pid, 'SIGTERM');
    cancelOrder = deps.time.after(GRACE_MS, () => signalGroup(pid, 'SIGKILL'));
  };
  const abort = (): void => {
    stop('aborted');
  };
  const cancelLimit = deps.time.after(command.timeoutMs, () => {
    stop('timedOut');
  });
  command.signal?.addEventListener('abort', abort, { once: true });
  const ended = exitOf(child);
  const closed = outputOf(child, command.onOutput);
  try {
    command.onStart?.({ pid, startedAt: processStart(pid), runId: command.runId });
    // A program that does not read its stdin breaks the pipe; that is its business.
    child.stdin?.on('error', () => {});
    child.stdin?.end(command.input);
    return { pid, ...(await ended), ...stopping, startError: null };
  } catch (cause) {
    signalGroup(pid, 'SIGKILL');
    await ended;
    throw cause;
  } finally {
    cancelLimit();
    cancelOrder();
    command.signal?.removeEventListener('abort', abort);
    await endGroup(deps, pid);
    await lastOutput(deps, child, closed);
  }
}

function start(command: GroupedCommand): ChildProcess | string {
  try {
    return spawn(command.path, [...command.args], {
      cwd: command.cwd,
      env: { ...command.env, [RUN_VARIABLE]: command.runId },
      stdio: ['pipe', 'pipe', 'pipe'],
      // A session and group of its own: Ctrl-C reaches it through us only, and all of it can be ended.
      detached: process.platform !== 'win32',
      windowsHide: true,
    });
  } catch (cause) {
    return codeOf(cause);
  }
}

function startErrorOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', (cause) => {
      resolve(codeOf(cause));
    });
  });
}

function exitOf(child: ChildProcess): Promise<Pick<GroupedEnd, 'exitCode' | 'signal'>> {
  return new Promise((resolve) => {
    // A signal that cannot be sent is an `error` too; the exit still comes.
    child.on('error', () => {});
    child.once('exit', (exitCode, signal) => {
      resolve({ exitCode, signal });
    });
  });
}

function outputOf(child: ChildProcess, onOutput: GroupedCommand['onOutput']): Promise<void> {
  child.stdout?.on('data', (chunk: Uint8Array) => {
    onOutput('stdout', chunk);
  });
  child.stderr?.on('data', (chunk: Uint8Array) => {
    onOutput('stderr', chunk);
  });
  return new Promise((resolve) => {
    child.once('close', () => {
      resolve();
    });
  });
}

/** What was written is read; a stranger that keeps the pipe open is not waited for. */
async function lastOutput(deps: GroupedDeps, child: ChildProcess, closed: Promise<void>): Promise<void> {
  const cancel = deps.time.after(LAST_OUTPUT_MS, () => {
    child.stdout?.destroy();
    child.stderr?.destroy();
  });
  await closed;
  cancel();
}

function codeOf(cause: unknown): string {
  return cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : 'error';
}
