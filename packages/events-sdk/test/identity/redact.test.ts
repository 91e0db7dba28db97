import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { backoffCeiling, backoffDelay } from '../../src/internal/backoff.ts';
import { redactText, trimStack } from '../../src/internal/redact.ts';

describe('redactText', () => {
  test.each([
    ['eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.S3cretS3cretS3cret', 'S3cret'],
    ['Authorization: Bearer S3cretS3cret', 'S3cret'],
    ['Authorization: Basic dXNlcjpS3cret=', 'S3cret'],
    ['clone https://user:S3cret@host/a/b failed', 'S3cret'],
    ['clone https://S3cret@host/a/b failed', 'S3cret'],
    ['key ghp_S3cretS3cretS3cret refused', 'S3cret'],
    ['key sk-S3cretS3cretS3cret refused', 'S3cret'],
    ['{"password": "S3cret x"}', 'S3cret'],
    ['MY_API_KEY=S3cret', 'S3cret'],
    ['run --token S3cret now', 'S3cret'],
    ['GET /x?access_token=S3cret&a=1', 'S3cret'],
    ['mail from jane.doe@example.org', 'jane'],
    ['hex 0123456789abcdef0123456789abcdef', '0123456789abcdef'],
    ['raw aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0dF3gH6', 'aB3dE6'],
    ['-----BEGIN RSA PRIVATE KEY-----\nS3cret\n-----END RSA PRIVATE KEY-----', 'S3cret'],
  ])('masks the secret in %s (SEC-2)', (text, secret) => {
    expect(redactText(text)).not.toContain(secret);
  });

  test.each([
    'WP01 not recorded: the queue is full.',
    'commit 0123456789abcdef0123456789abcdef01234567',
    'event 01HNZX8JGFACFA36RBXDHEQN6E of project 3f1c9a52-7f0e-4c55-9d0b-2a6c1b7e4d10',
    'git@github.com:acme/repo',
    'feature/028-cli-event-emission-and-sync-of-everything',
  ])('leaves %s as it is', (text) => {
    expect(redactText(text)).toBe(text);
  });

  test('shows home directories as ~ (SEC-2)', () => {
    expect(redactText('/data/jane/x and /home/joe/y and /Users/ann/z', { home: '/data/jane' })).toBe(
      '~/x and ~/y and ~/z',
    );
  });

  test('never exceeds its length and never cuts a token into an unknown half', () => {
    const text = `${'word '.repeat(395)}ghp_S3cretS3cretS3cret${'S3cret'.repeat(900)}`;

    const result = redactText(text);

    expect(result.length).toBeLessThanOrEqual(2_000);
    expect(result).not.toContain('S3cret');
  });

  test('masks any bearer token, wherever it stands (SEC-2)', () => {
    const token = fc.stringMatching(/^[A-Za-z0-9._-]{20,60}$/);
    fc.assert(
      fc.property(token, fc.constantFrom(' ', '\n', '"', ','), (secret, end) => {
        expect(redactText(`sent Bearer ${secret}${end}and failed`)).not.toContain(secret);
      }),
      { numRuns: 200 },
    );
  });
});

describe('trimStack', () => {
  test('keeps package-relative frames and no home (SEC-2)', () => {
    const stack = [
      'Error: password=hunter22 in /home/joe/app',
      '    at send (file:///home/joe/app/node_modules/.pnpm/p@1/node_modules/@spec-kitty/events-sdk/dist/a.js:10:5)',
      '    at /home/joe/secret-customer/src/run.ts:3:1',
      '    at node:internal/main:1:1',
    ].join('\n');

    expect(trimStack(stack).split('\n')).toEqual([
      'Error: password=[redacted] in ~/app',
      '    at send (@spec-kitty/events-sdk/dist/a.js:10:5)',
      '    at src/run.ts:3:1',
      '    at node:internal/main:1:1',
    ]);
  });

  test('keeps at most twenty frames', () => {
    const stack = `Error: x\n${'    at f (/a/dist/b.js:1:1)\n'.repeat(50)}`;

    expect(trimStack(stack).split('\n')).toHaveLength(22);
  });
});

test('backoff grows from 500 ms to 30 s and is spread over the whole range', () => {
  expect([0, 1, 2, 6, 7, 5_000].map((attempt) => backoffCeiling(attempt))).toEqual([
    500, 1_000, 2_000, 30_000, 30_000, 30_000,
  ]);
  expect([backoffDelay(0, () => 0), backoffDelay(0, () => 0.999_999), backoffDelay(9, () => 0.5)]).toEqual([
    0, 500, 15_000,
  ]);
});
