import { mkdtempSync, realpathSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { systemDisk } from '../../src/node/disk.ts';
import { diskCases, type DiskUnderTest } from '../../src/testing/disk-suite.ts';
import { createSimulatedDisk } from '../../src/testing/simulated-disk.ts';

function realFolder(): DiskUnderTest {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'disk-')));
  return { disk: systemDisk, folder, cleanup: () => rmSync(folder, { recursive: true }) };
}

function simulatedFolder(): DiskUnderTest {
  const disk = createSimulatedDisk();
  disk.plantFolder('/home/user');
  return { disk, folder: '/home/user', cleanup: () => expect(disk.openFiles()).toBe(0) };
}

for (const [name, open] of Object.entries({ real: realFolder, simulated: simulatedFolder })) {
  describe(`the ${name} disk`, () => {
    for (const { title, run } of diskCases(open)) test(title, run);
  });
}

test.skipIf(process.platform === 'win32')('the real disk makes files and folders for their owner only', () => {
  const { disk, folder, cleanup } = realFolder();
  const umask = process.umask(0);
  disk.close(disk.open(join(folder, 'file'), 'wx'));
  disk.mkdir(join(folder, 'folder'));
  process.umask(umask);

  expect(statSync(join(folder, 'file')).mode & 0o777).toBe(0o600);
  expect(statSync(join(folder, 'folder')).mode & 0o777).toBe(0o700);
  cleanup();
});
