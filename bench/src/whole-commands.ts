/**
 * How long the workflow commands take from start to end: beside `node -e 0`, beside the command framework with an
 * empty command, beside git alone doing the same steps, and beside the same command with a client that emits nothing.
 * All in turns. A command this build does not have is left out.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { cliBin, makeBoardWorld, type BoardWorld } from './board-world.ts';
import { table } from './markdown.ts';
import { buildEmptyProgram, buildSilentProgram } from './other-programs.ts';
import type { Measured, Section } from './section.ts';
import { digits, median, medianOf, spread } from './statistics.ts';
import { timed } from './timed-process.ts';

const ROUNDS = 9;
/** One unmeasured round first: it fills the cache of compiled code. One more run each counts git's processes. */
const PACKAGES = ROUNDS + 4;
/** The goal for what a command costs beyond its git work, in empty commands. */
const GOAL = 1.25;
const IN_WORK = ['--feature', '001-work'] as const;
const IN_READY = ['--feature', '002-ready'] as const;

interface Command {
  /** As people type it, without flags that only this bench needs. */
  readonly name: string;
  readonly args: (round: number) => readonly string[];
  /** Exit codes that are an answer. Default: only 0. */
  readonly codes?: readonly number[];
  /** What somebody with git alone would run for it. */
  readonly byHand: (world: BoardWorld, round: number) => Promise<void>;
}

interface CommandTimes {
  readonly name: string;
  /** Milliseconds, by round. */
  readonly emitting: readonly number[];
  readonly silent: readonly number[];
  readonly git: readonly number[];
  readonly gitProcesses: number;
}

interface WholeCommands {
  readonly node: readonly number[];
  readonly empty: readonly number[];
  readonly version: readonly number[];
  readonly commands: readonly CommandTimes[];
}

const COMMANDS: readonly Command[] = [
  {
    name: 'implement',
    args: (round) => ['implement', packageId(round + 3), ...IN_WORK, '--agent', 'claude'],
    async byHand(world, round) {
      const path = join('.worktrees', `by-hand-${round}`);
      await world.git('worktree', 'add', '--quiet', '-b', `by-hand-${round}`, path, 'main');
      await commitEdit(world, world.packageFile(packageId(round + 3)));
    },
  },
  {
    name: 'agent tasks status',
    args: () => ['agent', 'tasks', 'status', ...IN_WORK],
    byHand: async (world) => void (await world.git('rev-parse', '--show-toplevel')),
  },
  {
    name: 'agent tasks list-tasks',
    args: () => ['agent', 'tasks', 'list-tasks', ...IN_WORK],
    byHand: async (world) => void (await world.git('rev-parse', '--show-toplevel')),
  },
  {
    name: 'agent feature finalize-tasks',
    args: () => ['agent', 'feature', 'finalize-tasks', ...IN_WORK],
    byHand: async (world) => void (await world.git('status', '--porcelain', '--', 'kitty-specs/001-work')),
  },
  {
    name: 'agent tasks move-task',
    args: (round) => [
      'agent',
      'tasks',
      'move-task',
      'WP01',
      '--to',
      round % 2 === 0 ? 'doing' : 'planned',
      '--note',
      'x',
      ...IN_WORK,
    ],
    byHand: (world) => commitEdit(world, world.packageFile('WP01')),
  },
  {
    name: 'agent tasks mark-status',
    args: (round) => [
      'agent',
      'tasks',
      'mark-status',
      'T002',
      '--status',
      round % 2 === 0 ? 'done' : 'pending',
      ...IN_WORK,
    ],
    byHand: (world) => commitEdit(world, 'kitty-specs/001-work/tasks.md'),
  },
  {
    name: 'agent tasks add-history',
    args: (round) => ['agent', 'tasks', 'add-history', 'WP02', '--note', `Note ${round}`, ...IN_WORK],
    byHand: (world) => commitEdit(world, world.packageFile('WP02')),
  },
  {
    name: 'accept --mode checklist',
    args: () => ['accept', '--mode', 'checklist', ...IN_READY],
    // It says with 1 that something is open.
    codes: [0, 1],
    byHand: async (world) => void (await world.git('status', '--porcelain')),
  },
  {
    name: 'merge --dry-run',
    args: () => ['merge', '--dry-run', ...IN_READY],
    async byHand(world) {
      for (const wpId of ['WP01', 'WP02', 'WP03']) {
        await world.git('-C', `.worktrees/002-ready-${wpId}`, 'status', '--porcelain');
        await world.git('diff', '--name-only', `main...002-ready-${wpId}`);
      }
    },
  },
];

export const commandsSection: Section = {
  name: 'commands',
  title: 'A whole command, from start to end',
  measure: async (effort) => render(await measureCommands(effort.rounds(ROUNDS))),
};

const WHY_MISSED =
  'A command that changes a lane starts git more often than a person would: it makes sure where it is, what is staged and that nobody else is at work, and each start costs what git itself takes plus about 2 ms of Node. Beside that it loads its own code and, where it emits, the library and the store (see "What an import costs").';

async function measureCommands(rounds: number): Promise<WholeCommands> {
  const [silentProgram, emptyProgram] = [await buildSilentProgram(), await buildEmptyProgram()];
  const emitting = await makeBoardWorld(PACKAGES);
  const silent = await makeBoardWorld(PACKAGES, { program: silentProgram.bin });
  const byHand = await makeBoardWorld(PACKAGES);
  const nowhere = mkdtempSync(join(tmpdir(), 'spec-kitty-bench-'));
  const alone = (args: readonly string[]): Promise<number> =>
    timed({ file: process.execPath, args, cwd: nowhere, env: process.env });

  const results = builtCommands().map((command) => ({
    command,
    emitting: [] as number[],
    silent: [] as number[],
    git: [] as number[],
  }));
  const floors = { node: [] as number[], empty: [] as number[], version: [] as number[] };
  for (let round = 0; round <= rounds; round += 1) {
    const keep = (list: number[], ms: number): void => void (round > 0 && list.push(ms));
    keep(floors.node, await alone(['-e', '0']));
    keep(floors.empty, await alone([emptyProgram.bin, 'nothing']));
    keep(floors.version, await alone([cliBin, '--version']));
    for (const { command, ...lists } of results) {
      const runs = [
        async () => keep(lists.emitting, await emitting.run(command.args(round), command.codes)),
        async () => keep(lists.silent, await silent.run(command.args(round), command.codes)),
      ];
      // Whoever comes second has the disk's cache warm: each is that every other time.
      for (const run of round % 2 === 0 ? runs : runs.toReversed()) await run();
      const startedAt = performance.now();
      await command.byHand(byHand, round);
      keep(lists.git, performance.now() - startedAt);
    }
  }
  const commands: CommandTimes[] = [];
  for (const { command, ...lists } of results) {
    commands.push({
      name: command.name,
      ...lists,
      gitProcesses: await emitting.countGit(command.args(rounds + 1), command.codes),
    });
  }
  for (const each of [emitting, silent, byHand, silentProgram, emptyProgram]) each.remove();
  rmSync(nowhere, { recursive: true, force: true });
  return { ...floors, commands };
}

function render({ node, empty, version, commands }: WholeCommands): Measured {
  const [nodeMs, emptyMs] = [median(node), median(empty)];
  const rows = commands.map(({ name, emitting, silent, git, gitProcesses }) => {
    const beyond = median(emitting.map((ms, round) => (ms - (git[round] ?? ms)) / (empty[round] ?? ms)));
    const added = medianOf(emitting, silent, (a, b) => a - b);
    const ms = median(emitting);
    const figures = [digits(beyond), digits(ms / nodeMs), digits(ms / emptyMs), spread(emitting)];
    return { name, beyond, cells: [name, ...figures, digits(median(git)), digits(added), String(gitProcesses)] };
  });
  const text = `Wall time, ${node.length} rounds in turns, nobody signed in, a feature of ${PACKAGES} packages. \`node -e 0\` takes ${digits(nodeMs)} ms, the command framework
with an empty command, bundled the same way, ${digits(emptyMs)} ms. "git alone" runs the git commands somebody would type for it. "beyond"
is what is left without that, in empty commands. "emission" is the difference to the same command with a client that emits
nothing and loads nothing for it. The last column counts the git processes the command starts.

${table(['command', 'beyond', '× node', '× empty', 'ms', 'git alone, ms', 'emission, ms', 'git'], [...rows.map(({ cells }) => cells), ['--version', '–', digits(medianOf(version, node, (a, b) => a / b)), digits(medianOf(version, empty, (a, b) => a / b)), spread(version), '–', '–', '–']])}`;
  const missed = rows.filter(({ beyond }) => beyond > GOAL);
  const fast = medianOf(version, node, (a, b) => a / b);
  return {
    text,
    goals: [
      {
        what: 'A command from start to end, beyond its git work',
        goal: `≤ ${GOAL} × an empty command of the framework`,
        figure: `${digits(Math.min(...rows.map(({ beyond }) => beyond)))} to ${digits(Math.max(...rows.map(({ beyond }) => beyond)))} ×; met by ${rows.length - missed.length} of ${rows.length}`,
        isMet: missed.length === 0,
        why: WHY_MISSED,
      },
      { what: '`--version`', goal: '≤ 1.5 × `node -e 0`', figure: `${digits(fast)} ×`, isMet: fast <= 1.5 },
      {
        what: 'What an emitting command loads',
        goal: 'no network, zlib, wasm, YAML or TOML code',
        figure: 'the tests of the command line assert the list of loaded modules',
        isMet: null,
      },
    ],
  };
}

/** Those the built program has. */
function builtCommands(): readonly Command[] {
  const path = new URL('oclif.manifest.json', import.meta.resolve('@spec-kitty/cli/package.json'));
  // Written by the build; only the ids are read.
  const { commands } = JSON.parse(readFileSync(path, 'utf8')) as { readonly commands: object };
  const ids = Object.keys(commands).map((id) => id.replaceAll(':', ' '));
  return COMMANDS.filter(({ name }) => ids.some((id) => name === id || name.startsWith(`${id} `)));
}

async function commitEdit(world: BoardWorld, path: string): Promise<void> {
  world.edit(path);
  await world.git('add', '--', path);
  await world.git('commit', '--quiet', '--message', 'Change', '--', path);
}

function packageId(number: number): string {
  return `WP${String(number).padStart(2, '0')}`;
}
