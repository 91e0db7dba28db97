/** `node:sqlite` by hand: clock and row in one durable transaction. */
import { DatabaseSync } from 'node:sqlite';

import { appendBare, fillBare, prepareBare } from '../bare-loop.ts';
import { run } from './program.ts';

const open = (folder: string): DatabaseSync => {
  const db = new DatabaseSync(`${folder}/bare.db`);
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
