/** What starting costs, module by module: a fresh process that imports one thing and ends, beside one that imports nothing. */
import { fileURLToPath } from 'node:url';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';

import { cliRoot, loadBundler } from './bundler.ts';
import { table } from './markdown.ts';
import type { Section } from './section.ts';
import { digits, medianOf, spread } from './statistics.ts';
import { timed } from './timed-process.ts';

const ROUNDS = 9;
const KIB = 1024;
const CORE_GOAL_KIB = 10;

const sdkRoot = dirname(fileURLToPath(import.meta.resolve('@spec-kitty/events-sdk/package.json')));
const benchRoot = fileURLToPath(new URL('..', import.meta.url));

interface Group {
  readonly from: string;
  readonly whose: string;
  readonly modules: readonly string[];
}

const GROUPS: readonly Group[] = [
  {
    from: sdkRoot,
    whose: 'Node',
    modules: ['node:crypto', 'node:child_process', 'node:sqlite', 'node:zlib', 'node:http', 'node:https'],
  },
  {
    from: cliRoot,
    whose: 'the command line, unbundled',
    modules: ['@oclif/core/settings', '@oclif/core/command', '@oclif/core/run', '@oclif/core', 'yaml'],
  },
  {
    from: benchRoot,
    whose: 'this library',
    modules: ['@spec-kitty/events-sdk/contract', '@spec-kitty/events-sdk', '@spec-kitty/events-sdk/node'],
  },
  {
    from: sdkRoot,
    whose: 'what this library uses',
    modules: ['ulid', 'valibot', 'smol-toml', 'ky', 'isomorphic-ws', 'sql.js'],
  },
  {
    from: benchRoot,
    whose: 'what else there is',
    modules: [
      'better-sqlite3',
      'level',
      'lowdb/node',
      '@opentelemetry/sdk-logs',
      'posthog-node',
      '@segment/analytics-node',
    ],
  },
];

export const importsSection: Section = {
  name: 'imports',
  title: 'What an import costs',
  async measure(effort) {
    const rounds = effort.rounds(ROUNDS);
    const start = (cwd: string, code: string): Promise<number> =>
      timed({ file: process.execPath, args: ['--input-type=module', '-e', code], cwd, env: process.env });
    const floor: number[] = [];
    const rows = GROUPS.flatMap(({ from, whose, modules }) =>
      modules.map((name) => ({ from, whose, name, times: [] as number[] })),
    );
    for (let round = 0; round < rounds; round += 1) {
      floor.push(await start(sdkRoot, ''));
      for (const { from, name, times } of rows) times.push(await start(from, `import '${name}'`));
    }
    const lines = rows.map(({ whose, name, times }) => [
      `\`${name}\``,
      whose,
      digits(medianOf(times, floor, (a, b) => a / b)),
      digits(medianOf(times, floor, (a, b) => a - b)),
    ]);
    const core = await sizeOfCore();
    return {
      text: `Each in fresh processes, ${rounds} rounds in turns, without a cache of compiled code; a process that imports nothing takes ${spread(floor)} ms.
The command line itself is bundled into few files, is compiled once, and loads each of these only where it is used.

${table(['module', 'whose', '× nothing', 'added, ms'], lines, 'll')}`,
      goals: [
        {
          what: 'The core without adapters, bundled and gzipped',
          goal: `≤ ${CORE_GOAL_KIB} kB`,
          figure: `${digits(core.emitting)} KiB to record (valibot and ulid included); ${digits(core.everything)} KiB with every export of the entry`,
          isMet: core.emitting <= CORE_GOAL_KIB,
          why: 'The schemas of the built-in events and valibot, which checks them, are most of it.',
        },
      ],
    };
  },
};

/** KiB of what a program that emits carries with it, and of the whole core entry. */
async function sizeOfCore(): Promise<{ readonly emitting: number; readonly everything: number }> {
  const bundler = await loadBundler();
  const size = async (contents: string): Promise<number> => {
    const built = await bundler.build({
      stdin: { contents, resolveDir: join(benchRoot, 'src') },
      bundle: true,
      minify: true,
      format: 'esm',
      write: false,
      logLevel: 'silent',
    });
    return gzipSync(built.outputFiles?.[0]?.contents ?? '').length / KIB;
  };
  return {
    emitting: await size(
      `export { createEmitter, createOfflineQueue, createUlidFactory } from '@spec-kitty/events-sdk';`,
    ),
    everything: await size(`export * from '@spec-kitty/events-sdk';`),
  };
}
