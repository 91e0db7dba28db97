/**
 * `npm run bench`: what the promises of this repository cost, side by side with what else there is, in one run. Writes
 * bench/RESULTS.md, and fails when a section could not be measured or one of the requirement's own budgets is missed
 * (PERF-1: 100 ms an emission, PERF-2: 33 events a second); every other goal is a figure to read. `-- --quick` and
 * `-- --only drain,growth` print a smaller page and leave the file as it is: it is always the page of one whole run.
 */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';

import { appendSection } from './append.ts';
import { serversSection } from './command-wall-time.ts';
import { contentionSection } from './contention.ts';
import { idleSection, latencySection } from './courier-cost.ts';
import { drainSection } from './drain.ts';
import { emissionSection } from './emission-cost.ts';
import { growthSection } from './growth.ts';
import { importsSection } from './imports.ts';
import { readOptions } from './options.ts';
import { isFailed, renderPage } from './page.ts';
import { runSections } from './run-sections.ts';
import { createEffort, type Goal } from './section.ts';
import { sustainedSection } from './sustained.ts';
import { commandsSection } from './whole-commands.ts';

const SECTIONS = [
  emissionSection,
  appendSection,
  sustainedSection,
  contentionSection,
  drainSection,
  latencySection,
  idleSection,
  serversSection,
  commandsSection,
  importsSection,
  growthSection,
];

const PROVEN_BY_STORMS = '[docs/reliability.md](../docs/reliability.md), written by `npm run storm`';
const ELSEWHERE: readonly Goal[] = [
  {
    what: 'Crash safety',
    goal: '2,000 kills, 1,000,000 crash states, every I/O call failing once: nothing acknowledged is lost',
    figure: PROVEN_BY_STORMS,
    isMet: null,
  },
  {
    what: 'Simulation',
    goal: '2,000 seeds in `npm test`, 100,000 in the storm, each replays',
    figure: PROVEN_BY_STORMS,
    isMet: null,
  },
];

// It would be read again by each of the processes that are timed.
delete process.env['NODE_EXTRA_CA_CERTS'];

const { isQuick, only } = readOptions(
  process.argv.slice(2),
  SECTIONS.map(({ name }) => name),
);
const results = await runSections(
  SECTIONS.filter(({ name }) => only === undefined || only.includes(name)),
  createEffort(isQuick),
  (line) => process.stderr.write(`${line}\n`),
);
const git = execFileSync('git', ['--version'], { encoding: 'utf8' }).trim();
const page = renderPage({
  date: new Date().toISOString().slice(0, 10),
  machine: `Node ${process.versions.node}, SQLite ${process.versions.sqlite ?? '?'}, ${git}, ${cpus().length} cores (${cpus()[0]?.model ?? 'unknown'}), ${process.platform}`,
  isQuick,
  results,
  ...(only === undefined ? { elsewhere: ELSEWHERE } : {}),
});
if (!isQuick && only === undefined) writeFileSync(fileURLToPath(new URL('../RESULTS.md', import.meta.url)), page);
process.stdout.write(page);
process.exitCode = isFailed(results) ? 1 : 0;
