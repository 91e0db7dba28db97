/**
 * `npm run bench`: what emission costs a command, for both stores at three queue sizes; how fast it is sustained beside
 * a bare `node:sqlite` loop, by one process and by many at once; that no server, however it behaves, makes a command
 * slower; what the workflow commands take from start to end, beside git alone; how soon the courier has an event
 * acknowledged, and what it costs while it waits; how fast a queue empties. Writes bench/RESULTS.md and fails when one
 * of the requirement's own budgets (PERF-1: 100 ms, PERF-2: 33 events a second) is missed. Everything else is a figure
 * to read.
 */
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';

import { measureServers } from './command-wall-time.ts';
import { measureContention } from './contention.ts';
import { measureIdle, measureLatency } from './courier-cost.ts';
import { measureDrain } from './drain.ts';
import { measureEmission } from './emission-cost.ts';
import { digits, median, quantile } from './statistics.ts';
import { measureSustained } from './sustained.ts';
import { measureCommands, renderCommands } from './whole-commands.ts';

const BUDGET_MS = 100;
/** PERF-2, in events a second. */
const LEAST_RATE = 33;

const emission = (await measureEmission()).map(({ driver, rows, without, withEvents }) => ({
  driver,
  rows,
  without: median(without),
  withEvents: median(withEvents),
  p95: quantile(withEvents, 0.95),
  added: median(withEvents.map((ms, round) => ms - (without[round] ?? ms))),
}));
const sustained = await measureSustained();
const contention = await measureContention();
const drains = await measureDrain();
const servers = await measureServers();
const latencies = await measureLatency();
const idle = await measureIdle();
const commands = await measureCommands();

const bareRate = sustained[0]?.perSecond ?? Number.NaN;
const deliveryOffMs = median(servers[0]?.times ?? []);
const missed = emission.filter(({ driver, rows, added }) => added > BUDGET_MS && (driver !== 'sqljs' || rows <= 1000));
const slow = drains.filter(({ rates }) => !(Math.min(...rates) > LEAST_RATE));

const report = `# Benchmark results

Written by \`npm run bench\` on ${new Date().toISOString().slice(0, 10)}: Node ${process.versions.node}, ${cpus().length} cores (${cpus()[0]?.model ?? 'unknown'}), ${process.platform}. One run on a shared machine: read the ratios.

## What emission adds to a command

\`spec-kitty agent feature finalize-tasks\` with nothing to announce, and with \`--emit\`: four events in one durable
transaction, the library loaded, the store opened, clock.json written, the indicator shown. 15 pairs each, in turns.

| store | events waiting | without, ms | with, ms | with, p95 | added, median of pairs |
|---|--:|--:|--:|--:|--:|
${emission.map((row) => `| ${row.driver} | ${row.rows.toLocaleString('en')} | ${digits(row.without)} | ${digits(row.withEvents)} | ${digits(row.p95)} | ${digits(row.added)} |`).join('\n')}

PERF-1 allows 100 ms: both stores at 0 and 1,000 events, the native one also at 10,000. ${missed.length === 0 ? 'Met.' : `Missed by ${missed.map(({ driver, rows }) => `${driver} at ${rows}`).join(', ')}.`}

## Sustained, one process

| what | events a second | × bare loop |
|---|--:|--:|
${sustained.map((row) => `| ${row.name} | ${digits(row.perSecond)} | ${digits(row.perSecond / bareRate)} |`).join('\n')}

## Many processes on one home

All open before the first append, which then all begin at once; ${contention.rounds} rounds in turns, medians. Every event is on disk once and
its clock value is its own.

| processes × appends | events a second | × bare loop | 99 % below, ms | longest, ms |
|---|--:|--:|--:|--:|
${contention.rows.map((row) => `| ${row.processes} × ${row.appends}, ${row.name} | ${digits(row.perSecond)} | ${digits(row.perSecond / row.bareRate)} | ${digits(row.p99)} | ${digits(row.longest)} |`).join('\n')}

## Emptying a queue

${drains[0]?.events.toLocaleString('en') ?? ''} events from one process over HTTP to a server that keeps nothing, every verdict durable; ${drains[0]?.rates.length ?? 0} rounds in turns.

| store | events a second, median | slowest round |
|---|--:|--:|
${drains.map(({ driver, rates }) => `| ${driver} | ${digits(median(rates))} | ${digits(Math.min(...rates))} |`).join('\n')}

PERF-2 asks for more than ${LEAST_RATE} a second. ${slow.length === 0 ? 'Met' : `Missed by ${slow.map(({ driver }) => driver).join(', ')}`}.

## A whole command, whatever the server does

Wall time of \`spec-kitty agent feature finalize-tasks --emit\`, start to end, 11 runs each, in turns.

| server | median ms | p95 ms | × delivery off |
|---|--:|--:|--:|
${servers.map(({ state, times }) => `| ${state} | ${digits(median(times))} | ${digits(quantile(times, 0.95))} | ${digits(median(times) / deliveryOffMs)} |`).join('\n')}

${renderCommands(commands)}
## From emission to the server's word

One event, from before \`emit\` until its acknowledgement is settled in the queue, through a proxy that makes a round trip
take 100 ms. A fresh home for each start of a courier; ${latencies[0]?.times.length ?? 0} runs each. The goal: 500 ms with a courier, 2 s without.

| courier | median ms | p95 ms | longest ms |
|---|--:|--:|--:|
${latencies.map(({ name, times }) => `| ${name} | ${digits(median(times))} | ${digits(quantile(times, 0.95))} | ${digits(Math.max(...times))} |`).join('\n')}

## A courier that waits

Processor time of a courier with an open link and nothing to do, both stores at once, measured over 30 s.

| store | seconds a minute |
|---|--:|
${idle.map(({ driver, cpuSecondsPerMinute }) => `| ${driver} | ${cpuSecondsPerMinute === null ? 'not told by this system' : digits(cpuSecondsPerMinute)} |`).join('\n')}
`;
writeFileSync(fileURLToPath(new URL('../RESULTS.md', import.meta.url)), report);
process.stdout.write(report);
process.exitCode = missed.length + slow.length === 0 ? 0 : 1;
