import { spawn } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, onTestFinished, test, vi } from 'vitest';

import {
  endOrphan,
  processStart,
  signalGroup,
  type StartedProcess,
} from '../../../src/workflow/orchestrate/agents/process-group.ts';
import { createAgentWorld, endWithTest, isAlive, type AgentWorld } from './support/fake-agents.ts';

const DEAF = `process.on('SIGTERM', () => {}); setInterval(() => {}, 1000);`;

/** A program that a killed orchestrator left behind: in a group of its own, with the mark of its run. */
async function leftBehind(world: AgentWorld, lines: string, runId = 'run1'): Promise<StartedProcess> {
  const path = world.install('left', `${lines}\nfs.writeFileSync('ready', 'yes');`);
  const { pid = 0 } = spawn(path, [], {
    cwd: world.workspace,
    env: { ...world.deps.env, SPEC_KITTY_RUN: runId },
    stdio: 'ignore',
    detached: true,
  });
  onTestFinished(() => {
    signalGroup(pid, 'SIGKILL');
  });
  const started = { pid, startedAt: processStart(pid), runId };
  await vi.waitFor(() => {
    expect(world.read('workspace/ready')).toBe('yes');
  }, 20_000);
  return started;
}

const childOf = (world: AgentWorld): number => {
  const pid = Number(world.read('workspace/child'));
  endWithTest(pid);
  return pid;
};

test('a program left behind is ended with its group, also when it is deaf to the request', async () => {
  const world = createAgentWorld();
  const orphan = await leftBehind(world, `${DEAF} fs.writeFileSync('child', String(child(${JSON.stringify(DEAF)})));`);
  const child = childOf(world);

  const end = await endOrphan(world.deps, orphan);

  expect(end).toBe('ended');
  expect([isAlive(orphan.pid), isAlive(child)]).toEqual([false, false]);
});

test('a process that has the number by now, but started at another time, is left alone', async () => {
  const world = createAgentWorld();
  const stranger = await leftBehind(world, 'hang();');

  const end = await endOrphan(world.deps, { ...stranger, startedAt: `${stranger.startedAt}0` });

  expect(end).toBe('gone');
  expect(isAlive(stranger.pid)).toBe(true);
});

test('what a dead program has left in its group is ended by the mark of the run, and only by that', async () => {
  const world = createAgentWorld();
  const code = 'setInterval(() => {}, 1000)';
  const orphan = await leftBehind(
    world,
    `fs.writeFileSync('child', String(child(${JSON.stringify(code)}))); setImmediate(() => process.exit(0));`,
  );
  const child = childOf(world);
  await vi.waitFor(() => {
    expect(isAlive(orphan.pid)).toBe(false);
  }, 20_000);

  const asAnother = await endOrphan(world.deps, { ...orphan, runId: 'run2' });
  const wasAlive = isAlive(child);
  const asItself = await endOrphan(world.deps, orphan);

  expect([asAnother, wasAlive]).toEqual(['gone', true]);
  expect([asItself, isAlive(child)]).toEqual(['ended', false]);
});

test('nothing is ended by a number that means everybody, or without a start time to compare', async () => {
  const world = createAgentWorld();
  const orphan = await leftBehind(world, 'hang();');

  for (const pid of [-1, 0, 1, 1.5, Number.NaN]) {
    expect(await endOrphan(world.deps, { ...orphan, pid })).toBe('unknown');
    expect(signalGroup(pid, 'SIGKILL')).toBe(false);
  }
  expect(await endOrphan(world.deps, { ...orphan, startedAt: '' })).toBe('unknown');
  expect(isAlive(orphan.pid)).toBe(true);
});

test('an agent of an orchestrator that was killed is found again by what was recorded at its start, and ended', async () => {
  const world = createAgentWorld();
  world.install('mine', 'hang()');
  const source = new URL('../../../src/workflow/orchestrate/agents/run-agent.ts', import.meta.url).href;
  const record = join(world.root, 'record.json');
  const { signal: _signal, onStart: _onStart, ...task } = world.task('mine');
  writeFileSync(
    join(world.root, 'orchestrator.mjs'),
    `import { writeFileSync } from 'node:fs';
     import { runAgent } from ${JSON.stringify(source)};
     const deps = { env: process.env, time: { now: Date.now, after: () => () => {} }, pause: async () => {} };
     const onStart = (started) => writeFileSync(${JSON.stringify(record)}, JSON.stringify(started));
     await runAgent(deps, { ...${JSON.stringify(task)}, onStart });`,
  );
  const orchestrator = spawn(process.execPath, [join(world.root, 'orchestrator.mjs')], {
    env: { ...world.deps.env },
    stdio: 'ignore',
  });
  onTestFinished(() => {
    orchestrator.kill('SIGKILL');
  });
  const recorded = await vi.waitFor(() => JSON.parse(world.read('record.json')) as StartedProcess, 20_000);
  endWithTest(recorded.pid);
  orchestrator.kill('SIGKILL');
  await new Promise((resolve) => orchestrator.once('exit', resolve));
  const livedOn = isAlive(recorded.pid);

  const end = await endOrphan(world.deps, recorded);

  expect(livedOn).toBe(true);
  expect(end).toBe('ended');
  expect(isAlive(recorded.pid)).toBe(false);
  expect(await endOrphan(world.deps, recorded)).toBe('gone');
  expect(existsSync(record)).toBe(true);
});
