/** Scratch homes with a given number of waiting events, and a project to emit from. */
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { createOfflineQueue, silentLogger, systemTime } from '@spec-kitty/events-sdk';
import { openHomeStore, resolveHome } from '@spec-kitty/events-sdk/node';
import { anEvent } from '@spec-kitty/events-sdk/testing';

export type Driver = 'node-sqlite' | 'sqljs';

export interface ScratchHome {
  readonly root: string;
  readonly project: string;
  readonly env: NodeJS.ProcessEnv;
}

const IDENTITY = 'project:\n  uuid: 3f1c9a52-7f0e-4c55-9d0b-2a6c1b7e4d10\n  slug: bench\n  node_id: "9417b43226d4"\n';

/** A home whose queue.db holds `rows` events of about 600 bytes. Its cap is high enough never to matter. */
export async function makeHome(driver: Driver, rows: number): Promise<ScratchHome> {
  const root = mkdtempSync(join(tmpdir(), 'spec-kitty-bench-'));
  const project = join(root, 'project');
  mkdirSync(join(project, '.kittify'), { recursive: true });
  writeFileSync(join(project, '.kittify', 'config.yaml'), IDENTITY);
  const home = join(root, 'home');
  mkdirSync(home);
  writeFileSync(join(home, 'config.toml'), '[sync]\nmax_queue_size = 1000000\ndelivery = "off"\n');
  const env = { ...process.env, SPEC_KITTY_HOME: home, SPEC_KITTY_QUEUE_DRIVER: driver };
  if (rows > 0) {
    const { store } = await openHomeStore({ home: resolveHome(env), env, driver, logger: silentLogger });
    const queue = createOfflineQueue({ store, time: systemTime, cap: 1_000_000 });
    const events = Array.from({ length: rows }, (_, index) => anEvent({ lamport_clock: index + 1 }));
    await queue.enqueue(events, { state: 'queued', reason: null, server: 'https://team.example', projectRoot: project });
    await store.close();
  }
  return { root, project, env };
}
