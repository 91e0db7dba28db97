/** A disk that takes no more, played by the system's own limit on file size: the write is short first, then fails. */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { aStoredEvent } from '../../src/testing/store-suite.ts';
import { DRIVERS, aQueuePath } from './stores.ts';

const appender = fileURLToPath(new URL('./fixtures/appender.ts', import.meta.url));
// 128 blocks are 64 or 128 KiB, as the shell counts; the signal is ignored so that the write itself fails.
const LIMITED = `trap '' XFSZ; ulimit -f 128; exec "$0" "$@"`;

test.skipIf(process.platform === 'win32')(
  'sql.js: a write the disk does not take whole is told as failed, and the file keeps exactly what was acknowledged',
  async () => {
    const { path, remove } = aQueuePath();
    const before = await DRIVERS.sqljs(path);
    await before.transact((tx) => {
      for (let lamportClock = 1; lamportClock <= 130; lamportClock += 1)
        tx.insert({ ...aStoredEvent({ lamportClock }), reason: 'x'.repeat(150) });
    });
    await before.close();

    const child = spawnSync('sh', ['-c', LIMITED, process.execPath, appender, 'sqljs', path, '400'], {
      encoding: 'utf8',
    });

    expect(child.status).toBe(1);
    expect(child.stderr).toContain('STORAGE_UNAVAILABLE');
    const acknowledged = child.stdout.split('\n').filter((line) => line !== '').length;
    expect(acknowledged).toBeLessThan(400);
    const store = await DRIVERS.sqljs(path);
    expect(await store.read((reader) => reader.count())).toBe(130 + acknowledged);
    await store.close();
    expect(readdirSync(dirname(path))).toEqual(['queue.db']);
    remove();
  },
);
