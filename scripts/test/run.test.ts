/** The one door passes arguments, exit codes and signals through, and says what is missing. */
import { spawn, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';

import { afterEach, expect, test } from 'vitest';

const door = join(import.meta.dirname, '..', 'run.mjs');
const folders: string[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

/** A repository of its own: the door, a lockfile, a `trace` command, and an `npx` that notes how it was called. */
function aRepository(traceScript: string, installExitCode = 0): { root: string; env: NodeJS.ProcessEnv } {
  const root = mkdtempSync(join(tmpdir(), 'door-'));
  folders.push(root);
  mkdirSync(join(root, 'scripts'));
  mkdirSync(join(root, 'bin'));
  cpSync(door, join(root, 'scripts', 'run.mjs'));
  writeFileSync(join(root, 'scripts', 'trace.ts'), traceScript);
  for (const file of ['pnpm-lock.yaml', 'pnpm-workspace.yaml', 'package.json']) writeFileSync(join(root, file), '{}');
  const npx = `#!/bin/sh\necho "$@" >> installs.txt\nmkdir -p node_modules\necho "npx was here"\nexit ${installExitCode}\n`;
  writeFileSync(join(root, 'bin', 'npx'), npx, { mode: 0o755 });
  return {
    root,
    env: { ...process.env, PATH: [join(root, 'bin'), dirname(process.execPath), process.env['PATH']].join(delimiter) },
  };
}

const run = ({ root, env }: ReturnType<typeof aRepository>, ...args: string[]) =>
  spawnSync(process.execPath, [join(root, 'scripts', 'run.mjs'), ...args], { encoding: 'utf8', env, timeout: 30_000 });

test('arguments and the exit code pass through', () => {
  const ended = run(
    aRepository('console.log(process.argv.slice(2).join()); process.exitCode = 7;'),
    'trace',
    '--json',
    'x',
  );

  expect(ended.stdout).toBe('--json,x\n');
  expect(ended.status).toBe(7);
});

test('the install runs once per lockfile, and the second run says nothing of it', () => {
  const repository = aRepository('console.log("done");');

  const first = run(repository, 'trace');
  const second = run(repository, 'trace');
  writeFileSync(join(repository.root, 'pnpm-lock.yaml'), 'changed');
  const third = run(repository, 'trace');

  expect(first.stderr).toContain('Installing');
  expect(second.stderr).toBe('');
  expect(second.stdout).toBe('done\n');
  expect(third.stderr).toContain('Installing');
});

test('a failing install shows its output, says what to do, and runs nothing', () => {
  const ended = run(aRepository('console.log("done");', 9), 'trace');

  expect(ended.status).toBe(1);
  expect(ended.stdout).toBe('');
  expect(ended.stderr).toContain('npx was here');
  expect(ended.stderr).toContain('run the same command again');
});

test('a termination signal reaches the running command', async () => {
  const { root, env } = aRepository(
    "process.on('SIGTERM', () => { console.log('stopped'); process.exit(3); }); setInterval(() => {}, 1000); console.log('ready');",
  );
  const child = spawn(process.execPath, [join(root, 'scripts', 'run.mjs'), 'trace'], {
    env,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let heard = '';
  child.stdout.on('data', (chunk: Buffer) => {
    heard += chunk.toString();
    if (heard === 'ready\n') child.kill('SIGTERM');
  });

  const code = await new Promise((resolve) => child.on('close', resolve));

  expect(heard).toBe('ready\nstopped\n');
  expect(code).toBe(3);
});

test('an unknown command names the known ones, and a command without its script says so', () => {
  const repository = aRepository('');

  const unknown = run(repository, 'dance');
  const absent = run(repository, 'storm');

  expect(unknown.status).toBe(2);
  expect(unknown.stderr).toContain('demo, check, trace, bench, storm, mutation, reference, format');
  expect(absent.status).toBe(1);
  expect(absent.stderr).toBe('There is no storm here: tools/storm/src/main.ts does not exist.\n');
});
