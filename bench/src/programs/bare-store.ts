/** SQLite by hand, through any of its drivers: clock and row in one durable transaction. */
import { appendBare, fillBare, prepareBare, type BareDatabase } from '../bare-loop.ts';
import type { Program } from './program.ts';

/** Recording with the database that `connect` opens at a path. */
export function bareStore(connect: (path: string) => BareDatabase & { close(): unknown }): Program {
  const open = (folder: string): ReturnType<typeof connect> => {
    const db = connect(`${folder}/bare.db`);
    prepareBare(db);
    return db;
  };
  return {
    open(folder) {
      const db = open(folder);
      return { record: () => appendBare(db), close: () => db.close() };
    },
    fill: (folder, rows) => fillBare(open(folder), rows),
  };
}
