/** better-sqlite3 by hand: clock and row in one durable transaction. */
import Database from 'better-sqlite3';

import { appendBare, fillBare, prepareBare } from '../bare-loop.ts';
import { run } from './program.ts';

const open = (folder: string): InstanceType<typeof Database> => {
  const db = new Database(`${folder}/bare.db`);
  prepareBare(db);
  return db;
};

await run({
  open(folder) {
    const db = open(folder);
    return { record: () => appendBare(db), close: () => db.close() };
  },
  fill: (folder, rows) => fillBare(open(folder), rows),
});
