/** The example of docs and README, as a reader sets it up. */
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { expect, test } from 'vitest';

import { wpFileText } from '../../../src/workflow/files/templates.ts';
import { SPEC_DEFAULTS } from '../../../src/workflow/orchestrate/agents/agent-spec.ts';
import { readDoneReport } from '../../../src/workflow/orchestrate/agents/done-report.ts';
import { findAgents } from '../../../src/workflow/orchestrate/agents/find-agents.ts';
import { readOrchestratorConfig } from '../../../src/workflow/orchestrate/agents/orchestrator-config.ts';
import { implementationPrompt, reviewPrompt } from '../../../src/workflow/orchestrate/agents/prompt.ts';
import { runAgent, type AgentRun } from '../../../src/workflow/orchestrate/agents/run-agent.ts';
import type { Role } from '../../../src/workflow/orchestrate/agents/agent-spec.ts';
import { readVerdict } from '../../../src/workflow/orchestrate/agents/verdict.ts';
import { createAgentWorld, type AgentWorld } from './support/fake-agents.ts';

const example = fileURLToPath(new URL('../../../../../examples/custom-agent/', import.meta.url));
const readme = readFileSync(join(example, 'README.md'), 'utf8');

/** A project with the example as its README says. */
function exampleProject(): AgentWorld {
  const world = createAgentWorld();
  const config = /```yaml\n([\s\S]*?)```/.exec(readme)?.[1] ?? '';
  for (const folder of ['tools', '.kittify']) mkdirSync(join(world.root, folder));
  copyFileSync(join(example, 'agent.mjs'), join(world.root, 'tools/example-agent.mjs'));
  writeFileSync(join(world.root, '.kittify/config.yaml'), config);
  return world;
}

const wp = {
  wpId: 'WP01',
  feature: '001-demo',
  wpText: wpFileText(
    {
      id: 'WP01',
      title: 'First note',
      dependencies: [],
      subtasks: ['T001', 'T002'].map((id) => ({ id, text: 'Write it', checked: false })),
    },
    '2026-02-07T18:04:05Z',
  ),
};

async function runExample(world: AgentWorld, role: Role, prompt: string): Promise<AgentRun> {
  const { agents } = readOrchestratorConfig(world.root);
  const [found] = await findAgents(world.deps, agents, { root: world.root, env: world.deps.env, isConsented: true });
  if (found?.state !== 'ready') throw new Error('the example was not found');
  return await runAgent(world.deps, {
    ...world.task('node', { role, prompt }),
    spec: found.agent.spec,
    path: found.path,
  });
}

test('the example agent of the README implements a package, commits it and reports its subtasks', async () => {
  const world = exampleProject();
  const prompt = implementationPrompt({ ...wp, workspace: world.workspace, branch: 'main' });

  const run = await runExample(world, 'implementation', prompt);

  expect(run).toMatchObject({ agentId: 'example', failure: null });
  expect(readDoneReport(run.output.finalText)).toEqual(['T001', 'T002']);
  expect(world.git('log', '-1', '--format=%s', '--name-only').trim()).toBe('feat: WP01 – First note\n\nnotes/WP01.md');
  expect(world.git('status', '--porcelain')).toBe('');
});

test('the example agent approves what it finds committed, and rejects what is not there', async () => {
  const world = exampleProject();
  const prompt = reviewPrompt({ ...wp, workspace: world.workspace, base: 'main', branch: 'x', nonce: 'k3x9q' });

  const early = await runExample(world, 'review', prompt);
  await runExample(
    world,
    'implementation',
    implementationPrompt({ ...wp, workspace: world.workspace, branch: 'main' }),
  );
  const later = await runExample(world, 'review', prompt);

  expect(readVerdict(early.output.finalText, 'k3x9q')).toEqual({
    kind: 'rejected',
    reason: 'notes/WP01.md is not committed',
  });
  expect(readVerdict(later.output.finalText, 'k3x9q')).toEqual({ kind: 'approved' });
});

test('the README of the example names every setting, and the defaults it tells are the ones used', () => {
  const keys = [
    'bin',
    'args',
    'unattended_args',
    'prompt_via',
    'output',
    'version_args',
    'exit_codes',
    'failure_words',
  ];
  for (const key of [
    ...keys,
    'fails_on_reported_error',
    'roles',
    'enabled',
    'priority',
    'max_concurrent',
    'timeout_seconds',
  ])
    expect(readme).toContain(`\`${key}\``);
  expect(SPEC_DEFAULTS).toMatchObject({
    promptVia: 'stdin',
    output: 'text',
    priority: 50,
    failsOnReportedError: false,
  });
});
