import { createHash } from 'node:crypto';
import { existsSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test, vi } from 'vitest';

import { openAgentLog } from '../../../src/workflow/orchestrate/agents/agent-log.ts';
import { KNOWN_AGENT_SPECS } from '../../../src/workflow/orchestrate/agents/known-agents.ts';
import { reviewPrompt } from '../../../src/workflow/orchestrate/agents/prompt.ts';
import { runAgent, type AgentTask } from '../../../src/workflow/orchestrate/agents/run-agent.ts';
import { readVerdict } from '../../../src/workflow/orchestrate/agents/verdict.ts';
import { createAgentWorld, endWithTest, isAlive, type AgentWorld } from './support/fake-agents.ts';

/** Does the work of a package, and answers in the form of `claude`, `codex` or in text. */
const WORKER = (answer: string): string => `
const text = prompt();
fs.writeFileSync('feature.txt', text);
git('add', '.');
git('commit', '-q', '-m', 'Work');
const words = 'Did ' + text + '\\nDONE T001';
${answer}`;

const rowOf = (id: string) => KNOWN_AGENT_SPECS.find((spec) => spec.id === id);

const logs = (world: AgentWorld): readonly string[] => readdirSync(join(world.root, '.kittify/logs'));

/** Resolves once the only log holds `text`. */
async function logSays(world: AgentWorld, text: string): Promise<void> {
  await vi.waitFor(() => {
    expect(world.read(`.kittify/logs/${logs(world)[0]}`)).toContain(text);
  }, 20_000);
}

test.each([
  ['claude', 'console.log(JSON.stringify({ type: "result", result: words }))'],
  ['codex', 'say(JSON.stringify({ type: "item.completed", item: { type: "agent_message", text: words } }))'],
  ['opencode', 'say(JSON.stringify({ type: "text", part: { id: "p", text: words } }))'],
  ['gemini', 'say(JSON.stringify({ response: words }))'],
  ['mine', 'say(words)'],
])('%s reads its prompt, commits in the workspace, and its last words are read', async (id, answer) => {
  const world = createAgentWorld();
  world.install(id, WORKER(answer));

  const run = await runAgent(world.deps, world.task(id, { prompt: 'Build it' }, rowOf(id) ?? {}));

  expect(run).toMatchObject({
    agentId: id,
    exitCode: 0,
    failure: null,
    failureText: '',
    timedOut: false,
    aborted: false,
  });
  expect(run.output.finalText.trim()).toBe('Did Build it\nDONE T001');
  expect(world.git('log', '-1', '--format=%s', '--name-only').trim()).toBe('Work\n\nfeature.txt');
  expect(world.time.pending).toBe(0);
});

test('an agent gets who and what it works on, and neither our token nor the repository of a git hook', async () => {
  const world = createAgentWorld({ SPEC_KITTY_TOKEN: 'secret', GIT_DIR: '/elsewhere', EDITOR: 'vi' });
  world.install('mine', 'say(JSON.stringify({ env: process.env, cwd: process.cwd() }))');

  const run = await runAgent(world.deps, world.task('mine'));

  // The fake prints exactly this.
  const { env, cwd } = JSON.parse(run.output.finalText) as { env: Record<string, string>; cwd: string };
  expect(env).toMatchObject({
    SPEC_KITTY_AGENT: 'mine',
    SPECIFY_FEATURE: '001-demo',
    SPEC_KITTY_RUN: 'run1',
    EDITOR: 'vi',
  });
  expect(Object.keys(env)).not.toContain('SPEC_KITTY_TOKEN');
  expect(Object.keys(env)).not.toContain('GIT_DIR');
  expect(cwd).toBe(world.workspace);
});

test('flags that lift permissions are given only with consent, after the arguments of the role', async () => {
  const world = createAgentWorld();
  world.install('mine', 'say(process.argv.slice(2).join("|"))');
  const spec = { args: { implementation: ['work', '{root}/x'], review: ['look'] }, unattendedArgs: ['--go'] };

  const careful = await runAgent(world.deps, world.task('mine', {}, spec));
  const free = await runAgent(world.deps, world.task('mine', { isUnattended: true, role: 'review' }, spec));

  expect(careful.output.finalText.trim()).toBe(`work|${world.root}/x`);
  expect(free.output.finalText.trim()).toBe('look|--go');
});

test('a prompt that is an argument goes where the row says, or last, with nothing expanded', async () => {
  const world = createAgentWorld();
  world.install('mine', 'say(JSON.stringify([process.argv.slice(2), prompt()]))');
  const answerTo = async (args: readonly string[]): Promise<unknown> => {
    const spec = { promptVia: 'argument', args: { implementation: args, review: args } } as const;
    const task = world.task('mine', { prompt: '$& $(touch x) `y` "z"\0' }, spec);
    return JSON.parse((await runAgent(world.deps, task)).output.finalText);
  };

  expect(await answerTo(['-p', '{prompt}', '--silent'])).toEqual([['-p', '$& $(touch x) `y` "z"', '--silent'], '']);
  expect(await answerTo(['-a'])).toEqual([['-a', '$& $(touch x) `y` "z"'], '']);
});

test.each([
  ['an argument that would be too long', 'argument', ['{prompt}'], 'x'.repeat(150_000)],
  ['a row that says so', 'file', ['--file={prompt_file}'], 'short'],
] as const)(
  'a prompt goes into a file of its own for %s, and the file goes afterwards',
  async (_case, promptVia, args, prompt) => {
    const world = createAgentWorld();
    world.install(
      'mine',
      `const path = process.argv[2].match(/[^ =]*prompt\\.md/)[0];
     const { createHash } = require('node:crypto');
     say(path);
     say(createHash('sha256').update(fs.readFileSync(path)).digest('hex'));
     say((fs.statSync(path).mode & 0o777).toString(8));`,
    );

    const run = await runAgent(
      world.deps,
      world.task('mine', { prompt }, { promptVia, args: { implementation: args, review: args } }),
    );

    const [path, hash, mode] = run.output.finalText.split('\n');
    expect(hash).toBe(createHash('sha256').update(prompt).digest('hex'));
    expect(mode).toBe('600');
    expect(existsSync(path ?? '')).toBe(false);
  },
);

test('a program that does not read its prompt, however long, is no failure', async () => {
  const world = createAgentWorld();
  world.install('mine', 'say("Ready")');

  const run = await runAgent(world.deps, world.task('mine', { prompt: 'x'.repeat(1_000_000) }));

  expect(run).toMatchObject({ failure: null, output: { finalText: 'Ready\n' } });
});

test('the log can be read while the agent works: who, then what it writes, by stream', async () => {
  const world = createAgentWorld();
  const stop = new AbortController();
  world.install(
    'mine',
    `say('first line');
     const wait = setInterval(() => { if (fs.existsSync('go')) { process.stderr.write('a warning'); fs.rmSync('go'); } }, 5);`,
  );
  const running = runAgent(world.deps, world.task('mine', { signal: stop.signal, role: 'review' }));

  await logSays(world, 'first line');
  writeFileSync(join(world.workspace, 'go'), '');
  await logSays(world, 'a warning');

  const [name] = logs(world);
  expect(name).toBe('WP01-review-20260207-180405.log');
  expect(world.read(`.kittify/logs/${name}`)).toBe(
    `agent: mine
role: review
package: WP01
feature: 001-demo
started: 2026-02-07T18:04:05.120Z
unattended: no
--- stdout ---
first line
--- stderr ---
a warning`,
  );
  stop.abort();
  const run = await running;
  expect(run.logFile).toBe(`.kittify/logs/${name}`);
  expect(world.read(run.logFile)).toMatch(/a warning\n--- end ---\nexit: SIGTERM\nresult: killed\nduration: 0 s\n$/);
});

test('logs are for their person only, and two runs within a second get one each', async () => {
  const world = createAgentWorld();
  world.install('mine', 'say("Ready")');

  await runAgent(world.deps, world.task('mine'));
  await runAgent(world.deps, world.task('mine'));

  expect(logs(world).toSorted()).toEqual([
    'WP01-implementation-20260207-180405-2.log',
    'WP01-implementation-20260207-180405.log',
  ]);
  for (const name of logs(world)) expect(statSync(join(world.root, '.kittify/logs', name)).mode & 0o777).toBe(0o600);
});

test('a log that is flooded ends, and says so', () => {
  const world = createAgentWorld();
  const log = openAgentLog({ root: world.root, wpId: 'WP01', role: 'review', head: {}, startedAtMs: 0, maxBytes: 10 });

  for (let count = 0; count < 5; count += 1) log.add('stdout', Buffer.from('flood\n'));
  log.close({ exit: '0' });

  expect(world.read(log.path)).toBe(
    '--- stdout ---\nflood\nfloo\n--- the log ends here: it has reached 10 bytes ---\n--- end ---\nexit: 0\n',
  );
});

test('a flood on both streams is read to its end in bounded memory, and its last words count', async () => {
  const world = createAgentWorld();
  world.install(
    'mine',
    `const line = 'x'.repeat(99) + '\\n';
     for (let count = 0; count < 100; count += 1) { fs.writeSync(1, line.repeat(1000)); fs.writeSync(2, line.repeat(1000)); }
     say('VERDICT k3x9q: APPROVED');`,
  );

  const run = await runAgent(world.deps, world.task('mine', { keepBytes: 100_000 }));

  expect(run.failure).toBeNull();
  expect(readVerdict(run.output.finalText, 'k3x9q')).toEqual({ kind: 'approved' });
  expect(run.output.finalText.length).toBeLessThanOrEqual(200_000);
});

test('output that is no text is read all the same', async () => {
  const world = createAgentWorld();
  world.install('mine', 'fs.writeSync(1, Buffer.from([0xff, 0xfe, 0x00, 0x0a])); say("Ready");');

  const run = await runAgent(world.deps, world.task('mine', {}, { output: 'json' }));

  expect(run.output.finalText).toBe('\uFFFD\uFFFD\0\nReady\n');
});

test('a reviewer that repeats its prompt has given no verdict', async () => {
  const world = createAgentWorld();
  world.install('mine', 'say(prompt())');
  const prompt = reviewPrompt({
    wpId: 'WP01',
    wpText: '# CSV',
    feature: '001-demo',
    workspace: world.workspace,
    base: 'main',
    branch: 'x',
    nonce: 'k3x9q',
  });

  const run = await runAgent(world.deps, world.task('mine', { role: 'review', prompt }));

  expect(run.failure).toBeNull();
  expect(run.output.finalText).toContain('k3x9q');
  expect(readVerdict(run.output.finalText, 'k3x9q').kind).toBe('none');
});

test('a failing agent is an answer: exit code, class, its own words', async () => {
  const world = createAgentWorld();
  world.install('mine', 'say("half"); process.stderr.write("HTTP 429 from the model\\n"); process.exit(3);');

  const run = await runAgent(world.deps, world.task('mine'));

  expect(run).toMatchObject({ exitCode: 3, signal: null, failure: 'rate', failureText: 'HTTP 429 from the model' });
  expect(run.output.finalText).toBe('half\n');
});

test('exit code 0 is no success for an agent that reports that it failed', async () => {
  const world = createAgentWorld();
  world.install('codex', 'say(JSON.stringify({ type: "turn.failed", error: { message: "unauthorized" } }))');

  const run = await runAgent(world.deps, world.task('codex', {}, rowOf('codex')));

  expect(run).toMatchObject({ exitCode: 0, failure: 'auth', failureText: 'unauthorized' });
});

test('a program that cannot be started is an answer', async () => {
  const world = createAgentWorld();

  const run = await runAgent(world.deps, world.task('nobody'));

  expect(run).toMatchObject({ failure: 'missing', failureText: 'nobody could not be started (ENOENT).', pid: null });
  expect(world.read(run.logFile)).toContain('could not be started (ENOENT)');
  expect(world.time.pending).toBe(0);
});

test('a workspace that is gone is refused, not taken for a missing program', async () => {
  const world = createAgentWorld();
  world.install('mine', 'say("Ready")');
  rmSync(world.workspace, { recursive: true });

  await expect(runAgent(world.deps, world.task('mine'))).rejects.toMatchObject({
    code: 'workspace-missing',
    wpId: 'WP01',
  });
});

/** Starts one that has a grandchild deaf to SIGTERM and says both numbers. */
const WITH_GRANDCHILD = (then: string): string => `
const deaf = 'process.on("SIGTERM", () => {}); setInterval(() => {}, 1000); require("node:fs").writeFileSync("deaf", "yes")';
const pid = child(deaf);
${then}
const wait = setInterval(() => { if (fs.existsSync('deaf')) { clearInterval(wait); say('grandchild ' + pid); ready(); } }, 5);`;

async function grandchildOf(world: AgentWorld): Promise<number> {
  await logSays(world, 'grandchild ');
  const pid = Number(/grandchild (\d+)/.exec(world.read(`.kittify/logs/${logs(world)[0]}`))?.[1]);
  endWithTest(pid);
  return pid;
}

test('at the time limit the whole group is asked to end, five seconds later ordered to, and what was written is kept', async () => {
  const world = createAgentWorld();
  world.install(
    'mine',
    WITH_GRANDCHILD('process.on("SIGTERM", () => say("asked to end")); hang(); function ready() {}'),
  );
  const started: number[] = [];
  const running = runAgent(
    world.deps,
    world.task('mine', { timeoutMs: 60_000, onStart: ({ pid }) => started.push(pid) }),
  );
  const grandchild = await grandchildOf(world);

  await world.time.advance(60_000);
  await logSays(world, 'asked to end');
  const livedOn = [isAlive(started[0] ?? 0), isAlive(grandchild)];
  await world.time.advance(5_000);
  const run = await running;

  expect(livedOn).toEqual([true, true]);
  expect(run).toMatchObject({
    timedOut: true,
    aborted: false,
    failure: 'timeout',
    signal: 'SIGKILL',
    durationMs: 65_000,
  });
  expect(run.failureText).toBe('mine did not finish within 60 s and was ended.');
  expect(run.output.finalText).toContain('asked to end');
  expect([isAlive(started[0] ?? 0), isAlive(grandchild)]).toEqual([false, false]);
  expect(world.time.pending).toBe(0);
});

test('an abort ends agent and grandchildren, also those deaf to the request', async () => {
  const world = createAgentWorld();
  const stop = new AbortController();
  world.install('mine', WITH_GRANDCHILD('hang(); function ready() {}'));
  const running = runAgent(world.deps, world.task('mine', { signal: stop.signal }));
  const grandchild = await grandchildOf(world);

  stop.abort();
  const run = await running;

  expect(run).toMatchObject({ aborted: true, timedOut: false, failure: 'killed', failureText: 'mine was stopped.' });
  expect([isAlive(run.pid ?? 0), isAlive(grandchild)]).toEqual([false, false]);
});

test('an agent that ends by itself leaves nobody behind either', async () => {
  const world = createAgentWorld();
  world.install('mine', WITH_GRANDCHILD('function ready() { process.exit(0); }'));
  const running = runAgent(world.deps, world.task('mine'));
  const grandchild = await grandchildOf(world);

  const run = await running;

  expect(run.failure).toBeNull();
  expect(isAlive(grandchild)).toBe(false);
});

test('a stranger outside the group that holds the output open does not keep the run from ending', async () => {
  const world = createAgentWorld();
  world.install(
    'mine',
    'say("grandchild " + child("setInterval(() => {}, 1000)", { detached: true, stdio: "inherit" })); process.exit(0);',
  );
  const running = runAgent(world.deps, world.task('mine'));
  const stranger = await grandchildOf(world);

  await vi.waitFor(async () => {
    await world.time.advance(1_000);
    expect(await Promise.race([running, Promise.resolve('still running')])).not.toBe('still running');
  }, 20_000);

  expect((await running).output.finalText).toBe(`grandchild ${stranger}\n`);
});

test('a run that was stopped before it began starts nothing', async () => {
  const world = createAgentWorld();
  world.install('mine', 'fs.writeFileSync("begun", "")');

  const run = await runAgent(world.deps, world.task('mine', { signal: AbortSignal.abort() }));

  expect(run).toMatchObject({ aborted: true, failure: 'killed', pid: null });
  expect(existsSync(join(world.workspace, 'begun'))).toBe(false);
});

test('an agent whose start cannot be recorded is ended', async () => {
  const world = createAgentWorld();
  world.install('mine', 'hang()');
  const pids: number[] = [];
  const onStart: AgentTask['onStart'] = ({ pid }) => {
    pids.push(pid);
    throw new Error('the disk is full');
  };

  await expect(runAgent(world.deps, world.task('mine', { onStart }))).rejects.toThrow('the disk is full');

  expect(pids.map(isAlive)).toEqual([false]);
});
