/** The exit guarantee on a real home, against real servers, with real processes and real time. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

import { build } from 'esbuild';
import { describe, expect, onTestFinished, test } from 'vitest';

import { blackHole, withToken } from './black-hole.ts';
import { makeWorld, MOVE, readQueue, signIn, startServer } from './world.ts';

const packageRoot = join(import.meta.dirname, '..', '..');
const oldestNode = join(packageRoot, '..', '..', 'tools', 'oldest-node', 'node_modules', 'node', 'bin', 'node');

describe('against a server that takes connections and never answers', () => {
  for (const driver of ['node-sqlite', 'sqljs']) {
    test(`flush and close keep their deadlines, tell the truth, and the process ends by itself (${driver})`, async () => {
      const hole = await blackHole();
      const world = makeWorld({ env: { SPEC_KITTY_QUEUE_DRIVER: driver, ...withToken(hole.url) } });

      const child = world.start('flush');
      const ended = await child.ended;

      expect(ended).toEqual({ code: 0, signal: null, stderr: '' });
      const waiting = { delivered: 0, pending: 1, rejected: 0 };
      // Written by the fixture in this shape.
      const said = JSON.parse(child.lines()[0] ?? '{}') as { readonly tookMs: number };
      expect(said).toMatchObject({ flushed: waiting, closed: waiting, phase: 'ended' });
      expect(hole.requests()).toBeGreaterThan(0);
      // A request would be given up after 60 seconds; this machine may be busy.
      expect(said.tookMs).toBeLessThan(10_000);
    });
  }

  test('a close without time does not ask the server at all', async () => {
    const hole = await blackHole();
    const world = makeWorld({ env: withToken(hole.url) });
    const { client } = world.open();
    await client.emit(MOVE);

    expect(await client.close()).toEqual({ delivered: 0, pending: 1, rejected: 0 });

    expect(hole.requests()).toBe(0);
    expect(readQueue(world.home).rows).toMatchObject([{ state: 'queued' }]);
  });
});

test('close with time delivers what an earlier process has left as well', async () => {
  const world = makeWorld();
  const server = await startServer();
  await signIn(world, server);
  const earlier = world.open().client;
  await earlier.emit(MOVE);
  await earlier.close();
  const { client } = world.open();
  await client.emit(MOVE);

  expect(await client.close({ deadlineMs: 30_000 })).toEqual({ delivered: 2, pending: 0, rejected: 0 });

  expect(server.events()).toHaveLength(2);
});

test('a client that was never used is closed without opening its home', async () => {
  const world = makeWorld();
  const { client } = world.open();

  expect(await client.close({ deadlineMs: 1_000 })).toEqual({ delivered: 0, pending: -1, rejected: 0 });

  expect(existsSync(world.home)).toBe(false);
  await expect(client.flush()).rejects.toMatchObject({ code: 'CLOSED' });
});

test('an event kept beside the queue counts as waiting', async () => {
  const world = makeWorld();
  const { client } = world.open({ storeWaitMs: 1 });
  await client.emit(MOVE);
  const holder = new DatabaseSync(world.file('queue.db'));
  holder.exec('BEGIN IMMEDIATE');

  expect(await client.emit(MOVE)).toMatchObject({ status: 'spilled' });
  const counts = await client.flush({ deadlineMs: 100 });
  holder.exec('ROLLBACK');
  holder.close();

  expect(counts).toEqual({ delivered: 0, pending: 2, rejected: 0 });
});

/** The program as one file for Node 22; its libraries stay outside, so it lies where they are found. */
async function lowered(): Promise<string> {
  const folder = mkdtempSync(join(packageRoot, 'node_modules', '.await-using-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true });
  });
  const outfile = join(folder, 'program.mjs');
  await build({
    entryPoints: [join(import.meta.dirname, 'fixtures', 'await-using.child.ts')],
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node22',
    packages: 'external',
    outfile,
    logLevel: 'warning',
  });
  return outfile;
}

for (const [name, node] of [
  ['this Node', process.execPath],
  ['the oldest Node', oldestNode],
] as const)
  test.skipIf(!existsSync(node))(`\`await using\`, lowered, closes the client on ${name}`, async () => {
    const world = makeWorld();
    const program = await lowered();

    const child = spawn(node, [program], { cwd: world.project, env: world.env, stdio: ['ignore', 'pipe', 'inherit'] });
    let said = '';
    child.stdout.on('data', (text) => (said += String(text)));
    const [code] = (await once(child, 'close')) as [number | null];

    expect({ code, said }).toEqual({ code: 0, said: 'held\nCLOSED\n' });
  });
