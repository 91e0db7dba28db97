/**
 * How cost grows with what there is: packages in a feature, processes on one home. What has to be looked at one by one may
 * take as many times longer as there is more of it; anything steeper is a defect. (The length of the queue: `append`.)
 */
import { makeGrownWorld, type GrownWorld } from './grown-world.ts';
import { race } from './contention.ts';
import { table, whole } from './markdown.ts';
import type { Effort, Section } from './section.ts';
import { digits, median, quantile, spread } from './statistics.ts';

/** A package's id has two digits: a feature has at most 99. */
const PACKAGES = [1, 10, 50, 99] as const;
const PROCESSES = [1, 4, 16, 64] as const;
/** In all, shared among the processes. */
const APPENDS = 3_200;
const ROUNDS = 4;
const RACES = 2;

const COMMANDS = [
  { name: 'agent tasks status', args: () => ['agent', 'tasks', 'status'] },
  {
    name: 'agent tasks move-task',
    args: (round: number) => [
      'agent',
      'tasks',
      'move-task',
      'WP01',
      '--to',
      round % 2 === 0 ? 'for_review' : 'doing',
      '--note',
      'x',
    ],
  },
  { name: 'agent feature finalize-tasks --dry-run', args: () => ['agent', 'feature', 'finalize-tasks', '--dry-run'] },
  { name: 'merge --dry-run', args: () => ['merge', '--dry-run'] },
] as const;

export const growthSection: Section = {
  name: 'growth',
  title: 'How it grows',
  async measure(effort) {
    const [packages, processes] = [await measurePackages(effort), await measureProcesses(effort)];
    const text = `Each figure beside what it is of the one before: "× 1.10" after five times as many means that most of it does not depend on
how many there are.

Commands in a feature of so many packages, all of them worked on in a workspace of their own; ms from start to end, ${effort.rounds(ROUNDS)} rounds in
turns; 99 is the most a feature can have. \`merge --dry-run\` looks into each workspace and tries each merge with git: it has to
grow with them.

${table(['command', ...packages.sizes.map((size) => `${size} ${size === 1 ? 'package' : 'packages'}`), 'git processes'], packages.lines)}

Processes on one home that begin at once, ${whole(APPENDS)} appends in all; medians of ${effort.rounds(RACES)}. The rate would stay the same if waiting for each other cost
nothing.

${table(['what', ...processes.sizes.map((size) => `${size} ${size === 1 ? 'process' : 'processes'}`)], processes.lines)}`;
    return { text };
  },
};

interface Lines {
  readonly sizes: readonly number[];
  readonly lines: readonly (readonly string[])[];
}

async function measurePackages(effort: Effort): Promise<Lines> {
  const sizes = effort.isQuick ? PACKAGES.slice(0, 3) : PACKAGES;
  const worlds: { readonly world: GrownWorld; readonly times: number[][] }[] = [];
  try {
    for (const size of sizes) worlds.push({ world: await makeGrownWorld(size), times: COMMANDS.map(() => []) });
    // The first round is not counted: it fills the caches.
    for (let round = 0; round <= effort.rounds(ROUNDS); round += 1)
      for (const { world, times } of worlds)
        for (const [index, { args }] of COMMANDS.entries()) {
          const ms = await world.run(args(round));
          if (round > 0) times[index]?.push(ms);
        }
    const lines: (readonly string[])[] = [];
    for (const [index, { name, args }] of COMMANDS.entries()) {
      const counts: number[] = [];
      for (const { world } of worlds) counts.push(await world.countGit(args(effort.rounds(ROUNDS) + 1)));
      const cells = steps(worlds.map(({ times }) => times[index] ?? []));
      lines.push([name, ...cells, counts.join(', ')]);
    }
    return { sizes, lines };
  } finally {
    for (const { world } of worlds) world.remove();
  }
}

async function measureProcesses(effort: Effort): Promise<Lines> {
  const sizes = effort.isQuick ? PROCESSES.slice(0, 3) : PROCESSES;
  const kinds = [
    { name: 'bare loop', driver: undefined },
    { name: 'emit, node-sqlite', driver: 'node-sqlite' },
  ] as const;
  const lines: (readonly string[])[] = [];
  for (const { name, driver } of kinds) {
    const races: (readonly { readonly perSecond: number; readonly times: readonly number[] }[])[] = [];
    for (const processes of sizes) {
      const own = [];
      for (let round = 0; round < effort.rounds(RACES); round += 1)
        own.push(await race({ processes, appends: APPENDS / processes, driver }));
      races.push(own);
    }
    lines.push([`${name}, events a second`, ...steps(races.map((own) => own.map(({ perSecond }) => perSecond)))]);
    lines.push([
      `${name}, 99 % below, ms`,
      ...races.map((own) => digits(median(own.map(({ times }) => quantile(times, 0.99))))),
    ]);
  }
  return { sizes, lines };
}

/** Each sample, with the ratio to the one before. */
function steps(samples: readonly (readonly number[])[]): readonly string[] {
  return samples.map((sample, index) => {
    const before = samples[index - 1];
    return before === undefined ? spread(sample) : `${spread(sample)} × ${digits(median(sample) / median(before))}`;
  });
}
