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

import { DRIVERS, type Driver } from './emission-cost.ts';
import { makeScratchProject } from './scratch-project.ts';

const RUNS = 40;
const IDLE_MS = 30_000;
const ROUND_TRIP_MS = 100;
const ADA = { username: 'ada@example.com', password: 'correct horse battery', team: 'acme' };
const MOVE = wpStatusChanged({ wpId: 'WP01', previousStatus: 'planned', newStatus: 'doing', featureSlug: '001-demo' });
const courier = {
  script: fileURLToPath(new URL('dist/courier.js', import.meta.resolve('@spec-kitty/cli/package.json'))),
};

export interface Latency {
  readonly name: string;
  /** Milliseconds from before `emit` until the server's word is in the queue. */
  readonly times: readonly number[];
}

export interface IdleCost {
  readonly driver: Driver;
  /** Null where the system does not tell. */
  readonly cpuSecondsPerMinute: number | null;
}

interface Setting {
  /** A home signed in to the server as it looks from far away. */
  home(driver?: Driver): Promise<NodeClient>;
  close(): Promise<void>;
}

export async function measureLatency(): Promise<readonly Latency[]> {
  const setting = await makeSetting();
  const [fresh, again, warm]: [number[], number[], number[]] = [[], [], []];
  for (let run = 0; run < RUNS; run += 1) {
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
  for (let run = 0; run < RUNS; run += 1) warm.push(await acknowledged(client));
  await courierEnds(client);
  await client.close();
  await setting.close();
  return [
    { name: 'courier running, link open', times: warm },
    { name: 'no courier: started by the command', times: fresh },
    { name: 'no courier, less than 5 s after the last batch', times: again },
  ];
}

export async function measureIdle(): Promise<readonly IdleCost[]> {
  const setting = await makeSetting();
  const idle = await Promise.all(
    DRIVERS.map(async (driver) => {
      const client = await setting.home(driver);
      await acknowledged(client);
      await linkOpens(client);
      const pid = (await client.status()).courier?.pid ?? 0;
      const before = cpuSeconds(pid);
      await pause(IDLE_MS);
      const after = cpuSeconds(pid);
      await courierEnds(client);
      await client.close();
      const used = before === undefined || after === undefined ? null : ((after - before) * 60_000) / IDLE_MS;
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
