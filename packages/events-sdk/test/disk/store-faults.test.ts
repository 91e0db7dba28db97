import { expect, test } from 'vitest';
import { isEventsSdkError } from '../../src/errors.ts';
import type { Disk } from '../../src/node/disk.ts';
import { createSqlJsFile } from '../../src/node/sqljs-file.ts';
import type { EventStore } from '../../src/storage/port.ts';
import { openSqlJsStore } from '../../src/storage/sqljs/index.ts';
import { createSimulatedDisk } from '../../src/testing/simulated-disk.ts';
import { createSimulatedMachine, type SimulatedProcess } from '../../src/testing/simulated-disk-processes.ts';
import { createTestTime } from '../../src/testing/test-time.ts';
import { ignoringShortWrites } from './broken-disks.ts';
import { failureOf, forEveryFault } from './every-fault.ts';
import { HOME, inGroup, inspect, loadSqlJs, QUEUE } from './prove-store.ts';

const record = (store: EventStore, group: number): Promise<void> =>
  store.transact((tx) => {
    for (const event of inGroup(group, 2)) tx.insert(event);
  });

/** One process opens the store, records twice and closes it, on a disk that fails; then it and others go on without failures. */
function faultsOf(
  isFirst: boolean,
  errors?: Parameters<typeof forEveryFault>[1],
  mistake: (disk: Disk) => Disk = (disk) => disk,
): ReturnType<typeof forEveryFault> {
  return forEveryFault(async (wrap) => {
    const time = createTestTime();
    const disk = createSimulatedDisk({ now: time.now });
    const machine = createSimulatedMachine();
    disk.plantFolder('/home/user');
    const open = (processes: SimulatedProcess, seen: Disk = disk): Promise<EventStore> =>
      openSqlJsStore({
        loadSqlJs,
        persister: createSqlJsFile({ path: QUEUE, disk: seen, time, processes, busyTimeoutMs: 0 }),
      });
    const acknowledged = new Set<number>();
    const missing = (tree: ReadonlyMap<string, Uint8Array | null>): string | undefined => {
      const bytes = tree.get(QUEUE);
      if (bytes === undefined || bytes === null) return acknowledged.size === 0 ? undefined : 'the store is gone';
      const { events } = inspect(bytes);
      if (events === undefined) return 'the file is damaged';
      for (const group of [1, 2, 3, 4]) {
        const there = inGroup(group, 2).filter(({ eventId }) => events.has(eventId)).length;
        if (there === 1) return `half of group ${group} is there`;
        if (there === 0 && acknowledged.has(group)) return `acknowledged group ${group} is missing`;
      }
      return undefined;
    };
    const recordIn = async (store: EventStore, group: number): Promise<void> => {
      await record(store, group);
      acknowledged.add(group);
    };
    if (!isFirst) {
      const store = await open(machine.start());
      await recordIn(store, 1);
      await store.close();
    }

    const process = machine.start();
    const failures: unknown[] = [];
    const noting = (error: unknown): undefined => void failures.push(error);
    const store = await open(process, mistake(wrap(disk))).catch(noting);
    if (store !== undefined) {
      await recordIn(store, 2).catch(noting);
      await recordIn(store, 3).catch(noting);
      await store.close().catch(noting);
    }

    const raw = failures.find((error) => !isEventsSdkError(error));
    if (raw !== undefined) return `raw: ${raw instanceof Error ? raw.message : 'no error'}`;
    if (disk.openFiles() > 0) return 'a file was left open';
    for (const { tree } of disk.crashStates({ from: disk.moment(), atMostPerMoment: 20 })) {
      const loss = missing(tree);
      if (loss !== undefined) return loss;
    }
    // The same process without failures, doing again what it was not promised; then one after it.
    for (const next of [process, machine.start()]) {
      const trouble = await failureOf(async () => {
        const again = await open(next);
        for (const group of next === process ? [2, 3] : [4]) await recordIn(again, group);
        await again.close();
      });
      if (trouble !== undefined) return `the next run does not work: ${trouble.text}`;
      process.die();
      await time.advance(120_000);
    }
    const left = [...disk.tree().keys()].filter((path) => path.startsWith(`${HOME}/`) && path !== QUEUE);
    return missing(disk.tree()) ?? (left.length === 0 ? undefined : `left for ever: ${left.join()}`);
  }, errors);
}

test.each([
  ['with events', false, undefined],
  // One error that is looked at on the way to the first file, and one that is not.
  ['in a home that is not there', true, ['EIO', 'EACCES', 'short'] as const],
])(
  'the sql.js store %s: whichever call fails, the answer is ours, nothing acknowledged is missing, and it goes on after (FR-026)',
  async (_where, isFirst, errors) => {
    const { faults, wrong } = await faultsOf(isFirst, errors);

    expect(wrong).toEqual([]);
    expect(faults).toBeGreaterThan(300);
  },
  // Thousands of small databases, on a machine that may be busy.
  300_000,
);

test('the proof of failing calls finds a store that takes a short write for a whole one', async () => {
  const { wrong } = await faultsOf(false, ['short'], ignoringShortWrites);

  expect(wrong.join()).toMatch(/short once.*damaged/);
});
