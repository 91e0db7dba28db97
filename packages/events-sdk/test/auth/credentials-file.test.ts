import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import fc from 'fast-check';
import { parse } from 'smol-toml';
import { expect, onTestFinished, test } from 'vitest';

import {
  formatCredentials,
  parseExpiry,
  readPlainTables,
  tablesToCredentials,
} from '../../src/auth/credentials-format.ts';
import type { CredentialStore } from '../../src/auth/index.ts';
import { systemTime } from '../../src/internal/time.ts';
import { createCredentialsFile } from '../../src/node/credentials-file.ts';
import { currentOwner } from '../../src/node/process-owner.ts';
import { temporaryOf } from '../../src/node/replace-file.ts';
import { credentials, NOW, tokenPair } from './samples.ts';

const CONTRACT_FILE = `[tokens]
access = "aaa"
refresh = "rrr"
access_expires_at = "2026-02-07T18:19:05.120000"
refresh_expires_at = "2026-02-14T18:04:05.120000"

[user]
username = "alice@example.com"
team_slug = "acme"

[server]
url = "https://spec-kitty-dev.fly.dev"
`;
const CONTRACT_SIGN_IN = credentials({
  server: 'https://spec-kitty-dev.fly.dev',
  tokens: tokenPair({ access: 'aaa', refresh: 'rrr' }),
});

function setup(text?: string): { path: string; home: string; store: CredentialStore; warnings: string[] } {
  const root = mkdtempSync(join(tmpdir(), 'credentials-'));
  onTestFinished(() => {
    rmSync(root, { recursive: true, force: true });
  });
  const home = text === undefined ? join(root, 'home') : root;
  const path = join(home, 'credentials');
  if (text !== undefined) writeFileSync(path, text);
  const warnings: string[] = [];
  const logger = { warn: (code: string, message: string) => void warnings.push(`${code} ${message}`), debug: () => {} };
  return { path, home, warnings, store: createCredentialsFile({ path, time: systemTime, logger }) };
}

const write = (store: CredentialStore, next: ReturnType<typeof credentials> | null): Promise<void> =>
  store.update(() => Promise.resolve({ next, answer: undefined }));

test('writes the layout, key order and times of the contract', async () => {
  const { store, path } = setup();

  await write(store, CONTRACT_SIGN_IN);

  expect(readFileSync(path, 'utf8')).toBe(CONTRACT_FILE);
  expect(await store.load()).toEqual(CONTRACT_SIGN_IN);
});

test('leaves out an unknown team and refused tokens, and reads both back', async () => {
  const { store, path } = setup();
  const signIn = credentials({ teamSlug: null, tokens: null });

  await write(store, signIn);

  expect(readFileSync(path, 'utf8')).toBe(
    '[user]\nusername = "alice@example.com"\n\n[server]\nurl = "https://sync.example"\n',
  );
  expect(await store.load()).toEqual(signIn);
});

test('the file is 0600 and its folder 0700 under umask 000 too', async () => {
  const { store, path, home } = setup();
  const umask = process.umask(0);
  onTestFinished(() => void process.umask(umask));

  await write(store, credentials());

  expect((statSync(path).mode & 0o777).toString(8)).toBe('600');
  expect((statSync(home).mode & 0o777).toString(8)).toBe('700');
});

test('a file others could read is closed to them by the next write', async () => {
  const { store, path } = setup(CONTRACT_FILE);
  chmodSync(path, 0o644);

  await write(store, credentials());

  expect((statSync(path).mode & 0o777).toString(8)).toBe('600');
});

test('logout deletes the file, also a second time, and leaves nothing beside it', async () => {
  const { store, path, home } = setup();
  await write(store, credentials());
  writeFileSync(temporaryOf(path, { ...currentOwner(Date.now()), started: 'before.1' }), 'left by a killed process');

  await write(store, null);
  await write(store, null);

  expect(existsSync(path)).toBe(false);
  expect(readdirSync(home)).toEqual([]);
});

test('a change without a next record writes nothing', async () => {
  const { store, path } = setup(CONTRACT_FILE);
  const before = statSync(path, { bigint: true });

  const answer = await store.update((current) => Promise.resolve({ answer: current?.username }));

  expect(answer).toBe('alice@example.com');
  expect(statSync(path, { bigint: true }).ino).toBe(before.ino);
});

test('no file is no sign-in, without a warning and without making a folder', async () => {
  const { store, home, warnings } = setup();

  expect(await store.load()).toBeNull();
  expect(existsSync(home)).toBe(false);
  expect(warnings).toEqual([]);
});

test.each([
  ['broken TOML', '[tokens]\naccess = "SECRET-TOKEN\n'],
  ['no TOML at all', '\u0000\u0001{SECRET-TOKEN'],
  ['no user', '[tokens]\naccess = "SECRET-TOKEN"\n[server]\nurl = "https://sync.example"\n'],
  ['no server', '[user]\nusername = "alice"\n'],
  ['an unencrypted server', '[user]\nusername = "alice"\n[server]\nurl = "http://sync.example"\n'],
  ['values that are no tables', 'user = "alice"\nserver = 7\n'],
  ['nothing in it', ''],
])('%s is no sign-in, with one warning that names the file and quotes nothing (SEC-2)', async (_name, text) => {
  const { store, warnings } = setup(text);

  expect(await store.load()).toBeNull();
  expect(await store.load()).toBeNull();

  expect(warnings).toEqual([
    'CREDENTIALS_UNREADABLE credentials holds no usable sign-in. Sign in again to replace it.',
  ]);
});

test('a file that cannot be read is no sign-in, with a warning', async () => {
  const { path } = setup('x');
  rmSync(path);
  const warnings: string[] = [];
  const logger = { warn: (_code: string, message: string) => void warnings.push(message), debug: () => {} };
  // A folder in its place fails for every user, root included.
  const store = createCredentialsFile({
    path: join(path, '..'),
    time: systemTime,
    logger,
    shownAs: '~/.spec-kitty/credentials',
  });

  expect(await store.load()).toBeNull();
  expect(warnings).toEqual(['~/.spec-kitty/credentials cannot be read (EISDIR). Check its permissions.']);
});

test('a home that cannot be made is FILE_UNUSABLE, naming the file only', async () => {
  const { path } = setup(CONTRACT_FILE);
  const store = createCredentialsFile({ path: join(path, 'below', 'credentials'), time: systemTime });

  await expect(write(store, credentials())).rejects.toMatchObject({
    code: 'FILE_UNUSABLE',
    message: expect.stringMatching(/^Cannot write credentials \(/),
  });
});

test.each([
  ['2026-02-07T18:04:05.120000', NOW],
  ['2026-02-07T18:04:05.120Z', NOW],
  ['2026-02-07T18:04:05.120999Z', NOW],
  ['2026-02-07T20:04:05.120+02:00', NOW],
  ['2026-02-07T20:04:05.120+0200', NOW],
  ['2026-02-07 18:04:05.12', NOW],
  ['2026-02-07T18:04:05', NOW - 120],
  ['soon', null],
  ['', null],
  [7, null],
])('reads the expiry %j', (text, expected) => {
  expect(parseExpiry(text)).toBe(expected);
});

test("reads other people's TOML: comments, quotes, dotted tables, TOML dates", async () => {
  const { store } = setup(`# mine
tokens = { access = 'aaa', refresh = """rrr""", access_expires_at = 2026-02-07T18:19:05.120Z, refresh_expires_at = 2026-02-14T18:04:05.120 }
[ user ]
"username" = 'alice@example.com' # me
team_slug = "acme"
[server]
url = "https://spec-kitty-dev.fly.dev/"
`);

  expect(await store.load()).toEqual(CONTRACT_SIGN_IN);
});

const anyText = fc.oneof(
  fc.string({ unit: 'binary', minLength: 1 }),
  fc.constantFrom('"', '\\', '\u007f', '\ud800', 'é🐱', 'a\nb', '\\u0041', '\u0085'),
);

test('a TOML parser reads what is written, whatever the names hold, and so does the fast reader', () => {
  fc.assert(
    fc.property(anyText, anyText, (username, teamSlug) => {
      const text = formatCredentials(credentials({ username, teamSlug }));

      const tables = parse(text);

      expect(tables).toMatchObject({ user: { username: username.toWellFormed(), team_slug: teamSlug.toWellFormed() } });
      const fast = readPlainTables(text);
      if (fast !== undefined) expect(fast).toEqual(tables);
    }),
    { numRuns: 500 },
  );
});

test('the fast reader either agrees with the TOML parser or leaves the file to it', () => {
  const piece = fc.constantFrom(
    '[user]',
    '[a_b]',
    '[a.b]',
    '[[user]]',
    'k = "v"',
    'k = "\\u00e9\\n"',
    'k = "\\x"',
    'k = "a" # c',
    'x = 1',
    '# c',
    '',
    ' ',
    'j = """t"""',
    'k = "\\ud800"',
    "k = 'v'",
    '__proto__ = "p"',
    '[__proto__]',
    'k="v"',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 6 }), fc.constantFrom('\n', '\r\n'), (pieces, end) => {
      const text = pieces.join(end);
      const fast = readPlainTables(text);
      if (fast !== undefined) expect(Object.entries(fast)).toEqual(Object.entries(parse(text)));
    }),
    { numRuns: 1_000 },
  );
});

test('the fast reader reads a real sign-in, so that an emission loads no TOML parser', () => {
  const tables = readPlainTables(CONTRACT_FILE);

  expect(tables === undefined ? null : tablesToCredentials(tables)).toEqual(CONTRACT_SIGN_IN);
});

function startChild(name: string, ...args: string[]): ChildProcess & { output: () => string } {
  const child = spawn(
    process.execPath,
    ['--experimental-strip-types', '--no-warnings', fileURLToPath(new URL(name, import.meta.url)), ...args],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  return Object.assign(child, { output: () => text });
}

test('a process killed while it writes leaves the old file or the new one, and no lock that holds others up', async () => {
  const { store, path, home } = setup();
  await write(store, credentials({ username: 'generation-0' }));
  const kills = 12;
  let reached = 0;

  for (let kill = 0; kill < kills; kill += 1) {
    const child = startChild('write-forever.child.ts', path);
    const closed = once(child, 'close');
    // Another point of the writing loop each time: the child has done a different number of writes.
    await new Promise<void>((resolve) => {
      child.stdout?.on('data', () => {
        if (child.output().length > 2 + kill * 7) resolve();
      });
    });
    child.kill('SIGKILL');
    await closed;

    const text = readFileSync(path, 'utf8');
    const generation = /username = "generation-(\d+)"/.exec(text)?.[1];
    expect(text).toBe(
      formatCredentials(
        credentials({ username: `generation-${generation}`, tokens: tokenPair({ access: `access-${generation}` }) }),
      ),
    );
    reached = Number(generation);
    await write(store, credentials({ username: 'generation-0', tokens: tokenPair({ access: 'access-0' }) }));
  }

  expect(reached).toBeGreaterThan(0);
  expect(readdirSync(home).filter((name) => name.endsWith('.tmp'))).toEqual([]);
});
