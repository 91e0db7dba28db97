/** lowdb by hand: one JSON file, written anew and renamed for each event, never forced to disk. */
import { JSONFilePreset } from 'lowdb/node';

import { ENVELOPE } from '../an-envelope.ts';
import { run } from './program.ts';

interface Content {
  clock: number;
  readonly events: string[];
}

const open = (folder: string) => JSONFilePreset<Content>(`${folder}/lowdb.json`, { clock: 0, events: [] });

await run({
  async open(folder) {
    const db = await open(folder);
    return {
      async record() {
        db.data.clock += 1;
        db.data.events.push(ENVELOPE);
        await db.write();
      },
      close() {},
    };
  },
  async fill(folder, rows) {
    const db = await open(folder);
    for (let row = 0; row < rows; row += 1) db.data.events.push(ENVELOPE);
    db.data.clock = rows;
    await db.write();
  },
});
