import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, onTestFinished, test } from 'vitest';

import { systemDisk } from '../../src/node/disk.ts';
import { makeDirectory } from '../../src/node/make-directory.ts';

function scratch(): string {
  const path = mkdtempSync(join(tmpdir(), 'spec-kitty-mkdir-'));
  onTestFinished(() => {
    rmSync(path, { recursive: true });
  });
  return path;
}

test('makes all that is missing, for the owner only, and leaves what is there', () => {
  const root = scratch();

  makeDirectory(systemDisk, join(root, 'a/b/c'));
  makeDirectory(systemDisk, join(root, 'a/b/c'));

  expect(statSync(join(root, 'a/b/c')).mode & 0o777).toBe(0o700);
});

test('refuses a path below a file', () => {
  const root = scratch();
  writeFileSync(join(root, 'file'), '');

  expect(() => {
    makeDirectory(systemDisk, join(root, 'file/below/it'));
  }).toThrow(/ENOTDIR|EEXIST/);
});

test.skipIf(!existsSync('/proc/self'))('ends where the system has no room for directories', () => {
  expect(() => {
    makeDirectory(systemDisk, '/proc/no-such-home/below');
  }).toThrow('ENOENT');
});
