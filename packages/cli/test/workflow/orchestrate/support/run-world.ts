/** A project with a finished plan, agents that are real programs, and everything a run takes from; time does not wait. */
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { onTestFinished } from 'vitest';

import { findAgents } from '../../../../src/workflow/orchestrate/agents/find-agents.ts';
import { endOrphan, endRunProcesses, processStart } from '../../../../src/workflow/orchestrate/agents/process-group.ts';
import { runAgent } from '../../../../src/workflow/orchestrate/agents/run-agent.ts';
import type { RunChange } from '../../../../src/workflow/orchestrate/run-change.ts';
import type { RunDeps } from '../../../../src/workflow/orchestrate/run-deps.ts';
import { finalizeTasks } from '../../../../src/workflow/services/finalize-tasks.ts';
import { createProject } from '../../support/workspace.ts';

const program = fileURLToPath(new URL('fake-agent.mjs', import.meta.url));

/** What each agent does, by `WP01 implementation claude`, `WP01 implementation`, or `implementation`; one word per start. */
export type Script = Readonly<Record<string, readonly string[]>>;

/** One start of an agent, as it wrote it down. */
export interface DiaryEntry {
  readonly key: string;
  readonly start: number;
  readonly agent: string;
  readonly pid: number;
  readonly prompt: string;
}

/** `config` is what `.kittify/config.yaml` says of agents. */
export async function createRunWorld(
  wps: readonly string[],
  options: { readonly script?: Script; readonly config?: string } = {},
) {
  const repo = await createProject(wps);
  const folder = mkdtempSync(join(tmpdir(), 'spec-kitty-agents-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  for (const [name, form] of [
    ['claude', 'claude-json'],
    ['codex', 'codex-jsonl'],
    ['gemini', 'text'],
  ] as const) {
    const text = `#!/bin/sh\n[ "$1" = --version ] && echo "${name} 1.2.3" && exit 0\nFAKE_AGENT_FORM=${form} exec '${process.execPath}' '${program}'\n`;
    mkdirSync(join(folder, 'bin'), { recursive: true });
    writeFileSync(join(folder, 'bin', name), text);
    chmodSync(join(folder, 'bin', name), 0o755);
  }
  const config = options.config ?? 'agents:\n  available: [claude, codex]\n  allow_unattended: true\n';
  repo.write('.kittify/config.yaml', `vcs:\n  type: git\n${config}`);
  repo.git('commit', '-qam', 'Agents');
  await finalizeTasks(repo.deps, { cwd: repo.root });
  repo.emitted.length = 0;

  const scriptFile = join(folder, 'script.json');
  const say = (script: Script): void => {
    writeFileSync(scriptFile, JSON.stringify(script));
  };
  say(options.script ?? {});
  const env = {
    ...process.env,
    PATH: `${join(folder, 'bin')}:${process.env['PATH'] ?? ''}`,
    FAKE_AGENT_SCRIPT: scriptFile,
    FAKE_AGENT_DIARY: folder,
    GIT_AUTHOR_NAME: 'Agent',
    GIT_AUTHOR_EMAIL: 'agent@example.com',
    GIT_COMMITTER_NAME: 'Agent',
    GIT_COMMITTER_EMAIL: 'agent@example.com',
    GIT_CONFIG_GLOBAL: '/dev/null',
  };

  // Pauses pass at once; time limits of agents are real, and short where a test needs one.
  let aheadMs = 0;
  const time: RunDeps['time'] = {
    now: () => Date.now() + aheadMs,
    after(delayMs, callback) {
      const timer = setTimeout(callback, delayMs);
      return () => {
        clearTimeout(timer);
      };
    },
  };
  const git: RunDeps['git'] = {
    run: repo.deps.git.run,
    async pause(delayMs) {
      aheadMs += delayMs;
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
  const realPause = { pause: (delayMs: number) => repo.deps.git.pause(delayMs) };
  const changes: RunChange[] = [];
  const stop = new AbortController();
  let listener: (change: RunChange) => void = () => {};
  const deps = (more: Partial<RunDeps> = {}): RunDeps => ({
    ...repo.deps,
    git,
    time,
    agents: {
      find: (list, found) => findAgents({ time, ...realPause }, list, { ...found, env }),
      run: (task) => runAgent({ time, ...realPause, env }, task),
      async endOrphans(runId, orphans) {
        const ends = await Promise.all(orphans.map((orphan) => endOrphan(realPause, orphan)));
        await endRunProcesses(realPause, runId);
        return ends.filter((end) => end === 'unknown').length;
      },
      processStart: (pid) => processStart(pid) || undefined,
      endProcess: () => Promise.resolve(true),
    },
    owner: { pid: process.pid, host: 'here', process_started_at: processStart(process.pid) },
    tell: (change) => {
      changes.push(change);
      listener(change);
    },
    newNonce: () => Math.random().toString(36).slice(2, 14),
    signal: stop.signal,
    redact: (text) => text,
    ...more,
  });
  return {
    ...repo,
    say,
    runDeps: deps,
    changes,
    stop,
    onChange: (callback: (change: RunChange) => void) => {
      listener = callback;
    },
    diary: (): readonly DiaryEntry[] =>
      existsSync(join(folder, 'diary'))
        ? readFileSync(join(folder, 'diary'), 'utf8')
            .trim()
            .split('\n')
            .map((line) => JSON.parse(line) as DiaryEntry)
        : [],
    events: () => repo.emitted.flatMap(({ drafts }) => drafts.map(({ type, payload }) => ({ type, ...payload }))),
    causes: () => [...new Set(repo.emitted.flatMap(({ drafts }) => drafts.map(({ causationId }) => causationId)))],
    lane: (id: string): string | undefined => /^lane: "?(\w+)"?$/m.exec(repo.read(repo.wpPath(id)))?.[1],
  };
}
