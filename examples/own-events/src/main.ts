/**
 * The events of a build tool's cache, from a map to a server: first in memory, then on disk and over HTTP. Runs to its end by
 * itself; exit code 0 only if everything that was emitted has arrived. Nothing outside a scratch folder is touched.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { EventEnvelope } from '@spec-kitty/events-sdk';
import { toJsonSchema } from '@spec-kitty/events-sdk/contract';
import { openNodeClient } from '@spec-kitty/events-sdk/node';

import { build } from './build-tool.ts';
import { cacheEvents, describe, type CacheEvents } from './events.ts';
import { openInMemory } from './in-memory.ts';
import { startServer } from './server.ts';

const MONDAY = [
  { name: 'site', sources: 'export const title = "A"' },
  { name: 'styles', sources: 'body { margin: 0 }' },
];
const TUESDAY = [{ name: 'site', sources: 'export const title = "B"' }];

function chapter(text: string): void {
  console.log(`\n── ${text}\n`);
}

const schema = toJsonSchema(cacheEvents);
chapter('The map as JSON Schema, for whoever has no valibot');
console.log(JSON.stringify(schema, undefined, 2));

chapter('In memory');
const seen: EventEnvelope<CacheEvents>[] = [];
const memory = openInMemory((batch) => {
  // What leaves is what this map describes.
  for (const { data } of batch) seen.push(JSON.parse(data) as EventEnvelope<CacheEvents>);
});
await build(MONDAY, new Map(), memory);
const inMemory = await memory.close({ deadlineMs: 1_000 });
for (const event of seen) console.log(`  ${event.lamport_clock}  ${describe(event)}`);

chapter('On disk, over HTTP');
const scratch = mkdtempSync(join(tmpdir(), 'own-events-'));
const server = await startServer(schema);

/** A run of the build tool as a program of its own would be: it opens the home, emits, and closes with half a second. */
async function run(targets: typeof MONDAY, cache: Map<string, string>) {
  const dropped: string[] = [];
  const client = openNodeClient({
    events: cacheEvents,
    cwd: scratch,
    project: { uuid: '6d0c1a8e-52f3-4f0e-9b7a-0c1d2e3f4a5b', slug: 'website' },
    env: {
      PATH: process.env['PATH'],
      SPEC_KITTY_HOME: join(scratch, 'home'),
      SPEC_KITTY_TOKEN: 'from-ci',
      SPEC_KITTY_TEAM: 'web',
      SPEC_KITTY_SERVER: server.url,
    },
    hooks: { onDrop: ({ type }, { reason }) => dropped.push(`${type}: ${reason}`) },
  });
  try {
    await build(targets, cache, client);
    // A wrong key: the compiler cannot know it, the schema does.
    await client.emit({ type: 'CacheMissed', payload: { target: 'site', key: 'not hex', because: 'new' } });
  } finally {
    console.log(`  close: ${JSON.stringify(await client.close({ deadlineMs: 5_000 }))}, dropped: ${dropped.join()}`);
  }
}

try {
  const cache = new Map<string, string>();
  await run(MONDAY, cache);
  await run(TUESDAY, cache);
  // The server has checked each against the schema.
  const arrived = server.events as unknown as EventEnvelope<CacheEvents>[];
  for (const event of arrived) console.log(`  ${event.lamport_clock}  ${describe(event)}`);
  const isWhole = inMemory.delivered === 4 && seen.length === 4 && arrived.length === 7;
  console.log(isWhole ? '\nEverything arrived, in order.' : '\nSomething is missing.');
  process.exitCode = isWhole ? 0 : 1;
} finally {
  await server.close();
  rmSync(scratch, { recursive: true });
}
