/**
 * One of many processes on one home: opens, says `ready`, waits for a word on standard input, appends, and prints the
 * milliseconds of each append as JSON. Arguments: `bare` or `emit`, how many, the database of the bare loop.
 */
import { once } from 'node:events';
import { DatabaseSync } from 'node:sqlite';

import { wpStatusChanged } from '@spec-kitty/events-sdk';
import { openNodeClient } from '@spec-kitty/events-sdk/node';

import { appendBare, prepareBare } from './bare-loop.ts';

const [kind, count, path] = process.argv.slice(2);
const { append, close } = kind === 'bare' ? openBare(String(path)) : await openClient();
process.stdout.write('ready\n');
await once(process.stdin, 'data');
const times: number[] = [];
for (let left = Number(count); left > 0; left -= 1) {
  const startedAt = performance.now();
  await append();
  times.push(performance.now() - startedAt);
}
process.stdout.write(`${JSON.stringify(times)}\n`);
await close();
process.stdin.destroy();

interface Contender {
  append(): Promise<void>;
  close(): Promise<void>;
}

/** SQLite's own wait, long enough for all the others. */
function openBare(file: string): Contender {
  const db = new DatabaseSync(file, { timeout: 60_000 });
  prepareBare(db);
  let made = 0;
  return {
    append: async () => {
      appendBare(db, `${process.pid}-${(made += 1)}`);
    },
    close: async () => {
      db.close();
    },
  };
}

async function openClient(): Promise<Contender> {
  const client = openNodeClient();
  const move = wpStatusChanged({ wpId: 'WP01', previousStatus: 'planned', newStatus: 'doing' });
  await client.status();
  return {
    async append() {
      const outcome = await client.emit(move);
      if (outcome.status === 'dropped') throw new Error(outcome.message);
    },
    close: async () => void (await client.close()),
  };
}
