/**
 * What the courier gives and costs: how soon an event is acknowledged by a server 100 ms away, from a courier that runs
 * and from none; and the processor time of one that has nothing to do.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { wpStatusChanged } from '@spec-kitty/events-sdk';
import { openNodeClient, type NodeClient } from '@spec-kitty/events-sdk/node';
import { createContractServer, createDelayingProxy } from '@spec-kitty/events-sdk/testing';

import { DRIVERS, type Driver } from './drivers.ts';
import { table } from './markdown.ts';
import { makeScratchProject } from './scratch-project.ts';
import type { Section } from './section.ts';
import { digits, quantile, spread } from './statistics.ts';

const WARM_RUNS = 40;
const COLD_RUNS = 16;
const IDLE_MS = 20_000;
const ROUND_TRIP_MS = 100;
const ADA = { username: 'ada@example.com', password: 'correct horse battery', team: 'acme' };
const MOVE = wpStatusChanged({ wpId: 'WP01', previousStatus: 'planned', newStatus: 'doing', featureSlug: '001-demo' });
const courier = {
  script: fileURLToPath(new URL('dist/courier.js', import.meta.resolve('@spec-kitty/cli/package.json'))),
};

interface Latency {
  readonly name: string;
  /** Milliseconds from before `emit` until the server's word is in the queue. */
  readonly times: readonly number[];
}

interface IdleCost {
  readonly driver: Driver;
  /** Null where the system does not tell. */
  readonly cpuSecondsPerMinute: number | null;
}

interface Setting {
  /** A home signed in to the server as it looks from far away. */
  home(driver?: Driver): Promise<NodeClient>;
  close(): Promise<void>;
}

const WARM = 'courier running, link open';
const COLD = 'no courier: started by the command';

export const latencySection: Section = {
  name: 'latency',
  title: 'From emission to the board',
  async measure(effort) {
    const latencies = await measureLatency(effort.rounds(WARM_RUNS), effort.rounds(COLD_RUNS));
    const lines = latencies.map(({ name, times }) => [
      name,
      digits(quantile(times, 0.95)),
      spread(times),
      String(times.length),
    ]);
    const p95 = (name: string): number => quantile(latencies.find((row) => row.name === name)?.times ?? [], 0.95);
    const [warm, cold] = [p95(WARM), p95(COLD)];
    return {
      text: `One event, from before \`emit\` until the server's word on it is settled in the queue (the board has it half a round trip
earlier), through a proxy that makes a round trip take ${ROUND_TRIP_MS} ms. A fresh home for each start of a courier.

${table(['courier', 'p95 ms', 'ms', 'runs'], lines)}`,
      goals: [
        {
          what: `From emission to the board, courier running, ${ROUND_TRIP_MS} ms away`,
          goal: 'p95 ≤ 500 ms',
          figure: `${digits(warm)} ms`,
          isMet: warm <= 500,
        },
        { what: 'The same, no courier running', goal: 'p95 ≤ 2 s', figure: `${digits(cold)} ms`, isMet: cold <= 2000 },
      ],
    };
  },
};

export const idleSection: Section = {
  name: 'idle',
  title: 'A courier that waits',
  async measure(effort) {
    const idleMs = effort.isQuick ? IDLE_MS / 2 : IDLE_MS;
    const idle = await measureIdle(idleMs);
    const lines = idle.map(({ driver, cpuSecondsPerMinute }) => [
      driver,
      cpuSecondsPerMinute === null ? 'not told by this system' : digits(cpuSecondsPerMinute),
    ]);
    return {
      text: `Processor time of a courier with an open link and nothing to do, both stores at once, measured over ${idleMs / 1000} s.

${table(['store', 'seconds a minute'], lines)}`,
    };
  },
};

async function measureLatency(warmRuns: number, coldRuns: number): Promise<readonly Latency[]> {
  const setting = await makeSetting();
  const [fresh, again, warm]: [number[], number[], number[]] = [[], [], []];
  for (let run = 0; run < coldRuns; run += 1) {
    const client = await setting.home();
    fresh.push(await acknowledged(client));
    await courierEnds(client);
    again.push(await acknowledged(client));
    await courierEnds(client);
    await client.close();
  }
  const client = await setting.home();
  await acknowledged(client);
  await linkOpens(client);
  for (let run = 0; run < warmRuns; run += 1) warm.push(await acknowledged(client));
  await courierEnds(client);
  await client.close();
  await setting.close();
  return [
    { name: WARM, times: warm },
    { name: COLD, times: fresh },
    { name: 'no courier, less than 5 s after the last batch', times: again },
  ];
}

async function measureIdle(idleMs: number): Promise<readonly IdleCost[]> {
  const setting = await makeSetting();
  const idle = await Promise.all(
    DRIVERS.map(async (driver) => {
      const client = await setting.home(driver);
      await acknowledged(client);
      await linkOpens(client);
      const pid = (await client.status()).courier?.pid ?? 0;
      const before = cpuSeconds(pid);
      await pause(idleMs);
      const after = cpuSeconds(pid);
      await courierEnds(client);
      await client.close();
      const used = before === undefined || after === undefined ? null : ((after - before) * 60_000) / idleMs;
      return { driver, cpuSecondsPerMinute: used };
    }),
  );
  await setting.close();
  return idle;
}

async function makeSetting(): Promise<Setting> {
  const { root, remove } = makeScratchProject();
  const server = await createContractServer();
  await server.accounts.addUser(ADA);
  const proxy = await createDelayingProxy({ target: await server.listen(), roundTripMs: ROUND_TRIP_MS });
  let homes = 0;
  return {
    async home(driver = 'node-sqlite') {
      homes += 1;
      const env = {
        ...process.env,
        SPEC_KITTY_HOME: join(root, `home-${homes}`),
        SPEC_KITTY_QUEUE_DRIVER: driver,
        SPEC_KITTY_DELIVERY: 'courier',
      };
      const client = openNodeClient({ cwd: root, env, courier });
      await client.login({ server: proxy.url, username: ADA.username, password: ADA.password });
      return client;
    },
    async close() {
      await proxy.close();
      await server.close();
      remove();
    },
  };
}

async function acknowledged(client: NodeClient): Promise<number> {
  const startedAt = performance.now();
  await client.emit(MOVE);
  await client.nudge();
  while ((await client.status()).queued > 0) await pause(5);
  return performance.now() - startedAt;
}

async function linkOpens(client: NodeClient): Promise<void> {
  while ((await client.status()).connection.state !== 'connected') await pause(20);
}

/** The process is ours: its number stands in our own home's lease. */
async function courierEnds(client: NodeClient): Promise<void> {
  const { courier: running } = await client.status();
  if (running !== null) process.kill(running.pid, 'SIGTERM');
  while ((await client.status()).courier !== null) await pause(20);
}

/** User and system time so far, from the process table of Linux, in ticks of 10 ms. */
function cpuSeconds(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) / 100;
  } catch {
    return undefined;
  }
}

const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
