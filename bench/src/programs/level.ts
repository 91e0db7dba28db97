/** LevelDB by hand: clock and event in one batch, with `sync`, which is not its default. */
import { Level } from 'level';

import { ENVELOPE } from '../an-envelope.ts';
import { run } from './program.ts';

const KEY_DIGITS = 12;
const keyOf = (clock: number): string => `event-${String(clock).padStart(KEY_DIGITS, '0')}`;

const open = (folder: string): Level => new Level(`${folder}/level`);

await run({
  open(folder) {
    const db = open(folder);
    return {
      async record() {
        const clock = Number((await db.get('clock')) ?? 0) + 1;
        await db.batch(
          [
            { type: 'put', key: 'clock', value: String(clock) },
            { type: 'put', key: keyOf(clock), value: ENVELOPE },
          ],
          { sync: true },
        );
      },
      close: () => db.close(),
    };
  },
  async fill(folder, rows) {
    const db = open(folder);
    const puts = Array.from({ length: rows }, (_, index) => ({
      type: 'put' as const,
      key: keyOf(index + 1),
      value: ENVELOPE,
    }));
    await db.batch([...puts, { type: 'put', key: 'clock', value: String(rows) }], { sync: true });
    await db.close();
  },
});
