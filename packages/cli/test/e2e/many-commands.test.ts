/**
 * Commands as a busy team of agents runs them: 200 fresh processes, 16 at a time, one home. `SPEC_KITTY_STORM_COMMANDS`
 * changes how many.
 */
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

import { tellStorm } from '@spec-kitty/storm';
import { expect, test } from 'vitest';

import { DRIVERS, makeWorld, type Ended } from './world.ts';

const COMMANDS = Number(process.env['SPEC_KITTY_STORM_COMMANDS'] ?? 200);
const AT_ONCE = 16;

/** Announces the feature again: two events, no commit. */
const EMIT = ['agent', 'feature', 'finalize-tasks', '--emit', '--json'];
const EVENTS_EACH = 2;

for (const driver of DRIVERS) {
  test(
    `${driver}: ${COMMANDS} commands, ${AT_ONCE} at a time, record every event once with a clock of its own (EC-5, SC-008, SC-009, FR-006)`,
    { timeout: 300_000 },
    async ({ task }) => {
      const world = makeWorld({ driver });
      await world.makeProject();
      await world.makeFeature(['One']);
      await world.must(['agent', 'feature', 'finalize-tasks']);
      const before = world.queued().length;
      // One repository for each lane, so that git's own locks are not what is measured.
      const repositories = Array.from({ length: AT_ONCE }, (_, lane) => join(world.root, `repository-${lane}`));
      for (const repository of repositories) cpSync(world.repository, repository, { recursive: true });

      const ended: Ended[] = [];
      const times: number[] = [];
      let left = COMMANDS;
      await Promise.all(
        repositories.map(async (cwd) => {
          while (left > 0) {
            left -= 1;
            const began = performance.now();
            ended.push(await world.specKitty(EMIT, { cwd }));
            times.push(performance.now() - began);
          }
        }),
      );

      expect(ended.filter(({ code }) => code !== 0)).toEqual([]);
      // A quiet one more: whatever a command under pressure only set aside, the next one takes in.
      await world.must(EMIT);
      // What a command could not record in time it has said; the native store always has the time.
      const said = ended.map(
        ({ stdout }) => (JSON.parse(stdout) as { readonly events_emitted: number }).events_emitted,
      );
      if (driver === 'node-sqlite') expect(new Set(said)).toEqual(new Set([EVENTS_EACH]));
      const total = before + EVENTS_EACH + said.reduce((sum, count) => sum + count, 0);
      expect(faultsOf(world, total)).toEqual([]);
      expect(JSON.parse(world.homeFile('clock.json'))).toMatchObject({ value: total });
      tellStorm(task, {
        storm: 'commands',
        variant: driver,
        counts: { commands: COMMANDS, 'events recorded': total },
        times: { 'a whole command': times },
      });
    },
  );
}

/** What a home lacks in which `total` events were recorded. */
function faultsOf(world: ReturnType<typeof makeWorld>, total: number): readonly string[] {
  const events = world.queued();
  const ids = new Set(events.map((event) => event['event_id'])).size;
  const nodes = new Set(events.map((event) => event['node_id'])).size;
  using db = new DatabaseSync(join(world.home, 'queue.db'));
  const integrity = db.prepare('PRAGMA integrity_check').get()?.['integrity_check'];
  return [
    ...(ids === total ? [] : [`${ids} of ${total} events`]),
    ...(events.every((event, at) => event['lamport_clock'] === at + 1) ? [] : ['a clock is missing or repeated']),
    ...(nodes === 1 ? [] : [`${nodes} nodes`]),
    ...(integrity === 'ok' ? [] : [String(integrity)]),
  ];
}

/** What a careless program does to the queue after one of the commands. */
const BROKEN = [
  ['forgets an event it has told', 'DELETE FROM queue WHERE id = 3', /\d+ of \d+ events/],
  [
    'stamps a clock it has not asked for',
    `UPDATE queue SET data = json_set(data, '$.lamport_clock', 1) WHERE id = 3`,
    /a clock is missing or repeated/,
  ],
  [
    'makes up a node of its own',
    `UPDATE queue SET data = json_set(data, '$.node_id', 'another') WHERE id = 3`,
    /2 nodes/,
  ],
] as const;

test.for(BROKEN)('the same books find a command out that %s', async ([mistake, harm, shown], { task }) => {
  const world = makeWorld();
  await world.makeProject();
  await world.makeFeature(['One']);
  await world.must(['agent', 'feature', 'finalize-tasks']);
  const total = world.queued().length + EVENTS_EACH;
  await world.must(EMIT);
  expect(faultsOf(world, total)).toEqual([]);
  {
    using db = new DatabaseSync(join(world.home, 'queue.db'));
    db.exec(harm);
  }

  expect(faultsOf(world, total).join()).toMatch(shown);
  tellStorm(task, { storm: 'commands', caught: [`a command that ${mistake}`] });
});
