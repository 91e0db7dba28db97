import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test, vi } from 'vitest';

import { SPEC_DEFAULTS, type AgentSpec } from '../../../src/workflow/orchestrate/agents/agent-spec.ts';
import { findAgents, findProgram, type FoundAgent } from '../../../src/workflow/orchestrate/agents/find-agents.ts';
import { KNOWN_AGENT_SPECS } from '../../../src/workflow/orchestrate/agents/known-agents.ts';
import type { ResolvedAgent } from '../../../src/workflow/orchestrate/agents/orchestrator-config.ts';
import { createAgentWorld, isAlive, type AgentWorld } from './support/fake-agents.ts';

function agentOf(spec: Partial<AgentSpec>, needsConsent = false): ResolvedAgent {
  return {
    spec: { ...SPEC_DEFAULTS, id: 'mine', bin: 'mine', ...spec },
    roles: ['implementation', 'review'],
    priority: 1,
    maxConcurrent: 1,
    timeoutS: 1,
    needsConsent,
  };
}

const known = (id: string): ResolvedAgent => agentOf(KNOWN_AGENT_SPECS.find((spec) => spec.id === id) ?? {});

/** Looks with only the fakes on PATH: what this machine has installed must not matter. */
function find(world: AgentWorld, agents: readonly ResolvedAgent[], isConsented = true): Promise<readonly FoundAgent[]> {
  const env = { ...world.deps.env, PATH: join(world.root, 'bin') };
  return findAgents(world.deps, agents, { root: world.root, env, isConsented });
}

const stateOf = (found: FoundAgent): string =>
  found.state === 'ready' ? `ready ${found.version}` : `${found.state}: ${found.why}`;

test('finds which agents are on PATH, with their versions, and says how to get the others', async () => {
  const world = createAgentWorld();
  const path = world.install('claude', 'say("2.1.7 (Claude Code)")');
  world.install('codex', 'say("codex-cli 0.142.0")');

  const found = await find(world, [known('claude'), known('codex'), known('gemini')]);

  expect(found[0]).toMatchObject({ path });
  expect(found.map(stateOf)).toEqual([
    'ready 2.1.7',
    'ready 0.142.0',
    'missing: gemini was not found; to get it: npm install -g @google/gemini-cli',
  ]);
});

test('a program that only could hold an agent is one when it lists it', async () => {
  const world = createAgentWorld();
  world.install('gh', 'say(fs.existsSync("with-copilot") ? "gh copilot\\tgithub/gh-copilot\\tv1.0.5" : "")');

  const without = await find(world, [known('copilot')]);
  writeFileSync(join(world.root, 'with-copilot'), '');
  const withIt = await find(world, [known('copilot')]);

  expect(without.map(stateOf)).toEqual([
    'missing: gh extension list does not list copilot; to get it: gh extension install github/gh-copilot',
  ]);
  expect(withIt.map(stateOf)).toEqual(['ready 1.0.5']);
});

test('an installed agent that cannot even name its version is unusable', async () => {
  const world = createAgentWorld();
  world.install('claude', 'process.exit(1)');

  expect((await find(world, [known('claude')])).map(stateOf)).toEqual([
    'unusable: claude --version ended with exit code 1',
  ]);
});

test('a program that never answers is given up and ended', async () => {
  const world = createAgentWorld();
  world.install('claude', 'process.on("SIGTERM", () => {}); fs.writeFileSync("asked", String(process.pid)); hang();');
  const finding = find(world, [known('claude')]);
  await vi.waitFor(() => {
    expect(world.read('asked')).not.toBe('');
  }, 20_000);

  await world.time.advance(10_000);
  await world.time.advance(5_000);
  const found = await finding;

  expect(found.map(stateOf)).toEqual(['unusable: claude --version did not answer in time']);
  expect(isAlive(Number(world.read('asked')))).toBe(false);
});

test('programs are asked at the same time: two that wait for each other both answer', async () => {
  const world = createAgentWorld();
  const meet = (own: string, other: string): string => `
    fs.writeFileSync('here-${own}', '');
    const wait = setInterval(() => { if (fs.existsSync('here-${other}')) { clearInterval(wait); say('1.0'); } }, 5);`;
  world.install('claude', meet('claude', 'codex'));
  world.install('codex', meet('codex', 'claude'));

  expect((await find(world, [known('claude'), known('codex')])).map(stateOf)).toEqual(['ready 1.0', 'ready 1.0']);
});

test('what a repository describes is only looked for until the person has agreed', async () => {
  const world = createAgentWorld();
  world.install('mine', 'fs.writeFileSync("was-run", ""); say("1.0")');
  const agent = agentOf({ versionProbe: { args: ['--version'] } }, true);

  const before = await find(world, [agent], false);
  const wasRun = existsSync(join(world.root, 'was-run'));
  const after = await find(world, [agent], true);

  expect([before.map(stateOf), wasRun]).toEqual([['ready null'], false]);
  expect(after.map(stateOf)).toEqual(['ready 1.0']);
});

test('a path in the settings is one of the project, never of a workspace; a name is never looked up in the folder one stands in', () => {
  const world = createAgentWorld();
  for (const folder of [world.root, world.workspace]) {
    mkdirSync(join(folder, 'tools'));
    for (const name of ['tools/agent', 'agent']) {
      writeFileSync(join(folder, name), '');
      chmodSync(join(folder, name), 0o755);
    }
  }

  expect(findProgram('./tools/agent', world.root, undefined)).toBe(join(world.root, 'tools/agent'));
  expect(findProgram('{root}/tools/agent', world.root, undefined)).toBe(join(world.root, 'tools/agent'));
  expect(findProgram('agent', world.root, '.::workspace')).toBeUndefined();
});

test('a name is a file name, not a line for a shell; a folder or a file without the right to run is no program', () => {
  const world = createAgentWorld();
  mkdirSync(join(world.root, 'bin/folder'));
  writeFileSync(join(world.root, 'bin/plain'), '');

  for (const name of ['sh; touch x', '$(touch x)', 'folder', 'plain', ''])
    expect(findProgram(name, world.root, join(world.root, 'bin'))).toBeUndefined();
});
