/** What a clone may hold in the place of its project file: a way to a device or a pipe, or a text without end. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { readProjectIdentity } from '../../src/node/project-identity.ts';
import { temporaryDirectory } from './setup.ts';

test.skipIf(process.platform === 'win32')(
  'a project file that is a device, a pipe or too long is broken, and read no further',
  async () => {
    const root = temporaryDirectory();
    const plant = (name: string, make: (path: string) => void): string => {
      mkdirSync(join(root, name, '.kittify'), { recursive: true });
      make(join(root, name, '.kittify', 'config.yaml'));
      return join(root, name);
    };
    const zeros = plant('zeros', (path) => {
      symlinkSync('/dev/zero', path);
    });
    const pipe = plant('pipe', (path) => {
      execFileSync('mkfifo', [path]);
    });
    const long = plant('long', (path) => {
      writeFileSync(path, Array.from({ length: 20_000 }, (_, at) => `k${at}: v`).join('\n'));
    });

    expect(await readProjectIdentity(zeros)).toMatchObject({
      kind: 'broken',
      message: expect.stringContaining('is no file'),
    });
    expect(await readProjectIdentity(pipe)).toMatchObject({
      kind: 'broken',
      message: expect.stringContaining('is no file'),
    });
    expect(await readProjectIdentity(long)).toMatchObject({
      kind: 'broken',
      message: expect.stringContaining('is larger than 128 KiB'),
    });
  },
);
