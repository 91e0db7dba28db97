/**
 * A story with everything that could carry a secret out: faults that echo tokens, refused sign-ins, debug output, a remote
 * with a password in its address, agents, couriers, drops. Afterwards everything that was printed or written is searched.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

import { tellStorm } from '@spec-kitty/storm';
import { expect, test } from 'vitest';

import { installAgents } from './agents.ts';
import { filesBelow, findSecrets, gitObjects, watchCommandLines, type Secrets, type Seen } from './secret-search.ts';
import { DRIVERS, makeWorld, startServer } from './world.ts';

const BATCH = '/api/v1/events/batch/';
/** With everything that encodings change. */
const ADA = { username: 'ada@example.com', password: 'Canary-pässword "1"/+%& kept', team: 'acme' };
const REMOTE_PASSWORD = 'canary-of-the-remote-0815';
const ENV_TOKEN = 'canary.environment.token-4711';
/** Stands in a title: on stdout it is the answer asked for, in a message or a log it would be a leak. */
const TITLE = 'Canary of a payload 99';

const tokensIn = (credentials: string): readonly string[] =>
  [...credentials.matchAll(/^(?:access|refresh) = "(.+)"$/gm)].map((match) => match[1] ?? '');

/** One store in every run, all of them in a storm. */
const STORES = process.env['SPEC_KITTY_STORM_SECRETS'] === undefined ? DRIVERS.slice(0, 1) : DRIVERS;

test.for(STORES)(
  '%s: no token, password or payload is left anywhere but where it belongs, whatever a server echoes (SEC-2, SEC-1)',
  { timeout: 180_000 },
  async (driver, { task }) => {
    const world = makeWorld({ driver, delivery: 'courier' });
    const temp = join(world.root, 'tmp');
    mkdirSync(temp);
    world.env['TMPDIR'] = temp;
    const server = await startServer();
    await server.accounts.addUser({ ...ADA, username: 'ada2@example.com' });
    const watch = watchCommandLines();
    const printed: Record<string, string> = {};
    const messages: Record<string, string> = {};
    const tokens = new Set<string>();
    const run = async (args: readonly string[], more: Parameters<typeof world.specKitty>[1] = {}) => {
      const ended = await world.specKitty(args, { ...more, extraEnv: { DEBUG: 'spec-kitty', ...more.extraEnv } });
      const name = `${Object.keys(printed).length}: ${args.slice(0, 3).join(' ')}`;
      printed[name] = ended.stdout + ended.stderr;
      messages[name] = ended.stderr;
      for (const token of tokensIn(world.homeFile('credentials'))) tokens.add(token);
      return ended;
    };
    const login = (password: string) =>
      run(['auth', 'login', '--server', server.url, '--username', 'ada2@example.com', '--password-stdin', '--debug'], {
        input: `${password}\n`,
      });

    await world.makeProject();
    world.git('remote', 'add', 'origin', `https://ada:${REMOTE_PASSWORD}@git.example/team/demo.git`);
    const agents = installAgents(world);
    agents.say({});
    server.respondNext({ status: 400, body: { error: `wrong: ${ADA.password}` } }, { path: '/api/v1/token/' });
    await login(ADA.password);
    expect((await login(`${ADA.password} `)).code).toBe(1);
    expect((await login(ADA.password)).code).toBe(0);
    await run(['agent', 'feature', 'create-feature', 'demo', '--debug']);
    await run(['agent', 'tasks', 'scaffold', '--wp', TITLE, '--wp', 'Second:WP01']);
    const echo = (status: number) => {
      const [access = '', refresh = ''] = tokensIn(world.homeFile('credentials'));
      const words = `Authorization: Bearer ${access} / ${refresh} / ${Buffer.from(access).toString('base64')}`;
      server.respondNext(
        {
          status,
          body: { error: words, detail: words, error_code: access },
          headers: { Location: `https://evil.example/?t=${access}` },
        },
        { path: BATCH },
      );
    };
    // No courier takes the answers meant for these.
    const alone = { extraEnv: { SPEC_KITTY_DELIVERY: 'off' } };
    for (const status of [500, 400, 403, 302, 413, 429, 418]) {
      echo(status);
      await run(['agent', 'feature', 'finalize-tasks', '--emit', '--debug'], alone);
      await run(['sync', 'now', '--debug', ...(status === 400 ? ['--json'] : [])], alone);
      await run(['sync', 'explain', '--debug'], alone);
    }
    expect(new Set(server.requests.map((request) => request.status))).toEqual(
      new Set([200, 302, 400, 401, 403, 413, 418, 429, 500]),
    );
    await run(['agent', 'tasks', 'move-task', 'WP09', '--to', 'doing', '--debug', '--json']);
    await run(['agent', 'tasks', 'move-task', 'WP02', '--to', 'done', '--debug']);
    await run(['orchestrate', '--feature', '001-demo', '--unattended', '--json'], {
      extraEnv: { SPEC_KITTY_TOKEN: '' },
    });
    // The token of the environment is nobody's: refused, and told so.
    const borrowed = { SPEC_KITTY_TOKEN: ENV_TOKEN, SPEC_KITTY_TEAM: 'acme', SPEC_KITTY_SERVER: server.url };
    await run(['sync', 'now', '--debug'], { extraEnv: borrowed });
    await run(['auth', 'status', '--json'], { extraEnv: borrowed });
    server.revokeTokens('all');
    for (const args of [
      ['sync', 'status', '--check'],
      ['sync', 'doctor'],
      ['sync', 'explain'],
      ['auth', 'status'],
      ['sync', 'rejected', 'list'],
    ])
      for (const form of [[], ['--json', '--debug']]) await run([...args, ...form]);
    await run(['auth', 'logout']);
    await world.allGone();
    const seen: Seen = { ...printed, ...watch.stop(), ...filesBelow(world.root), ...gitObjects(world.repository) };

    const secrets: Secrets = {
      password: ADA.password,
      'remote password': REMOTE_PASSWORD,
      'environment token': ENV_TOKEN,
      ...Object.fromEntries([...tokens].map((token, at) => [`token ${at}`, token])),
    };
    expect(tokens.size).toBeGreaterThanOrEqual(2);
    // Where a person has written it himself.
    expect(findSecrets(secrets, seen)).toEqual(['remote password in repository/.git/config']);
    const quiet = Object.entries(filesBelow(world.root)).filter(
      ([path]) => path.startsWith('home/') && !/queue(?:\.db(?:-wal|-shm)?|\.spill)/.test(path),
    );
    expect(findSecrets({ title: TITLE }, { ...messages, ...Object.fromEntries(quiet) })).toEqual([]);
    tellStorm(task, {
      storm: 'secrets',
      variant: driver,
      counts: {
        'commands run': Object.keys(printed).length,
        'places searched': Object.keys(seen).length,
        secrets: Object.keys(secrets).length,
      },
    });
  },
);

test('the search finds a secret in every kind of place and every spelling', async ({ task }) => {
  const world = makeWorld();
  await world.makeProject();
  const secret = ADA.password;
  const spellings: Readonly<Record<string, string>> = {
    plain: `password=${secret}`,
    json: JSON.stringify({ password: secret }),
    url: `https://x.example/?p=${encodeURIComponent(secret)}`,
    'base64 alone': Buffer.from(secret).toString('base64'),
    'base64 of Basic': `Basic ${Buffer.from(`ada:${secret}`).toString('base64')}`,
    'base64 shifted': Buffer.from(`ab${secret}cd`).toString('base64url'),
  };
  const found = (places: Seen) => findSecrets({ password: secret }, places);

  for (const [spelling, text] of Object.entries(spellings))
    expect(found({ here: text }), spelling).toEqual(['password in here']);
  writeFileSync(join(world.repository, 'left.txt'), secret);
  expect(found(filesBelow(world.root))).toEqual(['password in repository/left.txt']);
  world.git('add', 'left.txt');
  world.git('commit', '--quiet', '--message', 'Left');
  world.git('reset', '--quiet', '--hard', 'HEAD~1');
  rmSync(join(world.repository, 'left.txt'), { force: true });
  expect(found(filesBelow(world.root))).toEqual([]);
  expect(found(gitObjects(world.repository))).toEqual(['password in git objects']);
  expect(found({ nothing: gzipSync(secret), other: readFileSync(join(world.repository, 'README.md')) })).toEqual([]);
  if (process.platform === 'linux') {
    const watch = watchCommandLines();
    await world.specKitty(['auth', 'login', '--nonsense', secret]);
    expect(found(watch.stop())).toEqual(['password in command lines']);
  }
  tellStorm(task, {
    storm: 'secrets',
    caught: ['a password in a message, a file, a git object nobody reaches, a command line, in six spellings'],
  });
});
