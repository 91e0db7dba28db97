/** The pure parts: facts in, text out. */
import { describe, expect, test } from 'vitest';

import { readGlobalSwitches } from '../src/argv.ts';
import { packageFrames, redact, redactForTeam } from '../src/redact.ts';
import { authStatusDocument, renderAuthStatus } from '../src/render/auth.ts';
import { renderIndicator } from '../src/render/indicator.ts';
import { isColourful } from '../src/render/paint.ts';
import { progressBar, progressLine } from '../src/render/progress.ts';
import { renderSyncStatus, syncStatusDocument } from '../src/render/sync-status.ts';
import { harmless, amount, duration, visible } from '../src/render/words.ts';
import { closest } from '../src/suggest.ts';
import { unknownCommand } from '../src/unknown-command.ts';
import { quietStatus } from './support/fake-node-client.ts';

const now = Date.UTC(2026, 1, 7, 18, 4, 5);
const session = { server: 'https://kitty.example.com', username: 'alice@example.com', teamSlug: 'acme' };

describe('sync status', () => {
  const full = {
    ...quietStatus,
    queued: 1200,
    held: { project: 2, 'team-changed': 1, team: 0 },
    spilled: 2,
    parked: 1,
    dropped: 4,
    oldestPendingAt: now - 192_000,
    lastSync: { at: now - 60_000, sent: 12, stoppedBy: 'unreachable' },
    connection: { state: 'offline-batch', evidence: 'server did not answer', at: now - 60_000 },
    courier: { role: 'courier', pid: 4711, since: now - 5_000 },
    server: session.server,
    session,
    project: { uuid: 'u-u-i-d', slug: 'shop', root: '/home/someone/shop' },
  } as const;

  test('shows queue size, link state with evidence and age, and the last sync (US6-4, FR-037)', () => {
    expect(renderSyncStatus(full, now, '/home/someone')).toBe(
      [
        'Queue       1,200 events to send, oldest 3m 12s (12 % of the 10,000 it holds)',
        'Held        2: no project identity (spec-kitty init); 1: the project belongs to another team',
        'Beside it   2 events that could not get into the queue; the next command takes them in',
        'Set aside   1 event after refusals; kept, not sent: spec-kitty sync rejected list',
        'Dropped     4 events: the queue was full, or you dropped them',
        'Connection  [Offline - Batch Mode] server did not answer, 1m ago',
        'Last sync   2026-02-07 18:03:05 UTC (1m ago), 12 sent, ended: unreachable',
        'Courier     process 4711, for 5s',
        'Server      https://kitty.example.com',
        'Account     alice@example.com, team acme',
        'Project     shop (u-u-i-d)',
        'Store       node-sqlite, ~/.spec-kitty',
      ].join('\n'),
    );
  });

  test('says the age of held events where none are to send, and no full stop inside a line', () => {
    const held = {
      ...full,
      queued: 0,
      held: { team: 3 },
      connection: { ...full.connection, evidence: 'Nobody is signed in.' },
    };

    const text = renderSyncStatus(held, now);

    expect(text).toContain('Queue       0 events to send (it');
    expect(text).toContain('Held        3: no team known yet, oldest 3m 12s');
    expect(text).toContain('Nobody is signed in, 1m ago');
  });

  test('as a document has the same facts in wire spelling and ISO times', () => {
    expect(syncStatusDocument(full)).toMatchObject({
      queue: { queued: 1200, held: { project: 2 }, spilled: 2, oldest_pending_at: '2026-02-07T18:00:53.000Z' },
      connection: { state: 'offline-batch', label: '[Offline - Batch Mode]', at: '2026-02-07T18:03:05.000Z' },
      last_sync: { at: '2026-02-07T18:03:05.000Z', sent: 12, stopped_by: 'unreachable' },
      session: { username: 'alice@example.com', team_slug: 'acme' },
    });
  });

  test('of an untouched home claims nothing', () => {
    const text = renderSyncStatus(quietStatus, now, '/home/someone');

    expect(text).toContain('Last sync   Never');
    expect(text).toContain('[Offline] never connected');
    expect(text).not.toContain('Held');
  });
});

test('auth status shows how long each token lasts', () => {
  expect(
    renderAuthStatus(
      { session, state: 'refreshable', accessExpiresAt: now - 1, refreshExpiresAt: now + 93_600_000 },
      now,
    ),
  ).toBe(
    [
      'Signed in.',
      'User           alice@example.com',
      'Team           acme',
      'Server         https://kitty.example.com',
      'Access token   expired, renewed at the next sync',
      'Refresh token  valid for 1d 2h',
    ].join('\n'),
  );
});

test('auth status of a refused sign-in is not "signed in"', () => {
  const refused = { session, state: 'expired', accessExpiresAt: null, refreshExpiresAt: null } as const;

  expect(renderAuthStatus(refused, now)).toMatch(
    /^The sign-in has expired\..*\nSign in again: spec-kitty auth login\n/,
  );
  expect(authStatusDocument(refused)).toMatchObject({ authenticated: false, username: session.username });
});

test('the indicator counts events beside the queue as waiting (FR-038)', () => {
  const context = { handOff: 'none', now } as const;
  expect(renderIndicator({ ...quietStatus, session, queued: 1, spilled: 2 }, context)).toContain('3 events waiting');
  expect(renderIndicator({ ...quietStatus, session, spilled: 1 }, context)).toBe(
    '[Offline] 1 event waiting; deliver with: spec-kitty sync now',
  );
  expect(renderIndicator({ ...quietStatus, spilled: 1 }, context)).toContain('1 event waiting; sign in to deliver');
});

test('the indicator of someone signed in with nothing waiting is the state alone', () => {
  const context = { handOff: 'none', now } as const;
  expect(
    renderIndicator({ ...quietStatus, session, connection: { state: 'connected', evidence: '', at: now } }, context),
  ).toBe('[Connected]');
  expect(renderIndicator({ ...quietStatus, session, parked: 2 }, context)).toBe('[Offline] 2 set aside');
  expect(renderIndicator(quietStatus, context)).toBeNull();
});

test('the indicator says what happens to the waiting events next, and why the last try failed', () => {
  const waiting = { ...quietStatus, session, queued: 1 };
  const failing = { ...waiting, lastSync: { at: now - 12_000, sent: 0, stoppedBy: 'unreachable' } };

  expect(renderIndicator(waiting, { handOff: 'courier', now })).toBe(
    '[Offline] 1 event waiting; the courier delivers in the background',
  );
  expect(renderIndicator(failing, { handOff: 'courier', now })).toBe(
    '[Offline] 1 event waiting; the courier tries again (last try 12s ago: unreachable)',
  );
  expect(renderIndicator(waiting, { handOff: 'none', now })).toBe(
    '[Offline] 1 event waiting; deliver with: spec-kitty sync now',
  );
  expect(renderIndicator({ ...waiting, queued: 0, held: { project: 1 } }, { handOff: 'none', now })).toBe(
    '[Offline] 1 event waiting; held, see: spec-kitty sync status',
  );
});

test('durations are cut to two neighbouring units', () => {
  expect([0, 2_999, 192_000, 7_500_000, 100_800_000, 86_405_000].map(duration)).toEqual([
    '0s',
    '2s',
    '3m 12s',
    '2h 5m',
    '1d 4h',
    '1d',
  ]);
});

test('numbers are grouped by thousands', () => {
  expect([0, 999, 1000, 1234567].map(amount)).toEqual(['0', '999', '1,000', '1,234,567']);
});

test('global switches are found anywhere before --, and moved behind the command', () => {
  expect(readGlobalSwitches(['--json', 'sync', 'now'])).toEqual({
    words: ['sync', 'now', '--json'],
    json: true,
    debug: false,
  });
  expect(readGlobalSwitches(['sync', 'now', '--debug'])).toEqual({
    words: ['sync', 'now', '--debug'],
    json: false,
    debug: true,
  });
  expect(readGlobalSwitches(['--json', 'x', '--', '--debug'])).toEqual({
    words: ['x', '--json', '--', '--debug'],
    json: true,
    debug: false,
  });
  expect(readGlobalSwitches(['--json'])).toEqual({ words: [], json: true, debug: false });
});

test('a slip of the hand is recognised, another word is not', () => {
  const known = ['sync status', 'sync now', 'auth login'];

  expect(closest('sync stauts', known)).toBe('sync status');
  expect(closest('auth lgin', known)).toBe('auth login');
  expect(closest('deploy', known)).toBeNull();
});

test('words behind a command without arguments are called what they are', () => {
  expect(unknownCommand('auth:logout:now', ['auth:logout'], 'spec-kitty').message).toBe(
    '`auth logout` takes no arguments.',
  );
});

test('FORCE_COLOR beats NO_COLOR, which beats the terminal', () => {
  expect(isColourful({ FORCE_COLOR: '1', NO_COLOR: '1' }, false)).toBe(true);
  expect(isColourful({ FORCE_COLOR: '0' }, true)).toBe(false);
  expect(isColourful({ NO_COLOR: '1' }, true)).toBe(false);
  expect(isColourful({ TERM: 'dumb' }, true)).toBe(false);
  expect(isColourful({}, true)).toBe(true);
  expect(isColourful({}, false)).toBe(false);
});

test('redaction masks homes, tokens and addresses with passwords, and bounds the length (SEC-2)', () => {
  const text = 'at /home/ann/x with eyJhbGciOi.eyJzdWIi.c2ln, Bearer abc.def, token=xyz; https://u:p@host/y';

  const safe = redact(text);

  expect(safe).toMatch(/^at ~\/x with /);
  for (const secret of ['/home/ann', 'eyJhbGciOi', 'abc.def', 'xyz', 'u:p']) expect(safe).not.toContain(secret);
  expect(redact('word '.repeat(900))).toHaveLength(500);
  expect(redact('git config user.email you@example.com')).toContain('you@example.com');
  expect(redactForTeam('asked for ada@example.com')).toBe('asked for [mail address]');
});

test('a stack names files relative to their package', () => {
  const stack = [
    'Error: secret message',
    '    at work (file:///home/ann/lib/spec-kitty/dist/commands/probe.js:6:103)',
    '    at node:internal/process/task_queues:103:5',
    '    at /home/ann/other/place.js:1:2',
    '    at file:///home/ann/lib/spec-kitty/bin/run.js:25:53',
  ].join('\n');

  const frames = packageFrames(stack);

  expect(frames).toContain('dist/commands/probe.js:6:103');
  expect(frames).not.toMatch(/\/home\/|ann/);
});

describe('progress', () => {
  const half = { offered: 2_000, total: 5_000, batches: 2 };

  test('tells how far it is, how fast, and how long it will take (US2-4)', () => {
    expect(progressLine(half, 500)).toBe('2,000 of 5,000 events offered');
    expect(progressLine(half, 10_000)).toBe('2,000 of 5,000 events offered, 200/s, 15s left');
    expect(progressLine({ offered: 5_000, total: 5_000, batches: 5 }, 10_000)).toBe(
      '5,000 of 5,000 events offered, 500/s',
    );
  });

  test('has a bar in front, and never a line wider than the terminal', () => {
    expect(progressBar(half, 0, 80)).toBe('[##########..............] 2,000 of 5,000 events offered');
    expect(progressBar(half, 10_000, 40)).toHaveLength(39);
    expect(progressBar({ offered: 0, total: 0, batches: 0 }, 0, 80)).toContain('[########################]');
  });
});

test('what comes from events is shown without characters a terminal would obey, and stays the same JSON', () => {
  const text = JSON.stringify({ title: 'a\u009b31mred\u007f\u{e0001}' });

  expect(visible(text)).toBe('{"title":"a\\u009b31mred\\u007f\\udb40\\udc01"}');
  expect(JSON.parse(visible(text))).toEqual(JSON.parse(text));
});

test('a text for a terminal keeps its colours, line breaks and tabs, and nothing else a terminal obeys', () => {
  expect(harmless('\u001B[32mgreen\u001B[39m\ta\r\nb\n', true)).toBe('\u001B[32mgreen\u001B[39m\ta\nb\n');
  expect(harmless('👩‍💻 – é', true)).toBe('👩‍💻 – é');
});

// What may stand in a file, an answer of a server, a name in git, the output of an agent or a variable.
test.for([
  ['a cleared screen', '\u001B[2J', String.raw`\u001b[2J`],
  ['a hidden text', '\u001B[8m', String.raw`\u001b[8m`],
  ['another palette', '\u001B[38;5;1m', String.raw`\u001b[38;5;1m`],
  ['the window title', '\u001B]0;owned\u0007', String.raw`\u001b]0;owned\u0007`],
  ['a link', '\u001B]8;;https://evil.example\u001B\\x', String.raw`\u001b]8;;https://evil.example\u001b\x`],
  ['the clipboard', '\u001B]52;c;AAAA\u0007', String.raw`\u001b]52;c;AAAA\u0007`],
  ['a device string', '\u001BP$q\u001B\\', String.raw`\u001bP$q\u001b\\`.slice(0, -1)],
  ['a C1 sequence', '\u009B31m\u009D0;x\u009C', String.raw`\u009b31m\u009d0;x\u009c`],
  ['another direction of writing', 'a\u202Eb\u2066c', String.raw`a\u202eb\u2066c`],
  ['a line written over', 'safe\rrm -rf', String.raw`safe\u000drm -rf`],
  ['backspaces, bells and zeros', '\u0008\u0007\u0000\u007F', String.raw`\u0008\u0007\u0000\u007f`],
  ['a zero before what looks like a colour', '\u0000[1m', String.raw`\u0000[1m`],
  ['a tab before what looks like a colour', '\t[1m', '\t[1m'],
] as const)('%s is spelled out, on a terminal with colours and elsewhere', ([, text, shown]) => {
  expect(harmless(text, true)).toBe(shown);
  expect(harmless(text, false)).toBe(shown);
});

test('a style in somebody else’s text ends with the text, and off a terminal it is spelled out', () => {
  expect(harmless('\u001B[31mred', true)).toBe('\u001B[31mred\u001B[22m\u001B[39m');
  expect(harmless('\u001B[31mred', false)).toBe(String.raw`\u001b[31mred`);
});
