/**
 * Runs one agent on one package, to the end: streams what it writes into a log, keeps the end of it, ends the whole
 * group at the time limit or when told, and says how it went. A failing agent is an answer, not an exception.
 */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { WorkflowError } from '../../errors.ts';
import { agentCommand, agentEnv, needsPromptFile } from './agent-command.ts';
import { openAgentLog, type AgentLog } from './agent-log.ts';
import type { AgentSpec, FailureClass, Role } from './agent-spec.ts';
import { classifyFailure, failureText } from './failure-class.ts';
import { runGrouped, type GroupedDeps, type GroupedEnd } from './grouped-process.ts';
import { createOutputTail } from './output-tail.ts';
import type { StartedProcess } from './process-group.ts';
import { readOutput, type AgentOutput } from './read-output.ts';

/** Who runs, on what, and where. */
export interface AgentTask {
  readonly spec: AgentSpec;
  /** The program, absolute, as `findAgents` answered it. */
  readonly path: string;
  readonly role: Role;
  readonly wpId: string;
  readonly feature: string;
  /** Top of the main checkout. */
  readonly root: string;
  /** Working directory of the agent, absolute. */
  readonly workspace: string;
  readonly prompt: string;
  readonly timeoutMs: number;
  /** True when the person agreed to an agent that acts without asking. */
  readonly isUnattended: boolean;
  /** Differs for every run; letters and digits. */
  readonly runId: string;
  /** Ends the agent and everything it started. */
  readonly signal?: AbortSignal;
  /** Called as soon as it runs, for whoever has to end it should we be killed. When it throws, the agent is ended. */
  readonly onStart?: (started: StartedProcess & { readonly logFile: string }) => void;
  /** Bytes of stdout, and of stderr, that are kept for reading. Default 4 MiB. */
  readonly keepBytes?: number;
}

/** What running takes. */
export interface AgentRunDeps extends GroupedDeps {
  /** The environment agents inherit, less what is not theirs. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** How a run went. */
export interface AgentRun {
  readonly agentId: string;
  readonly role: Role;
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly timedOut: boolean;
  readonly aborted: boolean;
  readonly durationMs: number;
  readonly output: AgentOutput;
  /** Null when it succeeded. */
  readonly failure: FailureClass | null;
  /** The failure in the agent's own words, or ours when it has none; empty on success. May hold secrets: redact before it is shown or sent. */
  readonly failureText: string;
  /** Relative to the project root. */
  readonly logFile: string;
  readonly pid: number | null;
}

const KEEP_BYTES = 4 * 1024 * 1024;

/** Runs it. Rejects when the workspace is gone, the log cannot be created, or `onStart` threw. */
export async function runAgent(deps: AgentRunDeps, task: AgentTask): Promise<AgentRun> {
  if (!existsSync(task.workspace)) {
    throw new WorkflowError('workspace-missing', `The workspace of ${task.wpId} is gone.`, {
      kind: 'runtime',
      wpId: task.wpId,
      agentId: task.spec.id,
      remedy: `spec-kitty implement ${task.wpId} --feature ${task.feature}`,
    });
  }
  const startedAtMs = deps.time.now();
  const log = openAgentLog({
    root: task.root,
    wpId: task.wpId,
    role: task.role,
    startedAtMs,
    head: headOf(task, startedAtMs),
  });
  const tails = {
    stdout: createOutputTail(task.keepBytes ?? KEEP_BYTES),
    stderr: createOutputTail(task.keepBytes ?? KEEP_BYTES),
  };
  let lastLines: Readonly<Record<string, string>> = {};
  try {
    const end = await start(deps, task, log, (stream, chunk) => {
      log.add(stream, chunk);
      tails[stream].add(chunk);
    });
    const output = readOutput(task.spec.output, tails.stdout.text());
    const ending = { ...end, isMissing: end.startError !== null, output, stderr: tails.stderr.text() };
    const failure = classifyFailure(task.spec, ending);
    const durationMs = deps.time.now() - startedAtMs;
    lastLines = {
      ...(end.startError === null ? {} : { error: `could not be started (${end.startError})` }),
      exit: end.signal ?? String(end.exitCode),
      result: failure ?? 'success',
      duration: `${Math.round(durationMs / 1_000)} s`,
    };
    return {
      agentId: task.spec.id,
      role: task.role,
      exitCode: end.exitCode,
      signal: end.signal,
      timedOut: end.timedOut,
      aborted: end.aborted,
      durationMs,
      output,
      failure,
      failureText: failure === null ? '' : failureText(ending) || ownWords(failure, task, end),
      logFile: log.path,
      pid: end.pid,
    };
  } finally {
    log.close(lastLines);
  }
}

async function start(
  deps: AgentRunDeps,
  task: AgentTask,
  log: AgentLog,
  onOutput: (stream: 'stdout' | 'stderr', chunk: Uint8Array) => void,
): Promise<GroupedEnd> {
  const { spec, role, root, prompt, isUnattended, onStart, signal } = task;
  const folder = needsPromptFile(spec, prompt) ? mkdtempSync(join(tmpdir(), 'spec-kitty-prompt-')) : undefined;
  try {
    const promptFile = folder === undefined ? undefined : join(folder, 'prompt.md');
    if (promptFile !== undefined) writeFileSync(promptFile, prompt, { mode: 0o600 });
    return await runGrouped(deps, {
      ...agentCommand({ spec, role, root, prompt, isUnattended, ...(promptFile === undefined ? {} : { promptFile }) }),
      path: task.path,
      cwd: task.workspace,
      env: agentEnv(deps.env, { agentId: spec.id, feature: task.feature }),
      runId: task.runId,
      timeoutMs: task.timeoutMs,
      onOutput,
      onStart: (started) => onStart?.({ ...started, logFile: log.path }),
      ...(signal === undefined ? {} : { signal }),
    });
  } finally {
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  }
}

function headOf(
  { spec, role, wpId, feature, isUnattended }: AgentTask,
  startedAtMs: number,
): Readonly<Record<string, string>> {
  return {
    agent: spec.id,
    role,
    package: wpId,
    feature,
    started: new Date(startedAtMs).toISOString(),
    unattended: isUnattended ? 'yes' : 'no',
  };
}

/** For a failure the agent said nothing about. */
function ownWords(failure: FailureClass, { spec, timeoutMs }: AgentTask, end: GroupedEnd): string {
  if (end.startError !== null) return `${spec.bin} could not be started (${end.startError}).`;
  if (end.aborted) return `${spec.id} was stopped.`;
  if (end.timedOut) return `${spec.id} did not finish within ${Math.round(timeoutMs / 1_000)} s and was ended.`;
  if (end.signal !== null) return `${spec.id} was ended by ${end.signal}.`;
  return `${spec.id} ended with exit code ${end.exitCode ?? 'unknown'} (${failure}) and said nothing.`;
}
