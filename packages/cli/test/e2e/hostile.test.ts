/**
 * Somebody clones a repository that means harm, and works with it while the server they signed in to means harm too. Whatever
 * is planted (`hostile-repository.ts`): nothing planted is run, nothing outside the clone is read or changed, nobody else's
 * server is asked, the terminal is not steered, and every command ends in an answer of ours.
 * `SPEC_KITTY_STORM_SEED` replays a run, `SPEC_KITTY_STORM_HOSTILE` sets how many repositories there are.
 */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import type { Stats } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

import type { ContractServer } from '@spec-kitty/events-sdk/testing';
import { tellStorm } from '@spec-kitty/storm';
import { expect, onTestFinished, test } from 'vitest';

import { chanceFrom } from '../support/chance.ts';
import { buildWrongProgram, type Mistake } from '../support/wrong-program.ts';
import { hostileWords, KINDS, NESTED, pickerOf, plant, type Kind, type Targets } from './hostile-repository.ts';
import { findSecrets, gitObjects } from './secret-search.ts';
import { makeWorld, startServer, type Ended } from './world.ts';

const RUNS = Number(process.env['SPEC_KITTY_STORM_HOSTILE'] ?? 5);
const FIRST_SEED = Number(process.env['SPEC_KITTY_STORM_SEED'] ?? Date.now() % 100_000);
const COMMANDS_EACH = 10;
const SECRET = 'machine git.example login ada password hunter2-canary';

const COMMANDS: readonly (readonly string[])[] = [
  ['agent', 'tasks', 'list-tasks'],
  ['agent', 'tasks', 'status'],
  ['agent', 'tasks', 'list-dependents', 'WP01'],
  ['agent', 'tasks', 'move-task', 'WP01', '--to', 'doing', '--force'],
  ['agent', 'tasks', 'move-task', 'WP01', '--to', 'done', '--force'],
  ['agent', 'tasks', 'mark-status', 'T001', '--status', 'done'],
  ['agent', 'tasks', 'add-history', 'WP01', '--note', 'Looked at'],
  ['agent', 'feature', 'finalize-tasks', '--emit'],
  ['agent', 'feature', 'create-feature', 'another'],
  ['agent', 'workflow', 'implement', 'WP01'],
  ['agent', 'workflow', 'review', 'WP01'],
  ['implement', 'WP01'],
  ['implement', 'WP02', '--base', 'WP01'],
  ['accept', '--lenient'],
  ['merge'],
  ['merge', '--dry-run'],
  ['merge', '--resume'],
  ['merge', '--abort'],
  ['orchestrate', '--unattended', '--yes'],
  ['orchestrate', '--plan', '--yes'],
  ['orchestrate', '--status'],
  ['orchestrate', '--abort'],
  ['init', '--yes'],
  ['sync', 'now'],
  ['sync', 'status'],
  ['sync', 'explain'],
  ['sync', 'reconcile'],
  ['sync', 'doctor'],
];

/** What is the same for all repositories of a test: the good one they are made from, a sign-in, a server and a trap. */
async function makeStage(mistake?: Mistake) {
  const world = makeWorld(mistake === undefined ? {} : { program: await buildWrongProgram(mistake) });
  const server = await startServer();
  const visits: string[] = [];
  const trap = createServer((request, response) => {
    visits.push(`${request.method ?? ''} ${request.url ?? ''} ${JSON.stringify(request.headers)}`);
    response.end('{}');
  });
  trap.listen(0, '127.0.0.1');
  await once(trap, 'listening');
  onTestFinished(() => void trap.close());
  await world.makeProject();
  await world.makeFeature(['Writer', 'Reader:WP01']);
  await world.login(server);
  await world.must(['agent', 'feature', 'finalize-tasks']);
  return { world, server, visits, trap: `http://127.0.0.1:${(trap.address() as AddressInfo).port}` };
}
type Stage = Awaited<ReturnType<typeof makeStage>>;

/** One hostile repository, cloned and worked with. `findings` is what should not have happened. */
async function visit({ world, server, visits, trap }: Stage, seed: number, kinds = KINDS, commands = COMMANDS) {
  const random = chanceFrom(seed);
  const pick = pickerOf(random);
  const root = join(world.root, `case-${seed}`);
  const [attacker, victim] = [join(root, 'attacker'), join(root, 'victim')];
  const targets: Targets = {
    canary: join(root, 'canary'),
    elsewhere: join(root, 'elsewhere'),
    home: join(root, 'home'),
    trap,
  };
  for (const folder of [root, targets.canary, targets.elsewhere]) mkdirSync(folder);
  writeFileSync(join(targets.elsewhere, 'secret'), `${SECRET}\n`);
  cpSync(world.home, targets.home, { recursive: true });
  cpSync(world.repository, attacker, { recursive: true });
  const git = (cwd: string, ...args: readonly string[]): string =>
    execFileSync('git', args, { cwd, env: world.env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  // Links last: what is planted after them would land where they lead.
  const chosen = Array.from({ length: 1 + Math.floor(random() * 3) }, () => pick(kinds));
  const planted = chosen
    .toSorted((one, other) => Number(one === 'link') - Number(other === 'link'))
    .map((kind) => plant(kind, attacker, random, targets));
  git(attacker, 'add', '--all', '--force');
  git(attacker, 'commit', '--quiet', '--allow-empty', '--message', 'Planted');
  git(root, 'clone', '--quiet', attacker, 'victim');
  git(victim, 'config', 'user.name', 'Ada');
  git(victim, 'config', 'user.email', 'ada@example.com');

  const outside = (): string =>
    JSON.stringify([
      look(targets.elsewhere),
      look(join(victim, '.git/hooks')),
      readFileSync(join(victim, '.git/config'), 'utf8'),
      readdirSync(root).toSorted(),
      readdirSync(targets.home).includes('config.toml'),
    ]);
  const before = outside();
  const visitsBefore = visits.length;
  const findings: string[] = [];
  const printed: Record<string, string> = {};
  for (let step = 0; step < Math.min(COMMANDS_EACH, commands.length) && findings.length === 0; step += 1) {
    if (random() < 0.5) misanswer(server, random, targets);
    const isJson = random() < 0.4;
    const isColourful = random() < 0.3;
    const args = [...pick(commands), ...(isJson ? ['--json'] : [])];
    const cwd = existsSync(join(victim, NESTED)) && random() < 0.5 ? join(victim, NESTED) : victim;
    const ended = await world.specKitty(args, {
      cwd,
      limitMs: 60_000,
      extraEnv: {
        SPEC_KITTY_HOME: targets.home,
        HOME: root,
        ...(isColourful ? { FORCE_COLOR: '1' } : { NO_COLOR: '1' }),
      },
    });
    const name = `${step}: ${args.join(' ')} in ${cwd === victim ? 'the clone' : NESTED}`;
    printed[name] = ended.stdout + ended.stderr;
    findings.push(...faultsOf(ended, { isJson, isColourful }).map((fault) => `${fault}: ${name}`));
    if (readdirSync(targets.canary).length > 0) findings.push(`planted code was run: ${name}`);
    if (outside() !== before) findings.push(`something outside was changed: ${name}`);
    if (visits.length > visitsBefore) findings.push(`another server was asked: ${visits.at(-1) ?? ''}: ${name}`);
  }
  const seen = { ...printed, ...gitObjects(victim), ...filesIn(targets.home) };
  findings.push(...findSecrets({ 'a file from elsewhere': SECRET }, seen));
  rmSync(root, { recursive: true, force: true });
  return { findings, planted, printed };
}

/** Everything in a folder, with what makes a file another. Links are looked at, not followed: they may lead in a circle. */
function look(folder: string): readonly unknown[] {
  return readdirSync(folder)
    .toSorted()
    .map((name) => {
      const path = join(folder, name);
      const entry = lstatSync(path);
      return [name, entry.mode, entry.mtimeMs, contentOf(path, entry)];
    });
}

/** Its own files, not what may be linked below it. */
function filesIn(folder: string): Readonly<Record<string, Buffer>> {
  const files = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isFile());
  return Object.fromEntries(files.map(({ name }) => [name, readFileSync(join(folder, name))]));
}

function contentOf(path: string, entry: Stats): unknown {
  if (entry.isSymbolicLink()) return readlinkSync(path);
  if (entry.isDirectory()) return look(path);
  return entry.isFile() ? readFileSync(path, 'utf8') : null;
}

/** The next request of an event batch or a team gets an answer of somebody who means harm. */
function misanswer(server: ContractServer, random: () => number, targets: Targets): void {
  const words = (): string => hostileWords(random, targets);
  const status = pickerOf(random)([200, 207, 301, 302, 307, 308, 400, 401, 403, 413, 429, 500, 503]);
  server.respondNext({
    status,
    body: {
      error: words(), detail: words(), message: words(), error_code: words(), server_url: targets.trap, next: targets.trap,
      results: [{ event_id: words(), status: words(), error: words(), error_message: words() }],
      teams: [{ slug: words(), name: words() }],
    },
    headers: { location: `${targets.trap}/api/v1/events/batch/`, 'retry-after': '0' },
  }); // prettier-ignore
}

/** What an answer to a person or a program must not be. */
function faultsOf(
  { code, stdout, stderr }: Ended,
  { isJson, isColourful }: { readonly isJson: boolean; readonly isColourful: boolean },
): readonly string[] {
  const faults: string[] = [];
  if (code === null) faults.push('it did not end');
  if (/Unexpected error|could not start/.test(stdout + stderr)) faults.push('unexpected error');
  for (const [where, text] of Object.entries({ stdout, stderr })) {
    const styles = [...text.matchAll(OWN_STYLES)].map(([style]) => style);
    const rest = isColourful ? text.replaceAll(OWN_STYLES, '') : text;
    if (/[^\P{Cc}\n\t]|[\u202A-\u202E\u2066-\u2069]/u.test(rest)) faults.push(`${where} steers the terminal`);
    if (isColourful && styles.length > 0 && !/\[(?:22|39)m$/.test(styles.at(-1) ?? ''))
      faults.push(`a style outlives ${where}`);
  }
  if (isJson && !isDocument(stdout) && !stdout.split('\n').filter(Boolean).every(isDocument))
    faults.push('no JSON document');
  return faults;
}

// oxlint-disable-next-line no-control-regex -- what may pass to a terminal
const OWN_STYLES = /\u001B\[(?:1|2|31|32|33|22|39)m/g;

function isDocument(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

test.skipIf(process.platform === 'win32')(
  'a hostile repository and a hostile server: nothing planted is run, nothing outside is touched or told, the terminal is ours (SEC-1)',
  { timeout: 1_200_000 },
  async ({ task }) => {
    const stage = await makeStage();
    const counts = { repositories: 0, 'things planted': 0, commands: 0 };
    const found: unknown[] = [];
    for (let seed = FIRST_SEED; seed < FIRST_SEED + RUNS; seed += 1) {
      const { findings, planted, printed } = await visit(stage, seed);
      if (findings.length > 0) found.push({ seed, findings, planted, printed });
      counts.repositories += 1;
      counts['things planted'] += planted.length;
      counts.commands += Object.keys(printed).length;
    }

    expect(found).toEqual([]);
    tellStorm(task, { storm: 'hostile', seed: FIRST_SEED, counts });
  },
);

// Each with what it gets wrong, and the commands in which that shows.
test.skipIf(process.platform === 'win32').for<readonly [string, Mistake, Kind, RegExp]>([
  ['a program that follows links wherever they lead', 'follows-links', 'link', /tasks|implement/],
  ['one that prints texts as they are', 'prints-raw', 'text', /status|list-tasks|history/],
  ['one that runs what a repository describes', 'never-asks', 'config', /orchestrate --unattended/],
  ['one that takes a repository within the repository for the project', 'trusts-nested', 'nested', /tasks|accept/],
  ['one that takes up state that came with a clone, whatever its names', 'trusts-state', 'state', /merge --abort/],
  ['one that follows redirects', 'follows-redirects', 'text', /sync now/],
])('the same storm finds %s out', { timeout: 1_200_000 }, async ([mistake, program, kind, where], { task }) => {
  const stage = await makeStage(program);
  const commands = COMMANDS.filter((words) => where.test(words.join(' ')));
  let isFound = false;
  for (let seed = FIRST_SEED; !isFound && seed < FIRST_SEED + 200; seed += 1)
    isFound = (await visit(stage, seed, [kind], commands)).findings.length > 0;

  expect(isFound).toBe(true);
  tellStorm(task, { storm: 'hostile', caught: [mistake] });
});
