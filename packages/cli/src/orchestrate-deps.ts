/** Composition for a run of agents: real programs, real processes, this process as its owner. Nothing is started here. */
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';

import { systemTime } from '@spec-kitty/events-sdk';

import type { Invocation } from './invocation.ts';
import { redactForTeam } from './redact.ts';
import { createWorkflowDeps } from './workflow-deps.ts';
import { findAgents } from './workflow/orchestrate/agents/find-agents.ts';
import { endOrphan, endRunProcesses, processStart, signalGroup } from './workflow/orchestrate/agents/process-group.ts';
import { runAgent } from './workflow/orchestrate/agents/run-agent.ts';
import type { RunChange } from './workflow/orchestrate/run-change.ts';
import type { Agents, RunDeps } from './workflow/orchestrate/run-deps.ts';
import type { Lock } from './workflow/ports.ts';

/** How long a process that was asked to end its run is waited for, in milliseconds: its agents get five seconds. */
const END_WAIT_MS = 20_000;
const LOOK_EVERY_MS = 100;

/** Everything a run takes from. `tell` is told what happens. */
export function createRunDeps(invocation: Invocation, tell: (change: RunChange) => void): RunDeps {
  const deps = createWorkflowDeps(invocation);
  const grouped = { time: systemTime, pause: (delayMs: number) => deps.git.pause(delayMs) };
  const groups = new Set<number>();
  // A second Ctrl-C, or whatever else ends us at once: nobody is left at work.
  process.on('exit', () => {
    for (const group of groups) signalGroup(group, 'SIGKILL');
  });
  const agents: Agents = {
    find: (list, { root, isConsented }) =>
      findAgents(grouped, list, { root, isConsented, env: invocation.env, signal: invocation.signal }),
    async run(task) {
      let group: number | undefined;
      try {
        return await runAgent(
          { ...grouped, env: invocation.env },
          {
            ...task,
            onStart: (started) => {
              group = started.pid;
              groups.add(group);
              task.onStart?.(started);
            },
          },
        );
      } finally {
        if (group !== undefined) groups.delete(group);
      }
    },
    async endOrphans(runId, orphans) {
      const ends = await Promise.all(orphans.map((orphan) => endOrphan(grouped, orphan)));
      await endRunProcesses(grouped, runId);
      return ends.filter((end) => end === 'unknown').length;
    },
    processStart: (pid) => (isThere(pid) ? processStart(pid) || null : undefined),
    async endProcess(pid, startedAt) {
      const isSame = (): boolean => processStart(pid) === startedAt;
      if (!isSame()) return true;
      process.kill(pid, 'SIGTERM');
      for (let waitedMs = 0; waitedMs < END_WAIT_MS && isSame(); waitedMs += LOOK_EVERY_MS)
        await grouped.pause(LOOK_EVERY_MS);
      return !isSame();
    },
  };
  return {
    ...deps,
    lock: oneAtATime(deps.lock),
    // Steps of single commands are not news here: the run tells what happens.
    progress: () => {},
    agents,
    owner: { pid: process.pid, host: hostname(), process_started_at: processStart(process.pid) || null },
    tell,
    newNonce: () => randomBytes(8).toString('hex'),
    signal: invocation.signal,
    redact: redactForTeam,
  };
}

/** Within one process nobody has to poll a lock file for a neighbour: its own turns come first, in order. */
function oneAtATime(lock: Lock): Lock {
  const turns = new Map<string, Promise<unknown>>();
  return {
    hold<T>(path: string, work: () => Promise<T>): Promise<T> {
      const before = turns.get(path) ?? Promise.resolve();
      const turn = before.then(() => lock.hold(path, work));
      // Whoever comes next waits for the end of this turn, not for its success.
      const over = turn.catch(() => {});
      turns.set(path, over);
      return turn;
    },
  };
}

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
