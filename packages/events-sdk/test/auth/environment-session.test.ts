import { expect, test } from 'vitest';

import { sessionFromEnvironment } from '../../src/auth/index.ts';
import { jwt } from './samples.ts';

test('there is none without SPEC_KITTY_TOKEN', () => {
  expect(sessionFromEnvironment({ env: { SPEC_KITTY_SERVER: 'https://sync.example' } })).toBeNull();
  expect(sessionFromEnvironment({ env: { SPEC_KITTY_TOKEN: '  ' } })).toBeNull();
});

test('token, team and server come from the environment (FR-028a)', async () => {
  const env = { SPEC_KITTY_TOKEN: 'ci-token\n', SPEC_KITTY_TEAM: 'acme', SPEC_KITTY_SERVER: 'https://sync.example/' };

  const provider = sessionFromEnvironment({ env });

  const session = { server: 'https://sync.example', username: 'SPEC_KITTY_TOKEN', teamSlug: 'acme' };
  expect(await provider?.current()).toEqual(session);
  expect(await provider?.accessToken()).toEqual({ kind: 'token', accessToken: 'ci-token', session });
});

test('user and team come from the token claims when nothing else names them (FR-028a)', async () => {
  const env = { SPEC_KITTY_TOKEN: jwt({ email: 'ci@example.com', team: 'acme' }) };

  const provider = sessionFromEnvironment({ env, server: 'https://sync.example' });

  expect(await provider?.current()).toEqual({
    server: 'https://sync.example',
    username: 'ci@example.com',
    teamSlug: 'acme',
  });
});

test('it cannot be renewed', async () => {
  const provider = sessionFromEnvironment({ env: { SPEC_KITTY_TOKEN: 'ci-token' }, server: 'https://sync.example' });

  expect(await provider?.refresh('ci-token')).toEqual({ kind: 'expired' });
});

test.each([
  ['no server', { SPEC_KITTY_TOKEN: 'ci-token' }],
  ['an unencrypted server', { SPEC_KITTY_TOKEN: 'ci-token', SPEC_KITTY_SERVER: 'http://sync.example' }],
  ['a token with a line break', { SPEC_KITTY_TOKEN: 'ci-token\r\nx: 1', SPEC_KITTY_SERVER: 'https://sync.example' }],
])('with %s it counts as logged out, warns, and quotes no token (SEC-2, FR-025)', async (_name, env) => {
  const warnings: string[] = [];
  const logger = { warn: (_code: string, message: string) => void warnings.push(message), debug: () => {} };

  const provider = sessionFromEnvironment({ env, logger });

  expect(await provider?.accessToken()).toEqual({ kind: 'logged-out' });
  expect(await provider?.refresh('ci-token')).toEqual({ kind: 'logged-out' });
  expect(warnings).toEqual([expect.stringContaining('SPEC_KITTY_TOKEN')]);
  expect(warnings.join()).not.toContain('ci-token');
});
