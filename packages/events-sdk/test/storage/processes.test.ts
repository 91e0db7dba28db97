import { execFileSync } from 'node:child_process';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { start } from './processes.ts';
import { DRIVERS, aQueuePath } from './stores.ts';
import type { Driver } from './stores.ts';

const APPENDS = { 'node-sqlite': { 4: 200, 16: 50 }, sqljs: { 4: 40, 16: 10 } } as const;

const integrityOf = (path: string): unknown => {
  const db = new DatabaseSync(path);
  try {
    return db.prepare('PRAGMA integrity_check').get();
  } finally {
    db.close();
  }
};
const rowsOf = async (driver: Driver, path: string): Promise<readonly { clock: number; id: string }[]> => {
  const store = await DRIVERS[driver](path);
  try {
    return await store.read((reader) => reader.events().map((row) => ({ clock: row.lamportClock, id: row.eventId })));
  } finally {
    await store.close();
  }
};

for (const driver of ['node-sqlite', 'sqljs'] as const) {
  for (const processes of [4, 16] as const) {
    test(`${driver}: ${processes} processes append at once, no row lost, clocks without gap or repeat, file intact (EC-5, SC-009, FR-006)`, async () => {
      const place = aQueuePath();
      const count = APPENDS[driver][processes];
      const children = Array.from({ length: processes }, () => start('appender', driver, place.path, String(count)));

      const ends = await Promise.all(children.map((each) => each.ended));

      expect(ends.filter(({ code }) => code !== 0)).toEqual([]);
      const expected = Array.from({ length: processes * count }, (_, index) => index + 1);
      const said = children.flatMap((each) => each.lines().map(Number)).toSorted((a, b) => a - b);
      expect(said).toEqual(expected);
      expect((await rowsOf(driver, place.path)).map((row) => row.clock)).toEqual(expected);
      expect(integrityOf(place.path)).toEqual({ integrity_check: 'ok' });
      place.remove();
    });
  }

  test(`${driver}: everything a killed process had acknowledged is there, and the next one works at once`, async () => {
    const place = aQueuePath();
    for (const acknowledged of [1, 5, 12]) {
      const killed = start('appender', driver, place.path, '1000000');
      await killed.said(acknowledged);
      killed.child.kill('SIGKILL');
      await killed.ended;

      const clocks = (await rowsOf(driver, place.path)).map((row) => row.clock);

      expect(clocks).toEqual(expect.arrayContaining(killed.lines().map(Number)));
      expect(clocks).toEqual(clocks.map((_, index) => index + 1));
    }
    const next = start('appender', driver, place.path, '1');
    expect(await next.ended).toEqual({ code: 0, stderr: '' });
    expect(integrityOf(place.path)).toEqual({ integrity_check: 'ok' });
    place.remove();
  });
}

test('foreign programs read the file and add a row by naming four columns, which the store returns in order (SC-006)', async () => {
  for (const driver of ['node-sqlite', 'sqljs'] as const) {
    const place = aQueuePath();
    const first = start('appender', driver, place.path, '2');
    expect((await first.ended).code).toBe(0);
    const insert = `INSERT INTO queue (event_id, event_type, data, timestamp) VALUES ('foreign', 'WPCreated', '{"lamport_clock":9,"team_slug":"acme"}', 1770000000)`;
    const query = `SELECT count(*), max(json_extract(data, '$.lamport_clock')) FROM queue`;

    const answers = FOREIGN.map((run) => run(place.path, insert, query)).filter((answer) => answer !== undefined);

    expect(answers.length).toBeGreaterThan(0);
    expect(answers[0]).toBe('3|9');
    expect((await rowsOf(driver, place.path)).map((row) => row.id).at(-1)).toBe('foreign');
    expect((await rowsOf(driver, place.path)).map((row) => row.clock)).toEqual([1, 2, 9]);
    place.remove();
  }
});

/** Each adds the row unless it is there already, and answers the query; undefined where it is not installed. */
const FOREIGN: readonly ((path: string, insert: string, query: string) => string | undefined)[] = [
  (path, insert, query) => {
    const script = [
      'import sqlite3, sys',
      'db = sqlite3.connect(sys.argv[1])',
      "db.execute(sys.argv[2].replace('INSERT', 'INSERT OR IGNORE', 1))",
      'db.commit()',
      "print('|'.join(str(value) for value in db.execute(sys.argv[3]).fetchone()))",
    ].join('\n');
    return ran('python3', ['-c', script, path, insert, query]);
  },
  (path, insert, query) => ran('sqlite3', [path, insert.replace('INSERT', 'INSERT OR IGNORE'), query]),
  (path, insert, query) => {
    const db = new DatabaseSync(path);
    db.exec(insert.replace('INSERT', 'INSERT OR IGNORE'));
    const answer = Object.values(db.prepare(query).get() ?? {}).join('|');
    db.close();
    return answer;
  },
];

function ran(program: string, args: readonly string[]): string | undefined {
  try {
    return execFileSync(program, [...args], { encoding: 'utf8' }).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
