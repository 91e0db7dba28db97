import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { classifyAnswer } from '../../src/transport/classify.ts';
import type { PushAnswer } from '../../src/transport/port.ts';

const A = '01KGVZ3Q8M5T2N7RJ4W6XA9BCD';
const B = '01KGVZ3Q8M5T2N7RJ4W6XA9BCE';
/** Fewer by `SPEC_KITTY_MODEL_RUNS`. */
const RUNS = Number(process.env['SPEC_KITTY_MODEL_RUNS'] ?? 2_000);
const NOW = Date.UTC(2026, 1, 7, 18, 0, 0);

function classify(status: number, body: unknown = '', headers: Record<string, string> = {}): PushAnswer {
  return classifyAnswer({
    address: 'https://sync.example',
    status,
    headers: new Headers(headers),
    body: typeof body === 'string' ? body : JSON.stringify(body),
    now: NOW,
  });
}

describe('verdicts of a 200', () => {
  test.each([
    ['success', 'success'],
    ['accepted', 'success'],
    ['warning', 'success'],
    ['duplicate', 'duplicate'],
    ['pending', 'pending'],
    ['queued', 'pending'],
    ['rejected', 'rejected'],
    ['error', 'rejected'],
    ['vanished', 'rejected'],
    ['SUCCESS', 'rejected'],
    ['toString', 'rejected'],
  ])('reads status %s as %s (US2-2)', (status, verdict) => {
    const answer = classify(200, { results: [{ event_id: A, status }] });

    expect(answer).toMatchObject({ kind: 'ok', verdicts: [{ eventId: A, verdict }] });
  });

  test('takes the reason from error_message, then from error', () => {
    const results = [
      { event_id: A, status: 'rejected', error: 'second', error_message: 'first' },
      { event_id: B, status: 'rejected', error: 'payload: wp_id missing' },
    ];

    const answer = classify(200, { results });

    expect(answer).toMatchObject({ verdicts: [{ reason: 'first' }, { reason: 'payload: wp_id missing' }] });
  });

  test('passes on the clock of a clock rejection', () => {
    const answer = classify(200, {
      results: [{ event_id: A, status: 'rejected', error: 'lamport', server_clock: 41 }],
    });

    expect(answer).toMatchObject({ verdicts: [{ serverClock: 41 }] });
  });

  test('drops a malformed element and keeps the others', () => {
    const results = [
      null,
      7,
      'x',
      [],
      {},
      { event_id: A },
      { status: 'success' },
      { event_id: 5, status: 'success' },
      { event_id: B, status: 'success' },
    ];

    const answer = classify(200, { results });

    expect(answer).toEqual({ kind: 'ok', verdicts: [{ eventId: B, verdict: 'success' }] });
  });

  test('speaks once of an event: contradictory verdicts leave it untouched, agreeing ones stand', () => {
    const results = [
      { event_id: A, status: 'success' },
      { event_id: A, status: 'rejected' },
      { event_id: B, status: 'duplicate' },
      { event_id: B, status: 'success' },
    ];

    const answer = classify(200, { results });

    expect(answer).toEqual({
      kind: 'ok',
      verdicts: [
        { eventId: A, verdict: 'pending', reason: 'contradictory verdicts' },
        { eventId: B, verdict: 'duplicate' },
      ],
    });
  });

  test.each([200, 201, 202, 207])('reads verdicts from any 2xx: %i', (status) => {
    expect(classify(status, { results: [] })).toEqual({ kind: 'ok', verdicts: [] });
  });

  test.each([
    ['no body', ''],
    ['no JSON', 'OK'],
    ['cut JSON', '{"results":[{"event_id":"'],
    ['another object', { ok: true }],
    ['results that are no list', { results: {} }],
    ['a list', []],
    ['null', 'null'],
  ])('is no success with %s', (_name, body) => {
    const answer = classify(200, body);

    expect(answer).toMatchObject({ kind: 'failure', reason: 'protocol' });
    expect(answer).toHaveProperty('message', expect.stringContaining('https://sync.example'));
  });

  test.each([
    ['by its type', 'hello', { 'content-type': 'text/html; charset=utf-8' }],
    ['by its look', '\n<!DOCTYPE html><title>Sign in</title>', {}],
  ])('names the address when a web page answers, known %s', (_name, body, headers) => {
    const answer = classify(200, body, headers);

    expect(answer).toMatchObject({ kind: 'failure', reason: 'protocol' });
    expect(answer).toHaveProperty('message', expect.stringMatching(/https:\/\/sync\.example answered with a web page/));
  });
});

describe('other statuses', () => {
  test.each([
    [401, { kind: 'unauthorized' }],
    [403, { kind: 'forbidden' }],
    [404, { kind: 'failure', reason: 'protocol' }],
    [405, { kind: 'failure', reason: 'protocol' }],
    [408, { kind: 'retryable', reason: 'timeout' }],
    [412, { kind: 'failure', reason: 'protocol' }],
    [413, { kind: 'failure', reason: 'too-large' }],
    [425, { kind: 'retryable', reason: 'throttled' }],
    [429, { kind: 'retryable', reason: 'throttled' }],
    [500, { kind: 'retryable', reason: 'server-error' }],
    [502, { kind: 'retryable', reason: 'server-error' }],
    [503, { kind: 'retryable', reason: 'server-error' }],
    [504, { kind: 'retryable', reason: 'server-error' }],
    [599, { kind: 'retryable', reason: 'server-error' }],
    [0, { kind: 'failure', reason: 'protocol' }],
    [301, { kind: 'failure', reason: 'protocol' }],
    [302, { kind: 'failure', reason: 'protocol' }],
    [307, { kind: 'failure', reason: 'protocol' }],
    [308, { kind: 'failure', reason: 'protocol' }],
    [402, { kind: 'failure', reason: 'unexpected' }],
    [409, { kind: 'failure', reason: 'unexpected' }],
    [418, { kind: 'failure', reason: 'unexpected' }],
    [422, { kind: 'failure', reason: 'unexpected' }],
    [600, { kind: 'failure', reason: 'unexpected' }],
    [101, { kind: 'failure', reason: 'unexpected' }],
  ])('reads %i as %o', (status, expected) => {
    expect(classify(status, { results: [{ event_id: A, status: 'success' }] })).toMatchObject(expected);
  });

  test('carries no verdict under any status but 2xx and 400', () => {
    for (let status = 0; status < 700; status += 1) {
      if (status === 400 || (status >= 200 && status < 300)) continue;
      const answer = classify(status, { results: [{ event_id: A, status: 'success' }], details: [{ event_id: A }] });
      expect(answer).not.toHaveProperty('verdicts');
    }
  });

  test('says where a redirect leads, without its query and without a user part', () => {
    const answer = classify(302, '', { location: 'https://user:pw@login.example/in?next=abc#x' });

    expect(answer).toHaveProperty('message', expect.stringContaining('to https://login.example/in.'));
  });

  test('tells what an upgrade needs (412)', () => {
    const answer = classify(412, { error_code: 'client-too-old', sync_protocol: { upgrade_guidance: 'Install 3.x' } });

    expect(answer).toHaveProperty('message', expect.stringContaining('client-too-old · Install 3.x'));
  });

  test('reads the limits of a 413, and ignores limits that make no sense', () => {
    const limits = { max_events_per_batch: 200, max_decompressed_bytes_per_batch: 262_144 };

    expect(classify(413, { limits })).toMatchObject({ limits: { maxEvents: 200, maxBytes: 262_144 } });
    expect(classify(413, { sync_ingress: { limits } })).toMatchObject({ limits: { maxEvents: 200 } });
    expect(
      classify(413, { limits: { max_events_per_batch: 0, max_decompressed_bytes_per_batch: '9' } }),
    ).not.toHaveProperty('limits');
    expect(classify(413, '<html>')).not.toHaveProperty('limits');
  });
});

describe('a whole-batch 400', () => {
  test.each([
    ['a list', [{ event_id: A, detail: 'wp_id missing', error: 'no' }]],
    ['a string holding a list', JSON.stringify([{ event_id: A, detail: 'wp_id missing' }])],
  ])('names the events of details given as %s', (_name, details) => {
    const answer = classify(400, { error: 'Schema', details });

    expect(answer).toMatchObject({
      kind: 'failure',
      reason: 'bad-request',
      verdicts: [{ eventId: A, verdict: 'rejected', reason: 'wp_id missing' }],
    });
  });

  test('shows details given as plain text, and takes no verdict from them', () => {
    const answer = classify(400, { error: 'Schema', details: `Event ${A} has no wp_id` });

    expect(answer).toMatchObject({ kind: 'failure', reason: 'bad-request' });
    expect(answer).not.toHaveProperty('verdicts');
    expect(answer).toHaveProperty('message', expect.stringContaining(`Schema · Event ${A} has no wp_id`));
  });

  test('falls back from detail to error to reason to the outer error, and joins several for one event', () => {
    const details = [{ event_id: A, error: 'first' }, { event_id: A, reason: 'second' }, { event_id: B }];

    const answer = classify(400, { error: 'outer', details });

    expect(answer).toMatchObject({
      verdicts: [
        { eventId: A, reason: 'first; second' },
        { eventId: B, reason: 'outer' },
      ],
    });
  });

  test('without names is one for bisection', () => {
    expect(classify(400, { error: 'Max 1000 events per batch' })).toEqual({
      kind: 'failure',
      reason: 'bad-request',
      message: 'https://sync.example refuses the batch (400): Max 1000 events per batch.',
    });
    expect(classify(400, 'oops')).toMatchObject({ kind: 'failure', reason: 'bad-request' });
  });

  test('that says too large is too large', () => {
    const answer = classify(400, {
      error: 'Batch payload exceeds decompressed byte limit',
      limits: { max_decompressed_bytes_per_batch: 9 },
    });

    expect(answer).toMatchObject({ kind: 'failure', reason: 'too-large', limits: { maxBytes: 9 } });
  });
});

describe('Retry-After', () => {
  test.each([
    ['120', 120_000],
    ['0', 0],
    ['1.5', 1_500],
    [' 7 ', 7_000],
    ['Sat, 07 Feb 2026 18:00:30 GMT', 30_000],
    ['Saturday, 07-Feb-26 18:00:30 GMT', 30_000],
    ['Sat Feb  7 18:00:30 2026', 30_000],
    ['Sat, 07 Feb 2026 17:00:00 GMT', 0],
    ['Sat, 07 Feb 2099 17:00:00 GMT', 3_600_000],
    ['99999999999999999999999', 3_600_000],
  ])('%s is a floor of %i ms', (value, retryAfterMs) => {
    for (const status of [408, 425, 429, 500, 503]) {
      expect(classify(status, '', { 'retry-after': value })).toMatchObject({ kind: 'retryable', retryAfterMs });
    }
  });

  test.each(['', '-5', 'soon', 'NaN', '1e3', '2026-02-07T18:00:30Z', 'Sat, 99 Foo 2026 18:00:30 GMT'])(
    '%j is ignored',
    (value) => {
      expect(classify(429, '', { 'retry-after': value })).not.toHaveProperty('retryAfterMs');
    },
  );
});

describe("a server's words", () => {
  test('are bounded, on one line, without control characters, and without tokens (SEC-2)', () => {
    const jwt = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.s5Yb0c2c4T1c0d3f';
    const error = `bad \u001b[31mtoken\u001b[0m ${jwt}\r\nBearer aB3dE5gH7jK9mN1pQ3sT5vW7y \u202ereversed ${'x'.repeat(5_000)}`;

    const answer = classify(403, { error });

    const message = 'message' in answer ? answer.message : '';
    expect(message).toContain('refuses these events for this account (403): bad');
    expect(message).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    expect(message).not.toContain('eyJ');
    expect(message).not.toContain('aB3dE5gH7jK9mN1pQ3sT5vW7y');
    expect(message.length).toBeLessThan(420);
  });

  test('in a rejection are made safe too, and event ids in them survive', () => {
    const answer = classify(200, {
      results: [{ event_id: A, status: 'rejected', error: `\u0007see ${B}\n${'y '.repeat(9_000)}` }],
    });

    expect(answer).toMatchObject({ verdicts: [{ reason: expect.stringMatching(new RegExp(`^see ${B} y`)) }] });
    expect(answer.kind === 'ok' ? (answer.verdicts[0]?.reason ?? '').length : 0).toBe(300);
  });
});

describe('any answer whatever', () => {
  const word = fc.constantFrom(
    'results',
    'details',
    'error',
    'event_id',
    'status',
    'success',
    'duplicate',
    'limits',
    A,
    B,
  );
  const json = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 5 },
      word,
      fc.string(),
      fc.double(),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(word, tie('value'), { maxKeys: 5 }),
    ),
  })).value;
  const anyBody = fc.oneof(
    fc.string({ unit: 'binary' }),
    json.map((value) => JSON.stringify(value)),
    json.map((value) => JSON.stringify({ results: value })),
  );
  const anyStatus = fc.oneof(fc.integer({ min: 0, max: 999 }), fc.constantFrom(200, 400, 413, 429, 503));
  const anyHeaders = fc.record({ 'retry-after': fc.string(), location: fc.string(), 'content-type': fc.string() });

  test('never makes it throw, and is always one of the five kinds', () => {
    fc.assert(
      fc.property(anyStatus, anyBody, anyHeaders, (status, body, headers) => {
        const get = (name: string): string | null => (headers as Record<string, string>)[name] ?? null;
        const answer = classifyAnswer({ address: 'https://sync.example', status, headers: { get }, body, now: NOW });
        expect(['ok', 'unauthorized', 'forbidden', 'retryable', 'failure']).toContain(answer.kind);
        if (answer.kind === 'retryable' && answer.retryAfterMs !== undefined)
          expect(answer.retryAfterMs).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: RUNS },
    );
  });

  test('lets an event leave the queue only on its own explicit success or duplicate (US2-2)', () => {
    const storedWords = ['success', 'accepted', 'warning', 'duplicate'];
    fc.assert(
      fc.property(anyStatus, anyBody, (status, body) => {
        const answer = classify(status, body);
        const verdicts = 'verdicts' in answer ? (answer.verdicts ?? []) : [];
        for (const { eventId, verdict } of verdicts) {
          if (verdict !== 'success' && verdict !== 'duplicate') continue;
          const parsed = JSON.parse(body) as { results: { event_id: unknown; status: string }[] };
          const own = parsed.results.filter((entry) => entry?.event_id === eventId && typeof entry.status === 'string');
          expect(answer.kind).toBe('ok');
          expect(own.length).toBeGreaterThan(0);
          expect(own.every((entry) => storedWords.includes(entry.status))).toBe(true);
        }
      }),
      { numRuns: RUNS },
    );
  });
});
