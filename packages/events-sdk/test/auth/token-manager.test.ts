import { expect, test } from 'vitest';

import {
  createMemoryCredentialStore,
  createTokenManager,
  type CredentialStore,
  type Credentials,
  type TokenEndpoint,
  type TokenEndpointAnswer,
  type TokenManager,
} from '../../src/auth/index.ts';
import { EventsSdkError } from '../../src/errors.ts';
import { createTestTime, type TestTime } from '../../src/testing/test-time.ts';
import { credentials, jwt, NOW, tokenPair } from './samples.ts';

const RENEWED = tokenPair({
  access: 'access-2',
  refresh: 'refresh-2',
  accessExpiresAt: NOW + 2_000_000,
  refreshExpiresAt: NOW + 900_000_000,
});
const EXPIRED_ACCESS = tokenPair({ accessExpiresAt: NOW - 1 });

interface Setup {
  readonly auth: TokenManager;
  readonly store: CredentialStore;
  readonly time: TestTime;
  readonly asked: { readonly path: string; readonly server: string; readonly secret: string }[];
  readonly warnings: string[];
}

function setup(
  options: {
    kept?: Credentials | null;
    reply?: TokenEndpointAnswer | (() => Promise<TokenEndpointAnswer>);
    store?: CredentialStore;
  } = {},
): Setup {
  const time = createTestTime(NOW);
  const store = options.store ?? createMemoryCredentialStore(options.kept ?? null);
  const asked: { path: string; server: string; secret: string }[] = [];
  const warnings: string[] = [];
  const { reply = { kind: 'tokens', tokens: RENEWED, teamSlug: null } } = options;
  const answer = (): Promise<TokenEndpointAnswer> => (typeof reply === 'function' ? reply() : Promise.resolve(reply));
  const endpoint: TokenEndpoint = {
    obtain({ server, password }) {
      asked.push({ path: 'obtain', server, secret: password });
      return answer();
    },
    refresh({ server, refreshToken }) {
      asked.push({ path: 'refresh', server, secret: refreshToken });
      return answer();
    },
  };
  const logger = {
    warn: (code: string, message: string) => void warnings.push(`${code} ${message}`),
    debug: () => {},
  };
  return { auth: createTokenManager({ store, endpoint, time, logger }), store, time, asked, warnings };
}

test('nobody is signed in at first', async () => {
  const { auth, asked } = setup();

  expect(await auth.current()).toBeNull();
  expect(await auth.accessToken()).toEqual({ kind: 'logged-out' });
  expect(await auth.refresh('any')).toEqual({ kind: 'logged-out' });
  expect(await auth.status()).toEqual({
    session: null,
    state: 'logged-out',
    accessExpiresAt: null,
    refreshExpiresAt: null,
  });
  expect(asked).toEqual([]);
});

test('login keeps both tokens with user, team and normalised server (FR-028a)', async () => {
  const { auth, store, asked } = setup({ reply: { kind: 'tokens', tokens: tokenPair(), teamSlug: 'acme' } });

  const session = await auth.login({
    server: 'https://Sync.example/',
    username: 'alice@example.com',
    password: 'hunter2',
  });

  expect(session).toEqual({ server: 'https://sync.example', username: 'alice@example.com', teamSlug: 'acme' });
  expect(await store.load()).toEqual(credentials());
  expect(asked).toEqual([{ path: 'obtain', server: 'https://sync.example', secret: 'hunter2' }]);
});

test.each([
  [{ team_slug: 'by-slug', team: 'by-team' }, 'by-slug'],
  [{ team: 'by-team' }, 'by-team'],
  [{ team: 'né-équipe 🐱' }, 'né-équipe 🐱'],
  [{ team: 7 }, null],
  [{ team: '' }, null],
  [{ team: 'a\u0000b' }, null],
  [{}, null],
])('takes the team from the token claims %o when the response names none (FR-028a)', async (claims, teamSlug) => {
  const { auth } = setup({ reply: { kind: 'tokens', tokens: tokenPair({ access: jwt(claims) }), teamSlug: null } });

  expect(await auth.login({ server: 'https://sync.example', username: 'a', password: 'p' })).toMatchObject({
    teamSlug,
  });
});

test.each(['', 'abc', 'a.b.c', 'a.%%%.c', `a.${btoa('null')}.c`, `a.${btoa('[1]')}.c`, '...'])(
  'takes no team from the odd token %j',
  async (access) => {
    const { auth } = setup({ kept: credentials({ teamSlug: null, tokens: tokenPair({ access }) }) });

    expect(await auth.current()).toMatchObject({ teamSlug: null });
  },
);

test('reads the team of a record that lacks it from its token (FR-028a)', async () => {
  const { auth } = setup({
    kept: credentials({ teamSlug: null, tokens: tokenPair({ access: jwt({ team: 'acme' }) }) }),
  });

  expect(await auth.current()).toMatchObject({ teamSlug: 'acme' });
});

test.each([
  [{ kind: 'refused' }, 'AUTH_REFUSED'],
  [{ kind: 'unreachable', message: 'Cannot reach it.' }, 'SERVER_UNREACHABLE'],
  [{ kind: 'invalid', message: 'Odd.' }, 'SERVER_ANSWER_INVALID'],
] as const)(
  'a login answered with %o rejects, keeps what was there and repeats no password (SEC-2)',
  async (reply, code) => {
    const { auth, store } = setup({ kept: credentials(), reply });

    const error = await auth
      .login({ server: 'https://sync.example', username: 'bob', password: 'hunter2' })
      .catch((thrown: unknown) => thrown);

    expect(error).toMatchObject({ code });
    expect(String(error)).not.toContain('hunter2');
    expect(await store.load()).toEqual(credentials());
  },
);

test('a login to a bad address or without a name asks nobody', async () => {
  const { auth, asked } = setup();

  await expect(auth.login({ server: 'http://sync.example', username: 'a', password: 'p' })).rejects.toMatchObject({
    code: 'INVALID_SERVER_URL',
  });
  await expect(auth.login({ server: 'https://sync.example', username: ' ', password: 'p' })).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
  });
  expect(asked).toEqual([]);
});

test('a valid token is given without asking anybody', async () => {
  const { auth, asked } = setup({ kept: credentials() });

  expect(await auth.accessToken()).toEqual({
    kind: 'token',
    accessToken: 'access-1',
    session: { server: 'https://sync.example', username: 'alice@example.com', teamSlug: 'acme' },
  });
  expect(asked).toEqual([]);
});

test('a token is renewed from five seconds before its end, by the refresh token', async () => {
  const { auth, store, time, asked } = setup({ kept: credentials() });
  await time.advance(894_999);
  expect(await auth.accessToken()).toMatchObject({ accessToken: 'access-1' });

  await time.advance(1);

  expect(await auth.accessToken()).toMatchObject({ kind: 'token', accessToken: 'access-2' });
  expect(asked).toEqual([{ path: 'refresh', server: 'https://sync.example', secret: 'refresh-1' }]);
  expect(await store.load()).toEqual(credentials({ tokens: RENEWED }));
});

test('a token refused before its time is renewed once, and both new tokens are kept', async () => {
  const { auth, store, asked } = setup({ kept: credentials() });

  expect(await auth.refresh('access-1')).toMatchObject({ kind: 'token', accessToken: 'access-2' });

  expect(asked).toHaveLength(1);
  expect(await store.load()).toEqual(credentials({ tokens: RENEWED }));
});

test('a refresh changes the team only when the response itself names one', async () => {
  const tokens = { ...RENEWED, access: jwt({ team: 'other' }) };
  const silent = setup({ kept: credentials(), reply: { kind: 'tokens', tokens, teamSlug: null } });
  const outspoken = setup({ kept: credentials(), reply: { kind: 'tokens', tokens, teamSlug: 'other' } });

  expect(await silent.auth.refresh('access-1')).toMatchObject({ session: { teamSlug: 'acme' } });
  expect(await outspoken.auth.refresh('access-1')).toMatchObject({ session: { teamSlug: 'other' } });
});

test("another process's newer token is adopted instead of refreshing", async () => {
  const { auth, asked } = setup({ kept: credentials({ tokens: RENEWED }) });

  expect(await auth.refresh('access-1')).toMatchObject({ kind: 'token', accessToken: 'access-2' });
  expect(asked).toEqual([]);
});

test('a newer token that has itself run out is refreshed, not adopted', async () => {
  const kept = credentials({
    tokens: tokenPair({ access: 'access-1b', refresh: 'refresh-1b', accessExpiresAt: NOW - 1 }),
  });
  const { auth, asked } = setup({ kept });

  expect(await auth.refresh('access-1')).toMatchObject({ accessToken: 'access-2' });
  expect(asked).toMatchObject([{ secret: 'refresh-1b' }]);
});

test('many callers of one process share one refresh', async () => {
  const { auth, asked } = setup({ kept: credentials({ tokens: EXPIRED_ACCESS }) });

  const answers = await Promise.all([
    auth.accessToken(),
    auth.accessToken(),
    auth.refresh('access-1'),
    auth.refresh('access-1'),
  ]);

  expect(answers.map((answer) => (answer.kind === 'token' ? answer.accessToken : answer.kind))).toEqual(
    Array(4).fill('access-2'),
  );
  expect(asked).toHaveLength(1);
});

test('a caller that gives up gets its answer at once while the others get the token', async () => {
  let finish: (answer: TokenEndpointAnswer) => void = () => {};
  const reply = (): Promise<TokenEndpointAnswer> =>
    new Promise((resolve) => {
      finish = resolve;
    });
  const { auth, asked, time } = setup({ kept: credentials(), reply });
  const control = new AbortController();
  const impatient = auth.refresh('access-1', control.signal);
  const patient = auth.refresh('access-1');
  await time.advance(0);

  control.abort();
  expect(await impatient).toMatchObject({ kind: 'unreachable' });
  finish({ kind: 'tokens', tokens: RENEWED, teamSlug: null });

  expect(await patient).toMatchObject({ kind: 'token', accessToken: 'access-2' });
  expect(asked).toHaveLength(1);
});

test('a rotation under way is seen through and kept although everyone gave up', async () => {
  let finish: (answer: TokenEndpointAnswer) => void = () => {};
  const reply = (): Promise<TokenEndpointAnswer> =>
    new Promise((resolve) => {
      finish = resolve;
    });
  const { auth, store, time } = setup({ kept: credentials(), reply });
  const control = new AbortController();
  const renewing = auth.refresh('access-1', control.signal);
  await time.advance(0);

  control.abort();
  await renewing;
  finish({ kind: 'tokens', tokens: RENEWED, teamSlug: null });
  await time.advance(0);

  expect(await store.load()).toEqual(credentials({ tokens: RENEWED }));
});

test('nobody is asked for a caller that gave up before the lock was free', async () => {
  const store = createMemoryCredentialStore(credentials());
  const { auth, asked } = setup({ store });
  let letGo: () => void = () => {};
  const holding = store.update(
    () =>
      new Promise<{ answer: undefined }>((resolve) => {
        letGo = () => {
          resolve({ answer: undefined });
        };
      }),
  );
  const control = new AbortController();
  const renewing = auth.refresh('access-1', control.signal);

  control.abort();
  await renewing;
  letGo();
  await holding;
  await store.update(() => Promise.resolve({ answer: undefined }));

  expect(asked).toEqual([]);
});

test('a refused refresh forgets the tokens but not user, team and server', async () => {
  const { auth, store, asked } = setup({ kept: credentials(), reply: { kind: 'refused' } });

  expect(await auth.refresh('access-1')).toEqual({ kind: 'expired' });

  expect(await store.load()).toEqual(credentials({ tokens: null }));
  expect(await auth.current()).toEqual({
    server: 'https://sync.example',
    username: 'alice@example.com',
    teamSlug: 'acme',
  });
  expect(await auth.status()).toMatchObject({ state: 'expired', accessExpiresAt: null });
  expect(await auth.accessToken()).toEqual({ kind: 'expired' });
  expect(asked).toHaveLength(1);
});

test('a refused refresh keeps a team that only the token knew', async () => {
  const tokens = tokenPair({ access: jwt({ team: 'acme' }) });
  const { auth } = setup({ kept: credentials({ teamSlug: null, tokens }), reply: { kind: 'refused' } });

  await auth.refresh(tokens.access);

  expect(await auth.current()).toMatchObject({ teamSlug: 'acme' });
});

test('a refusal clears nothing when another program has changed the record meanwhile', async () => {
  const inner = createMemoryCredentialStore(credentials());
  let onDisk: Credentials | null = credentials();
  const store: CredentialStore = { ...inner, load: () => Promise.resolve(onDisk) };
  const { auth } = setup({
    store,
    reply: () => {
      onDisk = credentials({ tokens: RENEWED });
      return Promise.resolve({ kind: 'refused' });
    },
  });

  expect(await auth.refresh('access-1')).toMatchObject({ kind: 'token', accessToken: 'access-2' });
  expect(await inner.load()).toEqual(credentials());
});

test.each([
  { kind: 'unreachable', message: 'Cannot reach https://sync.example.' },
  { kind: 'invalid', message: 'No usable tokens.' },
] as const)('the sign-in survives a refresh answered with $kind', async (reply) => {
  const { auth, store } = setup({ kept: credentials({ tokens: EXPIRED_ACCESS }), reply });

  expect(await auth.accessToken()).toEqual({ kind: 'unreachable', message: reply.message });
  expect(await store.load()).toEqual(credentials({ tokens: EXPIRED_ACCESS }));
});

test('a refresh token past its end is not sent, and still nothing is forgotten', async () => {
  const kept = credentials({ tokens: tokenPair({ accessExpiresAt: NOW - 2, refreshExpiresAt: NOW }) });
  const { auth, store, asked } = setup({ kept });

  expect(await auth.accessToken()).toEqual({ kind: 'expired' });
  expect(await auth.status()).toMatchObject({ state: 'expired', session: { teamSlug: 'acme' } });
  expect(asked).toEqual([]);
  expect(await store.load()).toEqual(kept);
});

test('status tells active from refreshable, with both expiries', async () => {
  const { auth, time } = setup({ kept: credentials() });

  expect(await auth.status()).toMatchObject({
    state: 'active',
    accessExpiresAt: NOW + 900_000,
    refreshExpiresAt: NOW + 604_800_000,
  });
  await time.advance(900_000);
  expect(await auth.status()).toMatchObject({ state: 'refreshable' });
});

test('logout forgets everything and says whose sign-in it was', async () => {
  const { auth, store } = setup({ kept: credentials() });

  expect(await auth.logout()).toMatchObject({ username: 'alice@example.com' });
  expect(await store.load()).toBeNull();
  expect(await auth.logout()).toBeNull();
});

test('a renewed token that cannot be saved still serves this process, with a warning that quotes no token (SEC-2)', async () => {
  const inner = createMemoryCredentialStore(credentials());
  const store: CredentialStore = {
    load: inner.load,
    async update(work) {
      await work(await inner.load());
      throw new EventsSdkError('FILE_UNUSABLE', 'Cannot write credentials (ENOSPC).');
    },
  };
  const { auth, warnings } = setup({ store });

  expect(await auth.refresh('access-1')).toMatchObject({ kind: 'token', accessToken: 'access-2' });
  expect(warnings).toEqual([expect.stringContaining('CREDENTIALS_NOT_SAVED Cannot write credentials (ENOSPC).')]);
  expect(warnings.join()).not.toMatch(/access-\d|refresh-\d/);
});

test('a lock that stays taken is trouble for now, not a lost sign-in', async () => {
  const inner = createMemoryCredentialStore(credentials());
  const store: CredentialStore = {
    load: inner.load,
    update: () => Promise.reject(new EventsSdkError('STORAGE_BUSY', 'busy')),
  };
  const { auth } = setup({ store });

  expect(await auth.refresh('access-1')).toMatchObject({ kind: 'unreachable' });
});

test('a token goes only to the server that issued it, whatever server was used before', async () => {
  const { auth, asked } = setup({ kept: credentials({ server: 'https://one.example', tokens: EXPIRED_ACCESS }) });
  await auth.accessToken();

  await auth.login({ server: 'https://two.example', username: 'bob', password: 'p' });
  await auth.refresh('access-2');

  expect(asked).toEqual([
    { path: 'refresh', server: 'https://one.example', secret: 'refresh-1' },
    { path: 'obtain', server: 'https://two.example', secret: 'p' },
    { path: 'refresh', server: 'https://two.example', secret: 'refresh-2' },
  ]);
});
