/** A shell in which `spec-kitty` is the built program: commands are typed there as messages print them. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { World } from './world.ts';

const bin = fileURLToPath(new URL('../../bin/run.js', import.meta.url));

/** Runs a line in a shell; standard input is empty, and placeholders are filled. */
export function typeInShell(
  world: World,
  line: string,
  folder = '',
): { readonly code: number | null; readonly output: string } {
  const programs = join(world.root, 'bin');
  mkdirSync(programs, { recursive: true });
  writeFileSync(join(programs, 'spec-kitty'), `#!/bin/sh\nexec '${process.execPath}' '${bin}' "$@"\n`, { mode: 0o755 });
  const answer = spawnSync('sh', ['-c', line], {
    cwd: join(world.repository, folder),
    env: {
      ...world.env,
      PATH: `${programs}:${process.env['PATH'] ?? ''}`,
      HOME: world.root,
      GIT_CONFIG_GLOBAL: join(world.root, 'gitconfig'),
    },
    encoding: 'utf8',
    input: '',
  });
  return { code: answer.status, output: answer.stdout + answer.stderr };
}
