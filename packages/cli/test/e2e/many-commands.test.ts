/**
 * Commands as a busy team of agents runs them: 200 fresh processes, 16 at a time, one home. `SPEC_KITTY_STORM_COMMANDS`
 * changes how many.
 */
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

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
    async () => {
      const world = makeWorld({ driver });
      await world.makeProject();
      await world.makeFeature(['One']);
      await world.must(['agent', 'feature', 'finalize-tasks']);
      const before = world.queued().length;
      // One repository for each lane, so that git's own locks are not what is measured.
      const repositories = Array.from({ length: AT_ONCE }, (_, lane) => join(world.root, `repository-${lane}`));
      for (const repository of repositories) cpSync(world.repository, repository, { recursive: true });
      const startedAt = performance.now();

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

      const seconds = (performance.now() - startedAt) / 1000;
      process.stdout.write(
        `${driver}: ${COMMANDS} commands in ${seconds.toFixed(1)} s, longest ${Math.max(...times).toFixed(0)} ms\n`,
      );
      expect(ended.filter(({ code }) => code !== 0)).toEqual([]);
      // A quiet one more: whatever a command under pressure only set aside, the next one takes in.
      await world.must(EMIT);
      const events = world.queued();
      // What a command could not record in time it has said; the native store always has the time.
      const said = ended.map(
        ({ stdout }) => (JSON.parse(stdout) as { readonly events_emitted: number }).events_emitted,
      );
      if (driver === 'node-sqlite') expect(new Set(said)).toEqual(new Set([EVENTS_EACH]));
      const total = before + EVENTS_EACH + said.reduce((sum, count) => sum + count, 0);
      expect(new Set(events.map((event) => event['event_id'])).size).toBe(total);
      expect(events.map((event) => event['lamport_clock'])).toEqual(Array.from({ length: total }, (_, at) => at + 1));
      expect(new Set(events.map((event) => event['node_id'])).size).toBe(1);
      const db = new DatabaseSync(join(world.home, 'queue.db'));
      expect(db.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
      db.close();
      expect(JSON.parse(world.homeFile('clock.json'))).toMatchObject({ value: total });
    },
  );
}
