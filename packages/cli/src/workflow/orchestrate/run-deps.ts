/** What a run needs beside what every workflow service needs. */
import type { WorkflowDeps } from '../ports.ts';
import type { FoundAgent } from './agents/find-agents.ts';
import type { ResolvedAgent } from './agents/orchestrator-config.ts';
import type { StartedProcess } from './agents/process-group.ts';
import type { AgentRun, AgentTask } from './agents/run-agent.ts';
import type { RunChange } from './run-change.ts';
import type { Owner } from './run-state.ts';

/** The agent programs of this machine, and the processes a run leaves behind. */
export interface Agents {
  /** Which of them can be started. Runs no program of the repository's without consent. */
  find(
    agents: readonly ResolvedAgent[],
    options: { readonly root: string; readonly isConsented: boolean },
  ): Promise<readonly FoundAgent[]>;
  /** Runs one to its end. */
  run(task: AgentTask): Promise<AgentRun>;
  /** Ends what a run that died has left at work. Answers how many may still be there. */
  endOrphans(runId: string, orphans: readonly StartedProcess[]): Promise<number>;
  /** When a process here started, as text; undefined when there is none, null when nobody can say. */
  processStart(pid: number): string | null | undefined;
  /** Asks the process that started then to end, and waits until it has; false when it has not. */
  endProcess(pid: number, startedAt: string): Promise<boolean>;
}

export interface RunDeps extends WorkflowDeps {
  readonly agents: Agents;
  /** The process that runs it. */
  readonly owner: Owner;
  /** Told of everything that happens, in order. Must not throw. */
  readonly tell: (change: RunChange) => void;
  /** Letters and digits nobody can guess, for one review. */
  readonly newNonce: () => string;
  /** Ends the agents at work and pauses the run. */
  readonly signal: AbortSignal;
  /** A text that leaves this machine: without secrets and home folders, bounded. */
  readonly redact: (text: string) => string;
}

/** An agent that can be started. */
export type ReadyAgent = Extract<FoundAgent, { readonly state: 'ready' }>;
