import { expect, test } from 'vitest';

import { isEventsSdkError } from '../../src/errors.ts';
import { parseServerUrl } from '../../src/auth/index.ts';

test.each([
  ['https://sync.example', 'https://sync.example'],
  ['https://sync.example/', 'https://sync.example'],
  ['  HTTPS://Sync.Example:443///  ', 'https://sync.example'],
  ['https://sync.example:8443', 'https://sync.example:8443'],
  ['https://sync.example/kitty//', 'https://sync.example/kitty'],
  ['http://localhost:8000/', 'http://localhost:8000'],
  ['http://127.0.0.1:8000', 'http://127.0.0.1:8000'],
  ['http://127.9.9.9', 'http://127.9.9.9'],
  ['http://[::1]:8000', 'http://[::1]:8000'],
])('%j becomes %s', (text, expected) => {
  expect(parseServerUrl(text)).toBe(expected);
});

test.each([
  '',
  'sync.example',
  'https:sync.example',
  'https:///sync.example',
  '//sync.example',
  'ftp://sync.example',
  'file:///etc/passwd',
  'javascript://sync.example/%0aalert(1)',
  'http://sync.example',
  'http://127.0.0.1.evil.example',
  'http://localhost.evil.example',
  'http://10.0.0.1',
  'http://[::2]',
  'https://sync.example/?team=a',
  'https://sync.example/#a',
  'https://exa mple',
])('%j is refused, so that no token travels there (SEC-3)', (text) => {
  expect(() => parseServerUrl(text)).toThrow(expect.objectContaining({ code: 'INVALID_SERVER_URL' }));
});

test('an address with a password is refused without repeating it (SEC-2)', () => {
  let caught: unknown;
  try {
    parseServerUrl('https://alice:hunter2@sync.example');
  } catch (error) {
    caught = error;
  }

  expect(isEventsSdkError(caught, 'INVALID_SERVER_URL')).toBe(true);
  expect(String(caught)).toContain('sync.example');
  expect(String(caught)).not.toMatch(/hunter2|alice/);
});
