/** What a person is told of an answer that is no verdict: what happened, where to look, and the server's own words. */
import { expect, test } from 'vitest';

import { classifyAnswer } from '../../src/transport/classify.ts';
import type { PushAnswer } from '../../src/transport/port.ts';

const AT = 'https://sync.example';
const A = '01KGVZ3Q8M5T2N7RJ4W6XA9BCD';
const REDIRECTED = "A token follows no redirect: set the server's real address.";

function classify(status: number, body: unknown = '', headers: Readonly<Record<string, string>> = {}): PushAnswer {
  return classifyAnswer({
    address: AT,
    status,
    headers: { get: (name) => headers[name] ?? null },
    body: typeof body === 'string' ? body : JSON.stringify(body),
    now: 0,
  });
}

test.each([
  [403, `${AT} refuses these events for this account (403).`],
  [404, `${AT} has no batch endpoint (404). Check the server's address.`],
  [405, `${AT} has no batch endpoint (405). Check the server's address.`],
  [408, `${AT} gave up waiting for the batch (408).`],
  [412, `${AT} does not speak this client's protocol (412).`],
  [413, `${AT} finds the batch too large (413).`],
  [425, `${AT} asks to slow down (425).`],
  [429, `${AT} asks to slow down (429).`],
  [500, `${AT} is in trouble (500).`],
  [599, `${AT} is in trouble (599).`],
  [600, `${AT} answered 600.`],
  [418, `${AT} answered 418.`],
  [199, `${AT} answered 199.`],
  [300, `${AT} redirects. ${REDIRECTED}`],
  [399, `${AT} redirects. ${REDIRECTED}`],
  [0, `${AT} redirects. ${REDIRECTED}`],
  [200, `${AT} answered 200 without verdicts. Check that it is a sync server.`],
  [299, `${AT} answered 299 without verdicts. Check that it is a sync server.`],
  [400, `${AT} refuses the batch (400).`],
])('a %i that says nothing is told as: %s', (status, message) => {
  expect(classify(status)).toHaveProperty('message', message);
});

test('a web page in the place of verdicts says where to look', () => {
  const message = `${AT} answered with a web page. Check the server's address and any proxy or sign-in portal.`;

  expect(classify(200, '<html>')).toHaveProperty('message', message);
  expect(classify(200, 'Welcome', { 'content-type': 'text/html' })).toHaveProperty('message', message);
});

test.each(['error_code', 'error', 'detail', 'message', 'reason', 'details'])(
  "adds the server's own words from %s",
  (field) => {
    for (const [status, ours] of [
      [403, 'refuses these events for this account (403)'],
      [412, "does not speak this client's protocol (412)"],
      [413, 'finds the batch too large (413)'],
      [429, 'asks to slow down (429)'],
      [503, 'is in trouble (503)'],
      [418, 'answered 418'],
    ] as const)
      expect(classify(status, { [field]: 'because' })).toHaveProperty('message', `${AT} ${ours}: because.`);
  },
);

test.each(['Stop.', 'Stop!', 'Stop?', 'Stop…'])('ends a sentence once: %s', (error) => {
  expect(classify(403, { error })).toHaveProperty(
    'message',
    `${AT} refuses these events for this account (403): ${error}`,
  );
});

test('takes a full stop within the words for no end', () => {
  expect(classify(418, { error: 'v1.2 is old' })).toHaveProperty('message', `${AT} answered 418: v1.2 is old.`);
});

test.each(['[]', '[{"event_id":"x"}]', '["x"]', '[ {}]'])('shows no list in the place of words: %s', (details) => {
  expect(classify(422, { error: 'Schema', details })).toHaveProperty('message', `${AT} answered 422: Schema.`);
});

test.each(['field [{x}] is missing', '[draft] is no lane'])('shows words with brackets in them: %s', (error) => {
  expect(classify(422, { error })).toHaveProperty('message', `${AT} answered 422: ${error}.`);
});

test.each([
  ['https://a.example/x?t=1', 'https://a.example/x'],
  ['https://a.example/x#t', 'https://a.example/x'],
  ['https://a.example/x?a\nb', 'https://a.example/x'],
  ['https://ada:pw@a.example/x', 'https://a.example/x'],
  ['/sign-in', '/sign-in'],
])('a redirect to %j leads to %s, without what may be secret (SEC-2)', (location, where) => {
  expect(classify(302, '', { location })).toHaveProperty('message', `${AT} redirects to ${where}. ${REDIRECTED}`);
});

test.each([
  'exceeds decompressed byte limit',
  'sync_batch_too_large',
  'REQUEST_TOO_LARGE',
  'Payload too large',
  'an oversized event',
])('a 400 that says "%s" is a batch that is too large', (error) => {
  expect(classify(400, { error })).toEqual({
    kind: 'failure',
    reason: 'too-large',
    message: `${AT} finds the batch too large (400): ${error}.`,
  });
});

test('a 400 that names its events is about them, also where it says too large', () => {
  expect(classify(400, { error: 'payload too large', details: [{ event_id: A }] })).toMatchObject({
    reason: 'bad-request',
    verdicts: [{ eventId: A, verdict: 'rejected', reason: 'payload too large' }],
  });
});

test('an event spoken of three times stays untouched unless all three agree', () => {
  const read = (...words: readonly string[]): PushAnswer =>
    classify(200, { results: words.map((status) => ({ event_id: A, status, error: 'why' })) });

  expect(read('rejected', 'error', 'vanished')).toMatchObject({ verdicts: [{ verdict: 'rejected', reason: 'why' }] });
  expect(read('success', 'rejected', 'success')).toMatchObject({ verdicts: [{ verdict: 'pending' }] });
  expect(read('duplicate', 'pending')).toMatchObject({ verdicts: [{ verdict: 'pending' }] });
});
