/**
 * The main job, end to end, on the real command line: a team server, a scratch repository, a scratch home, and
 * then only `spec-kitty`: online, offline, and back. Exit code 0 only if the server holds exactly the events that
 * were emitted, in clock order, and the queue is empty. Nothing outside the scratch folder is touched.
 */
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';

import { createContractServer } from '@spec-kitty/events-sdk/testing';

import { indent, run, typed, type Ended, type World } from './command-line.ts';
import { addUser, startServer, type RunningServer } from './server.ts';
import { EXPECTED, findFaults } from './verdict.ts';

const FEATURE = '001-invoice-export';
const ADA = { name: 'ada@example.com', team: 'acme', password: 'correct horse battery staple' };

/** How long the background delivery may take before the demo calls it lost: a server that is back is noticed within 30 s. */
const PATIENCE_MS = 40_000;

const bins = {
  cli: fileURLToPath(new URL('bin/run.js', import.meta.resolve('@spec-kitty/cli/package.json'))),
  server: fileURLToPath(
    new URL('bin/team-server.js', import.meta.resolve('@spec-kitty/example-team-server/package.json')),
  ),
};

const scratch = mkdtempSync(join(tmpdir(), 'spec-kitty-demo-'));
const paths = {
  repository: join(scratch, 'invoices'),
  home: join(scratch, 'home'),
  data: join(scratch, 'team-server.db'),
};
const world: World = { cwd: paths.repository, env: cleanEnvironment() };

/** The person's environment without anything that would reach their own home, server or feature. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !/^(?:SPEC_KITTY_|SPECIFY_|GIT_)/.test(name));
  const driver = process.env['SPEC_KITTY_QUEUE_DRIVER'];
  return {
    ...Object.fromEntries(kept),
    SPEC_KITTY_HOME: paths.home,
    // Also where CI is set, which by default delivers only on request.
    SPEC_KITTY_DELIVERY: 'courier',
    ...(driver === undefined ? {} : { SPEC_KITTY_QUEUE_DRIVER: driver }),
  };
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function chapter(text: string): void {
  say(`\n── ${text} ${'─'.repeat(Math.max(0, 76 - text.length))}\n`);
}

/** Types one `spec-kitty` line and shows what a person would see. Ends the demo if the command fails. */
async function specKitty(args: readonly string[], input?: string): Promise<Ended> {
  say(`  $ spec-kitty ${typed(args)}`);
  const ended = await run(world, process.execPath, [bins.cli, ...args], input);
  process.stdout.write(indent(ended.stdout) + indent(ended.stderr));
  if (ended.code !== 0) throw new Error(`spec-kitty ${typed(args)} ended with exit code ${ended.code}`);
  return ended;
}

/** Asks `spec-kitty` something without showing it. */
async function ask(args: readonly string[]): Promise<Record<string, unknown>> {
  const { stdout } = await run(world, process.execPath, [bins.cli, ...args, '--json']);
  return JSON.parse(stdout) as Record<string, unknown>;
}

/** Looks again every tenth of a second until `look` finds something. */
async function waitFor<T>(what: string, look: () => T | undefined | Promise<T | undefined>): Promise<T> {
  const giveUpAt = Date.now() + PATIENCE_MS;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (Date.now() > giveUpAt) throw new Error(`Waited ${PATIENCE_MS / 1000} s for ${what}.`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** What the server holds, read from its data file as the board reads it. */
async function readServer<T>(read: (server: Awaited<ReturnType<typeof createContractServer>>) => T): Promise<T> {
  const server = await createContractServer({ data: paths.data });
  try {
    return read(server);
  } finally {
    await server.close();
  }
}

function queuedEvents(): readonly string[] {
  const db = new DatabaseSync(join(paths.home, 'queue.db'), { readOnly: true, timeout: 5000 });
  try {
    return db
      .prepare('SELECT event_type FROM queue ORDER BY id')
      .all()
      .map((row) => String(row['event_type']));
  } finally {
    db.close();
  }
}

/** True once `sync status` says that of the link. */
async function linkIs(state: string): Promise<true | undefined> {
  const { connection } = (await ask(['sync', 'status'])) as { readonly connection: { readonly state: string } };
  return connection.state === state ? true : undefined;
}

/** Waits until the courier has brought that many events. */
function boardHolds(count: number): Promise<true> {
  const look = () => readServer((server) => (server.events({}).length >= count ? (true as const) : undefined));
  return waitFor(`${count} events to arrive`, look);
}

/** The team's board in one line, as the server projects it. */
async function showBoard(): Promise<void> {
  const board = await readServer((server) => server.board(ADA.team));
  const cards = board.features.flatMap((feature) => feature.cards);
  const columns = ['planned', 'doing', 'for_review', 'done'] as const;
  const line = columns.map(
    (lane) =>
      `${lane}: ${
        cards
          .filter((card) => card.lane === lane)
          .map((card) => card.wpId)
          .join(' ') || '–'
      }`,
  );
  say(`    board │ ${line.join(' │ ')}`);
}

async function makeRepository(): Promise<void> {
  mkdirSync(paths.repository);
  writeFileSync(join(paths.repository, 'README.md'), '# Invoices\n');
  for (const args of [
    ['init', '--quiet', '--initial-branch=main'],
    ['config', 'user.name', 'Ada'],
    ['config', 'user.email', ADA.name],
    ['add', '.'],
    ['commit', '--quiet', '--message', 'Start'],
  ])
    await git(args);
}

/** Does a package's work in its workspace, as an agent would, and gives it to review from there. */
async function handOver(wp: string, subtask: string): Promise<void> {
  const workspace = join(paths.repository, '.worktrees', `${FEATURE}-${wp}`);
  // What the example agent looks for when it reviews.
  const file = `notes/${wp}.md`;
  mkdirSync(join(workspace, 'notes'), { recursive: true });
  writeFileSync(join(workspace, file), `# ${wp}\n`);
  await git(['-C', workspace, 'add', '.']);
  await git(['-C', workspace, 'commit', '--quiet', '--message', `Write ${file}`]);
  say(`  (${file} was written and committed in .worktrees/${FEATURE}-${wp})\n`);
  await specKitty(['agent', 'tasks', 'mark-status', subtask, '--status', 'done']);
  await specKitty(['agent', 'tasks', 'move-task', wp, '--to', 'for_review']);
}

/** Configures the example agent, which needs no subscription: a program of this repository, run with consent only. */
async function installAgent(): Promise<void> {
  const tools = join(paths.repository, 'tools');
  mkdirSync(tools);
  copyFileSync(fileURLToPath(new URL('../../custom-agent/agent.mjs', import.meta.url)), join(tools, 'agent.mjs'));
  const config = join(paths.repository, '.kittify/config.yaml');
  const agent = `  custom:\n    example:\n      bin: '${process.execPath}'\n      args: ['{root}/tools/agent.mjs']\n`;
  writeFileSync(
    config,
    readFileSync(config, 'utf8').replace(/^ {2}available: .*\n/m, (line) => line + agent),
  );
  await git(['add', '.']);
  await git(['commit', '--quiet', '--message', 'Add an agent']);
}

async function git(args: readonly string[]): Promise<void> {
  const { code, stderr } = await run(world, 'git', args);
  if (code !== 0) throw new Error(`git ${typed(args)}: ${stderr}`);
}

async function tell(): Promise<RunningServer> {
  say('Spec Kitty: work goes on, online or offline, and the team sees all of it.');
  say(`Everything happens in ${scratch.replace(tmpdir(), '$TMPDIR')} and is removed at the end.`);

  chapter('A team server, a repository, a sign-in');
  await makeRepository();
  await addUser(world, bins.server, paths.data, ADA);
  let server = await startServer(world, bins.server, paths.data, 0);
  try {
    say(`  The team server runs at ${server.url}\n`);
    await specKitty(['init', '--yes']);
    await specKitty(
      ['auth', 'login', '--server', server.url, '--username', ADA.name, '--password-stdin'],
      `${ADA.password}\n`,
    );

    chapter('A feature with three work packages');
    await specKitty(['agent', 'feature', 'create-feature', 'invoice-export']);
    await specKitty([
      'agent',
      'tasks',
      'scaffold',
      '--wp',
      'CSV writer',
      '--wp',
      'Scheduling:WP01',
      '--wp',
      'Mail delivery:WP01,WP02',
    ]);
    await specKitty(['agent', 'feature', 'finalize-tasks']);

    chapter('Online: a package moves, the board follows');
    await boardHolds(4);
    await showBoard();
    await specKitty(['implement', 'WP01', '--agent', 'claude']);
    await boardHolds(5);
    await showBoard();

    chapter('Offline: the server is gone, the work is not');
    await server.stop();
    say('  (the team server was stopped)\n');
    const offline = await specKitty(['implement', 'WP02', '--agent', 'codex']);
    if (offline.stderr.includes('[Connected]')) throw new Error('The command claims a connection there is not.');
    say(`    queue.db │ ${queuedEvents().join(', ')}\n`);
    await waitFor('the courier to notice', () => linkIs('offline'));
    await specKitty(['sync', 'status']);
    if (queuedEvents().join() !== 'WPStatusChanged') throw new Error('The event is not in queue.db.');

    chapter('Back online: nothing was lost');
    server = await startServer(world, bins.server, paths.data, server.port);
    say(`  (the team server is back at ${server.url}; nobody types anything)\n`);
    await boardHolds(6);
    await showBoard();
    // The answer to its delivery may still be on the way.
    await waitFor('the queue to be empty', () => (queuedEvents().length === 0 ? true : undefined));
    await waitFor('the link to be open again', () => linkIs('connected'));
    await specKitty(['sync', 'status']);

    chapter('Work is handed over: subtasks, workspace and lane are looked at');
    await handOver('WP01', 'T001');
    // It was begun before WP01 was committed, and builds on it.
    await git(['-C', join(paths.repository, '.worktrees', `${FEATURE}-WP02`), 'rebase', '--quiet', `${FEATURE}-WP01`]);
    await handOver('WP02', 'T002');
    await boardHolds(10);
    await showBoard();

    chapter('An agent reviews, implements the rest, and is reviewed');
    await installAgent();
    await specKitty(['orchestrate', '--feature', FEATURE, '--allow-custom-agents']);

    chapter('Merged and accepted');
    await specKitty(['merge', '--feature', FEATURE]);
    await specKitty(['accept', '--feature', FEATURE]);
    await specKitty(['agent', 'tasks', 'status', '--feature', FEATURE]);
    await boardHolds(EXPECTED.length);
    await showBoard();
    await waitFor('the queue to be empty', () => (queuedEvents().length === 0 ? true : undefined));
    return server;
  } catch (cause) {
    await server.stop();
    throw cause;
  }
}

async function verify(): Promise<readonly string[]> {
  const held = await readServer((server) => server.events({}).map(({ envelope }) => envelope));
  // clock.json is written by our own client.
  const clock = JSON.parse(readFileSync(join(paths.home, 'clock.json'), 'utf8')) as { value: number };
  return findFaults(held, clock.value, queuedEvents().length);
}

async function offerBoard(server: RunningServer): Promise<void> {
  if (!process.stdin.isTTY || !process.stdout.isTTY) return;
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  say(`\nThe board is open at ${server.url}/ (sign in as ${ADA.name}, password "${ADA.password}").`);
  await terminal.question('Press Enter to end the demo. ');
  terminal.close();
}

let server: RunningServer | undefined;
try {
  server = await tell();
  const faults = await verify();
  if (faults.length === 0)
    say(
      `\nThe server holds exactly the ${EXPECTED.length} events that were emitted, in clock order; the queue is empty.`,
    );
  else say(`\nThat went wrong:\n${faults.map((fault) => `  - ${fault}`).join('\n')}`);
  process.exitCode = faults.length === 0 ? 0 : 1;
  await offerBoard(server);
} catch (cause) {
  say(`\nThe demo stopped: ${cause instanceof Error ? cause.message : String(cause)}`);
  process.exitCode = 1;
} finally {
  await server?.stop();
  rmSync(scratch, { recursive: true, force: true, maxRetries: 5 });
}
