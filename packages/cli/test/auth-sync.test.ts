/** The auth and sync commands: words in, client calls, answer and exit code out. Real processes, scripted client. */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { buildProgram, type Program } from './support/program.ts';

let program: Program;

beforeAll(async () => {
  program = await buildProgram();
});

afterAll(() => program.remove());

const session = { server: 'https://kitty.example.com', username: 'alice@example.com', teamSlug: 'acme' };

describe('auth login', () => {
  const words = [
    'auth',
    'login',
    '--server',
    'https://kitty.example.com',
    '-u',
    'alice@example.com',
    '--password-stdin',
  ];

  test('signs in with a password from a pipe, without its line break and without printing it', async () => {
    const ended = await program.run(words, { input: 'correct horse\n' });

    expect(ended).toMatchObject({
      code: 0,
      stdout: 'Signed in as alice@example.com on https://kitty.example.com, team acme.\n',
      stderr: '',
    });
    expect(ended.calls).toContainEqual([
      'login',
      { server: 'https://kitty.example.com', username: 'alice@example.com', passwordLength: 13 },
    ]);
  });

  test('uses the server known from before', async () => {
    const ended = await program.run(['auth', 'login', '-u', 'alice@example.com', '--password-stdin'], {
      input: 'x',
      script: { server: 'https://known.example.com' },
    });

    expect(ended.stdout).toContain('https://known.example.com');
  });

  test('without any server refuses and says how to name one', async () => {
    const ended = await program.run(['auth', 'login', '-u', 'a', '--password-stdin', '--json'], { input: 'x' });

    expect(ended.code).toBe(1);
    expect(JSON.parse(ended.stdout)).toMatchObject({ code: 'no-server', remedy: expect.stringContaining('--server') });
  });

  test('never asks where there is no terminal', async () => {
    const ended = await program.run(['auth', 'login', '--server', 'https://kitty.example.com'], { during: () => {} });

    expect(ended.code).toBe(2);
    expect(ended.stderr).toContain('There is no terminal');
    expect(ended.stderr).toContain('--password-stdin');
  });

  test('looks for an existing sign-in first and reads no password then', async () => {
    const ended = await program.run(['auth', 'login'], { script: { session }, during: () => {} });

    expect(ended).toMatchObject({
      code: 0,
      calls: [
        ['authStatus', null],
        ['close', null],
      ],
    });
    expect(ended.stdout).toContain('Already signed in as alice@example.com');
  });

  test('refuses to call another account or server already signed in', async () => {
    const ended = await program.run(['auth', 'login', '-u', 'bob@example.com', '--json'], { script: { session } });

    expect(ended.code).toBe(1);
    expect(JSON.parse(ended.stdout)).toMatchObject({ code: 'already-signed-in' });
  });

  test('signs in again when forced, or when the old sign-in has run out', async () => {
    const forced = await program.run([...words, '--force'], { input: 'x', script: { session } });
    const expired = await program.run(words, {
      input: 'x',
      script: { session, authState: 'expired' },
    });

    for (const ended of [forced, expired]) expect(ended.calls.map(([method]) => method)).toContain('login');
  });

  test.for([
    ['AUTH_REFUSED', 'auth-refused', 'Check the user name and password'],
    ['SERVER_UNREACHABLE', 'server-unreachable', 'Check the network'],
    ['INVALID_SERVER_URL', 'invalid-server-url', 'https://'],
  ] as const)('answers %s with a code and a remedy', async ([code, shown, remedy]) => {
    const ended = await program.run([...words, '--json'], {
      input: 'x',
      script: { refusing: { login: [code, 'It failed.'] } },
    });

    expect(ended.code).toBe(1);
    expect(JSON.parse(ended.stdout)).toEqual({
      error: 'It failed.',
      code: shown,
      remedy: expect.stringContaining(remedy),
    });
  });
});

describe('auth status and logout', () => {
  test('being signed out is an answer with exit code 0', async () => {
    const text = await program.run(['auth', 'status']);
    const json = await program.run(['auth', 'status', '--json']);

    expect(text).toMatchObject({ code: 0 });
    expect(text.stdout).toContain('Not signed in.');
    expect(json.code).toBe(0);
    expect(JSON.parse(json.stdout)).toMatchObject({ authenticated: false, username: null });
  });

  test('a sign-in whose tokens have all run out is not authenticated', async () => {
    const ended = await program.run(['auth', 'status', '--json'], {
      script: { session, authState: 'expired', accessExpiresAt: 1000, refreshExpiresAt: 2000 },
    });

    expect(JSON.parse(ended.stdout)).toMatchObject({
      authenticated: false,
      username: 'alice@example.com',
      refresh_expires_at: '1970-01-01T00:00:02.000Z',
    });
  });

  test('logout says who was signed out, and that nobody was', async () => {
    const somebody = await program.run(['auth', 'logout'], { script: { session } });
    const nobody = await program.run(['auth', 'logout', '--json']);

    expect(somebody.stdout).toBe(
      'Signed out: alice@example.com on https://kitty.example.com, team acme. Events not yet sent are kept.\n',
    );
    expect(JSON.parse(nobody.stdout)).toMatchObject({ logged_out: false });
    expect(nobody.code).toBe(0);
  });
});

describe('sync now', () => {
  const rejection = { eventId: '01J', eventType: 'WPCreated', reason: 'unknown feature', retryCount: 1, parked: false };

  test.for([
    ['nothing to do', {}, 0],
    ['everything delivered', { sent: 5, batches: 1 }, 0],
    ['a rejection', { sent: 4, rejected: [rejection], batches: 1, remaining: 1 }, 1],
    ['a refused account', { stoppedBy: 'forbidden', remaining: 5 }, 1],
    ['pending events', { pending: 5, remaining: 5, batches: 1 }, 3],
    ['an unreachable server', { stoppedBy: 'unreachable', remaining: 5 }, 3],
    ['nobody signed in', { stoppedBy: 'logged-out', remaining: 5 }, 4],
    ['an expired sign-in', { stoppedBy: 'unauthorized', remaining: 5 }, 4],
  ] as const)('exits after %s with its code', async ([, report, code]) => {
    const ended = await program.run(['sync', 'now', '--json'], { script: { session, report } });

    expect(ended.code).toBe(code);
    expect(JSON.parse(ended.stdout)).toMatchObject({
      stopped_by: 'stoppedBy' in report ? report.stoppedBy : 'drained',
    });
    expect(ended.stderr).toBe('');
  });

  test('sums up by verdict and reason on stdout, with progress on stderr', async () => {
    const ended = await program.run(['sync', 'now'], {
      script: {
        session,
        report: {
          sent: 1200,
          duplicates: 3,
          rejected: [rejection, rejection],
          batches: 2,
          remaining: 2,
          durationMs: 2100,
        },
      },
    });

    expect(ended.stdout).toBe(
      '1,200 sent, 3 already known, 2 rejected in 2 batches (2s).\n  rejected: 2 events: unknown feature\n2 events still to send.\n',
    );
    expect(ended.stderr).toBe('1,000 of 2,400 events offered\n');
  });
});

describe('sync status --check', () => {
  const server = session.server;

  test.for([
    [
      'healthy',
      { isSignedIn: true, verdict: { kind: 'healthy', tookMs: 12 } },
      0,
      'answers (12 ms) and accepts the sign-in',
    ],
    ['healthy, nobody signed in', { isSignedIn: false, verdict: { kind: 'healthy', tookMs: 12 } }, 4, 'not signed in'],
    ['a refused token', { isSignedIn: true, verdict: { kind: 'unauthorized', tookMs: 9, message: 'x' } }, 4, '--force'],
    [
      'a refused account',
      { isSignedIn: true, verdict: { kind: 'forbidden', tookMs: 9, message: 'No (403).' } },
      1,
      'No (403)',
    ],
    [
      'no answer',
      { isSignedIn: true, verdict: { kind: 'unreachable', message: 'Cannot reach it.' } },
      3,
      'Cannot reach it',
    ],
  ] as const)('tells %s apart, by words and exit code', async ([, probe, code, words]) => {
    const script = { session, probe: { server, ...probe } };
    const text = await program.run(['sync', 'status', '--check'], { script });
    const json = await program.run(['sync', 'status', '--check', '--json'], { script });

    expect([text.code, json.code]).toEqual([code, code]);
    expect(text.stdout).toContain(words);
    expect(JSON.parse(json.stdout)).toMatchObject({ check: { server, verdict: probe.verdict.kind } });
  });

  test('without a server names the command that sets one', async () => {
    const ended = await program.run(['sync', 'status', '--check']);

    expect(ended.code).toBe(4);
    expect(ended.stdout).toContain('spec-kitty sync server URL');
  });
});

describe('sync now --report', () => {
  const rejection = {
    eventId: '01J',
    eventType: 'WPCreated',
    reason: 'field wp_id is missing',
    retryCount: 1,
    parked: false,
  };
  const script = { session, report: { sent: 2, rejected: [rejection], batches: 1, remaining: 1 } };

  test('writes verdicts, reasons and their kinds to a new file for its owner only (US2-3)', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'report-'));
    const ended = await program.run(['sync', 'now', '--report', 'sync.json'], { script, cwd: folder });

    expect(ended.code).toBe(1);
    expect(JSON.parse(readFileSync(join(folder, 'sync.json'), 'utf8'))).toMatchObject({
      summary: { total_events: 3, synced: 2, failed: 1, categories: { schema_mismatch: 1 } },
      failures: [{ event_id: '01J', error: 'field wp_id is missing', category: 'schema_mismatch' }],
      stopped_by: 'drained',
    });
    expect(statSync(join(folder, 'sync.json')).mode & 0o777).toBe(0o600);
    rmSync(folder, { recursive: true });
  });

  test('refuses a name that is taken before anything is sent', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'report-'));
    writeFileSync(join(folder, 'sync.json'), 'mine');
    const ended = await program.run(['sync', 'now', '--report', 'sync.json', '--json'], { script, cwd: folder });

    expect([ended.code, JSON.parse(ended.stdout)]).toMatchObject([1, { code: 'file-exists' }]);
    expect(ended.calls.map(([method]) => method)).not.toContain('syncNow');
    expect(readFileSync(join(folder, 'sync.json'), 'utf8')).toBe('mine');
    rmSync(folder, { recursive: true });
  });
});

describe('sync server', () => {
  test('shows, sets, and passes a bad address on as a refusal', async () => {
    const none = await program.run(['sync', 'server', '--json']);
    const set = await program.run(['sync', 'server', 'https://kitty.example.com/']);
    const bad = await program.run(['sync', 'server', 'ftp://x', '--json'], {
      script: { refusing: { setServerUrl: ['INVALID_SERVER_URL', 'Not a usable address: ftp://x'] } },
    });

    expect(JSON.parse(none.stdout)).toEqual({ server: null, changed: false });
    expect(set.stdout).toBe('Events go to https://kitty.example.com.\n');
    expect(bad.code).toBe(1);
    expect(JSON.parse(bad.stdout)).toMatchObject({ code: 'invalid-server-url' });
  });
});
