/**
 * A working day in small: one process stays, others come and are killed, all emit and deliver, and the network is away half
 * of the time. Nothing is lost, and the one that stays does not grow. `SPEC_KITTY_STORM_SOAK_S` is how long, in seconds.
 */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { setTimeout as pause } from 'node:timers/promises';

import { tellStorm } from '@spec-kitty/storm';
import { expect, onTestFinished, test } from 'vitest';

import { createRandom } from '../../src/testing/seeded-random.ts';
import { ADA, makeWorld, readQueue, startServer, type World } from '../node/world.ts';
import { judge } from './judge.ts';
import { between } from './random.ts';
import { createRoughProxy } from './rough-proxy.ts';
import { eventsOn } from './storm.ts';
import { parseAck } from './victim.ts';

const SECONDS = Number(process.env['SPEC_KITTY_STORM_SOAK_S'] ?? 8);
const SEED = Number(process.env['SPEC_KITTY_STORM_SEED'] ?? Date.now() % 1_000_000);
/** Slower than the pace of one batch of a thousand in five seconds, so that it is caught up with after each outage. */
const [STAYING_PER_S, COMING_PER_S] = [40, 40];
/** What a heap may have more at the end than at the beginning, in bytes: caches fill, and code is compiled. */
const MOST_GROWTH = 4 * 2 ** 20;

test(
  `${SECONDS} seconds with the network away half of the time: every event arrives once, and who stays does not grow (SC-007, US2-2, US7-1)`,
  { timeout: 60_000 + SECONDS * 2_000 },
  async ({ task }) => {
    const random = createRandom(SEED);
    const world = makeWorld();
    const server = await startServer({ accessLifetimeS: 7 * 86_400 });
    const proxy = await createRoughProxy(server.url, random);
    onTestFinished(() => proxy.close());
    proxy.calm();
    const { client } = world.open();
    await client.login({ server: proxy.url, username: ADA.username, password: ADA.password });

    const staying = startEmitter(world, STAYING_PER_S);
    const gone: Emitter[] = [];
    let outages = 0;
    const until = performance.now() + SECONDS * 1000;
    while (performance.now() < until) {
      const coming = startEmitter(world, COMING_PER_S);
      gone.push(coming);
      for (let left = between(random, 1, 3); left > 0; left -= 1) {
        proxy.away();
        outages += 1;
        await pause(between(random, 200, 1500));
        proxy.calm();
        await pause(between(random, 200, 1500));
      }
      await coming.kill();
    }
    await staying.kill();

    const all = [staying, ...gone];
    expect(all.flatMap(({ lines }) => lines.filter((line) => line.startsWith('dropped')))).toEqual([]);
    expect(all.map(({ stderr }) => stderr()).join('')).toBe('');
    const acknowledged = all.flatMap(({ lines }) => lines.flatMap(parseAck));
    const byTheWay = server.events().length;
    expect(await client.syncNow()).toMatchObject({ stoppedBy: 'drained', remaining: 0, held: 0, parked: 0 });
    const { rows, integrity } = readQueue(world.home);
    expect(judge({ acknowledged, server: eventsOn(server), queue: rows })).toEqual([]);
    expect(integrity).toBe('ok');
    expect(byTheWay).toBeGreaterThan(0);
    expect(growthOf(staying)).toBeLessThan(MOST_GROWTH);
    tellStorm(task, {
      storm: 'soak',
      seed: SEED,
      counts: {
        seconds: SECONDS,
        'events acknowledged': acknowledged.length,
        'of them delivered by the way': byTheWay,
        outages,
        'processes killed': all.length,
      },
    });
  },
);

test(
  'the same figure shows a program that keeps a hundred kilobytes of each event',
  { timeout: 30_000 },
  async ({ task }) => {
    const leaking = startEmitter(makeWorld(), STAYING_PER_S, 100);
    await leaking.heard('heap', 6);
    await leaking.kill();

    expect(growthOf(leaking)).toBeGreaterThan(MOST_GROWTH);
    tellStorm(task, { storm: 'soak', caught: ['a program that keeps what it has sent'] });
  },
);

interface Emitter {
  readonly lines: readonly string[];
  stderr(): string;
  /** Resolves once so many lines begin with `word`. */
  heard(word: string, count: number): Promise<void>;
  kill(): Promise<void>;
}

function startEmitter(world: World, perSecond: number, keptKb = 0): Emitter {
  const script = fileURLToPath(new URL('./fixtures/soak.child.ts', import.meta.url));
  const child = spawn(process.execPath, ['--expose-gc', script, String(perSecond), String(keptKb)], {
    cwd: world.project,
    env: world.env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: string[] = [];
  const waiting = new Set<() => void>();
  let rest = '';
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const parts = (rest + text).split('\n');
    rest = parts.pop() ?? '';
    lines.push(...parts);
    for (const look of waiting) look();
  });
  const closed = new Promise<void>((resolve) => {
    child.on('close', () => resolve());
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  return {
    lines,
    stderr: () => stderr,
    heard: (word, count) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (lines.filter((line) => line.startsWith(`${word} `)).length >= count) resolve();
        };
        waiting.add(look);
        child.on('close', () => reject(new Error(`It ended before: ${stderr}`)));
        look();
      }),
    async kill() {
      child.kill('SIGKILL');
      await closed;
    },
  };
}

/** The smallest heap of its last third beyond the smallest of its first, in bytes; the first second is its start. */
function growthOf({ lines }: Emitter): number {
  const heaps = lines
    .filter((line) => line.startsWith('heap '))
    .map((line) => Number(line.split(' ')[1]))
    .slice(1);
  const third = Math.ceil(heaps.length / 3);
  return Math.min(...heaps.slice(-third)) - Math.min(...heaps.slice(0, third));
}
