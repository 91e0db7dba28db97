/** The program as people and scripts start it. */
import { statSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, test } from 'vitest';

import { accessToken, run, serve, temporaryDirectory } from './setup.ts';

describe('user add', () => {
  test('adds a user whose password then signs in, in a file only its owner can read', async () => {
    const cwd = temporaryDirectory();

    const added = await run(['user', 'add', 'alice', '--team', 'acme', '--password-stdin'], cwd, 'correct horse\n');
    const { url } = await serve(cwd);

    expect(added).toEqual({ code: 0, stdout: 'Added alice to team acme.\n', stderr: '' });
    expect(await accessToken(url, 'alice', 'correct horse')).toEqual(expect.any(String));
    expect(statSync(join(cwd, 'team-server.db')).mode & 0o777).toBe(0o600);
  });

  test('works while the server runs', async () => {
    const cwd = temporaryDirectory();
    const { url } = await serve(cwd);

    await run(['user', 'add', 'alice', '--team', 'acme', '--password-stdin'], cwd, 'correct horse\n');

    expect(await accessToken(url, 'alice', 'correct horse')).toEqual(expect.any(String));
  });

  test('refuses a taken name, a short password, and to read a password from nowhere', async () => {
    const cwd = temporaryDirectory();
    const add = ['user', 'add', 'alice', '--team', 'acme'];
    await run([...add, '--password-stdin'], cwd, 'correct horse');

    const taken = await run([...add, '--password-stdin'], cwd, 'another password');
    const short = await run(['user', 'add', 'bob', '--team', 'acme', '--password-stdin'], cwd, 'short');
    const nowhere = await run(['user', 'add', 'bob', '--team', 'acme'], cwd);

    expect(taken).toMatchObject({ code: 1, stderr: 'User "alice" already exists.\n' });
    expect(short).toMatchObject({ code: 1, stderr: 'The password is too short: at least 8 characters.\n' });
    expect(nowhere.code).toBe(2);
    expect(nowhere.stderr).toContain('--password-stdin');
  });
});

describe('serving', () => {
  test.each(['SIGINT', 'SIGTERM'] as const)(
    'says where it is in one JSON line and leaves with 0 on %s',
    async (signal) => {
      const { url, pid, child, exit } = await serve(temporaryDirectory());

      const board = await fetch(url);
      child.kill(signal);

      expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
      expect(pid).toBe(child.pid);
      expect(board.status).toBe(200);
      expect(await exit).toEqual([0, null]);
    },
  );

  test('says which port is taken', async () => {
    const cwd = temporaryDirectory();
    const { url } = await serve(cwd);

    const second = await run(['--port', new URL(url).port], cwd);

    expect(second).toMatchObject({ code: 1, stdout: '' });
    expect(second.stderr).toContain('the port is taken');
  });

  test('says what is wrong with a data file it cannot open, without its path', async () => {
    const answer = await run(['--data', 'no/such/directory/team.db'], temporaryDirectory());

    expect(answer).toEqual({
      code: 1,
      stdout: '',
      stderr: 'Cannot open the server data file: check that its directory exists and may be written.\n',
    });
  });
});

describe('the command line', () => {
  test('shows help on stdout', async () => {
    const answer = await run(['--help'], temporaryDirectory());

    expect(answer.code).toBe(0);
    expect(answer.stdout).toContain('spec-kitty-team-server user add NAME --team TEAM');
  });

  test.each([
    [['--port', 'x']],
    [['--port', '70000']],
    [['--nope']],
    [['sing']],
    [['user', 'add']],
    [['user', 'add', 'bob']],
  ])('answers %j with exit code 2 and a way on', async (args) => {
    const answer = await run(args, temporaryDirectory());

    expect(answer.code).toBe(2);
    expect(answer.stderr).toContain('See spec-kitty-team-server --help.');
  });
});
