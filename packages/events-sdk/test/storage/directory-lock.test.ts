import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { withDirectoryLock } from '../../src/node/directory-lock.ts';
import { currentOwner, ownerToName } from '../../src/node/process-owner.ts';
import { start } from './processes.ts';
import { aQueuePath } from './stores.ts';

test('lets one in at a time, and leaves nothing behind', async () => {
  const place = aQueuePath();
  const lock = join(place.folder, 'queue.db.lock');
  let inside = 0;
  let most = 0;

  await Promise.all(
    Array.from({ length: 20 }, () =>
      withDirectoryLock(lock, { waitMs: 10_000 }, async () => {
        inside += 1;
        most = Math.max(most, inside);
        await new Promise((resolve) => setImmediate(resolve));
        inside -= 1;
      }),
    ),
  );

  expect(most).toBe(1);
  expect(readdirSync(place.folder)).toEqual([]);
  place.remove();
});

test('takes over at once from a killed process', async () => {
  const place = aQueuePath();
  const lock = join(place.folder, 'queue.db.lock');
  const holder = start('lock-holder', lock);
  await holder.said(1);
  holder.child.kill('SIGKILL');
  await holder.ended;

  expect(await withDirectoryLock(lock, { waitMs: 0 }, async () => 'in')).toBe('in');
  expect(existsSync(lock)).toBe(false);
  place.remove();
});

test('removes what a killed process left while taking or letting go, however young, and nothing of a living one', async () => {
  const place = aQueuePath();
  const lock = join(place.folder, 'queue.db.lock');
  const living = currentOwner(Date.now());
  const [left, kept] = [{ ...living, started: 'before.1' }, living].map((owner) => `${lock}.${ownerToName(owner)}`);
  for (const path of [left, kept]) mkdirSync(String(path));

  await withDirectoryLock(lock, { waitMs: 0 }, async () => 'in');

  expect([existsSync(String(left)), existsSync(String(kept))]).toEqual([process.platform !== 'linux', true]);
  place.remove();
});

test('waits for a stopped but living process, then names it', async () => {
  const place = aQueuePath();
  const lock = join(place.folder, 'queue.db.lock');
  const holder = start('lock-holder', lock);
  await holder.said(1);
  holder.child.kill('SIGSTOP');

  await expect(withDirectoryLock(lock, { waitMs: 300 }, async () => 'in')).rejects.toMatchObject({
    code: 'STORAGE_BUSY',
    message: expect.stringContaining(`process ${holder.child.pid}`),
  });
  holder.child.kill('SIGKILL');
  await holder.ended;
  place.remove();
});

test('tells a process from a later one with the same number', async () => {
  const place = aQueuePath();
  const lock = join(place.folder, 'queue.db.lock');
  mkdirSync(lock);
  writeFileSync(join(lock, ownerToName({ ...currentOwner(Date.now()), started: 'other-boot.1' })), '');

  expect(await withDirectoryLock(lock, { waitMs: 0 }, async () => 'in')).toBe('in');
  place.remove();
});

test('gives an owner on another machine, or without a name, only to age', async () => {
  const place = aQueuePath();
  for (const [name, owner] of [
    ['foreign.lock', { ...currentOwner(Date.now()), host: 'elsewhere~1' }],
    ['unnamed.lock', undefined],
  ] as const) {
    const lock = join(place.folder, name);
    mkdirSync(lock);
    if (owner !== undefined) writeFileSync(join(lock, ownerToName(owner)), '');
    const later = { now: () => Date.now() + 120_000, after: () => () => {} };

    await expect(withDirectoryLock(lock, { waitMs: 0 }, async () => 'in')).rejects.toMatchObject({
      code: 'STORAGE_BUSY',
    });
    expect(await withDirectoryLock(lock, { waitMs: 0, time: later }, async () => 'in')).toBe('in');
  }
  place.remove();
});

test('stops waiting when told to', async () => {
  const place = aQueuePath();
  const lock = join(place.folder, 'queue.db.lock');
  const stop = new AbortController();

  await withDirectoryLock(lock, { waitMs: 1_000 }, async () => {
    const second = withDirectoryLock(lock, { waitMs: 60_000, signal: stop.signal }, async () => 'in');
    stop.abort();
    await expect(second).rejects.toMatchObject({ code: 'STORAGE_BUSY' });
  });
  place.remove();
});
