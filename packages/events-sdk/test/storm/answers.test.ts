/**
 * Whatever a server answers: the client neither throws nor hangs, lets an event go only on a success or duplicate that names it,
 * shows nobody's secret and obeys no control character; and when the server is well again, it gets what is left.
 * The real client, engine and HTTP transport, over a `fetch` whose answers are odd. `SPEC_KITTY_STORM_ANSWERS` sets how many
 * answers there are at least, `SPEC_KITTY_STORM_SEED` replays them.
 */
import { tellStorm } from '@spec-kitty/storm';
import { expect, test } from 'vitest';

import { readVerdicts } from '../../src/contract/batch.ts';
import { createHttpTransport } from '../../src/transport/http/index.ts';
import type { Transport } from '../../src/transport/port.ts';
import { createTestTime } from '../../src/testing/test-time.ts';
import { createRandom } from '../../src/testing/seeded-random.ts';
import { MOVE, setupClient } from '../core/client-setup.ts';
import { oddAnswer } from './odd-answers.ts';
import { between } from './random.ts';

const ANSWERS = Number(process.env['SPEC_KITTY_STORM_ANSWERS'] ?? 2_000);
const SEED = Number(process.env['SPEC_KITTY_STORM_SEED'] ?? Date.now() % 1_000_000);
/** Any control or format character but those of JSON's own escapes. */
const OBEYED = /[\p{Cc}\p{Cf}]/u;
const TAKEN = new Set(['success', 'accepted', 'warning', 'duplicate']);

interface Passed {
  readonly answers: number;
  readonly events: number;
  readonly faults: readonly string[];
}

/** One client, some events, some odd answers, then a healthy server. */
async function live(
  seed: number,
  broken: (transport: Transport) => Transport = (transport) => transport,
): Promise<Passed> {
  const random = createRandom(seed);
  const faults: string[] = [];
  const time = createTestTime();
  const secret = `eyJhbGciOiJIUzI1NiJ9.${'c'.repeat(30)}.s5Yb0c2c4T1c0d3f${seed}`;
  const allowed = new Set<string>();
  const onServer = new Map<string, number>();
  let [answers, odd] = [0, between(random, 2, 9)];

  /** What of this text lets which events go, by a reader of its own. */
  const notePermissions = (status: number, body: string, ids: readonly string[]): void => {
    if (status < 200 || status > 299) return;
    let parsed: unknown;
    try {
      parsed = JSON.parse(body);
    } catch {
      return;
    }
    const results: unknown =
      typeof parsed === 'object' && parsed !== null ? (parsed as { results?: unknown }).results : null;
    for (const entry of Array.isArray(results) ? results : []) {
      const { event_id: id, status: word } = (entry ?? {}) as Record<string, unknown>;
      if (typeof id === 'string' && typeof word === 'string' && ids.includes(id) && TAKEN.has(word)) allowed.add(id);
    }
  };

  const transport = createHttpTransport({
    time,
    gzip: async (bytes) => bytes,
    fetch: async (input, init) => {
      const request = input instanceof Request ? input : new Request(input, init);
      if (!request.url.endsWith('/events/batch/')) return new Response('{}', { status: 404 });
      const sent = JSON.parse(await request.text()) as { readonly events: readonly { readonly event_id: string }[] };
      const ids = sent.events.map(({ event_id }) => event_id);
      answers += 1;
      if (answers > 2_000) throw new Error('The sync does not end.');
      if (odd <= 0) {
        for (const id of ids) onServer.set(id, (onServer.get(id) ?? 0) + 1);
        return Response.json({ results: ids.map((event_id) => ({ event_id, status: 'success' })) });
      }
      odd -= 1;
      const { status, headers, body } = oddAnswer(random, ids, secret);
      notePermissions(status, body, ids);
      return new Response(status === 204 ? null : body, { status, headers });
    },
  });
  const warned: string[] = [];
  const { client, store } = setupClient({
    time,
    openTransport: () => Promise.resolve(broken(transport)),
    session: {
      current: async () => SESSION,
      accessToken: async () => ({ kind: 'token', accessToken: secret, session: SESSION }),
      refresh: async () => ({ kind: 'token', accessToken: secret, session: SESSION }),
    },
    logger: {
      warn: (_code, message) => void warned.push(message),
      debug: (_code, message) => void warned.push(message ?? ''),
    },
  });
  const emitted = new Set<string>();
  const check = async (): Promise<void> => {
    const report = await client.syncNow();
    const rows = await store.read((reader) => reader.events());
    const here = new Set(rows.map(({ eventId }) => eventId));
    for (const id of emitted)
      if (!here.has(id) && !allowed.has(id) && !onServer.has(id)) faults.push(`${id} is gone without permission`);
    const told = [
      report.message ?? '',
      ...report.rejected.map(({ reason }) => reason),
      ...rows.map(({ reason }) => reason ?? ''),
      ...warned,
    ];
    if (told.some((text) => text.includes(secret) || text.includes(secret.slice(0, 40))))
      faults.push('a token is shown');
    if (told.some((text) => OBEYED.test(text))) faults.push('a control character is shown');
    if (told.some((text) => text.length > 2_000)) faults.push('words without end');
    if (report.remaining + report.held + report.parked !== rows.length) faults.push('the report does not add up');
    // A floor the server named is over before the next round.
    await time.advance(3_600_000);
  };
  for (let round = between(random, 1, 4); round > 0; round -= 1) {
    const outcomes = await client.emitAll(Array.from({ length: between(random, 1, 12) }, () => MOVE));
    for (const outcome of outcomes) {
      if (outcome.status === 'queued') emitted.add(outcome.envelope.event_id);
      else faults.push(`an event was ${outcome.status}`);
    }
    await check();
  }
  // A server that took too little of a batch each time needs a pass for each.
  odd = 0;
  for (let pass = 0; pass < 3; pass += 1) await check();
  const left = await store.read((reader) => reader.events());
  for (const { eventId, state, reason } of left)
    if (state !== 'parked') faults.push(`${eventId} stays: ${state} ${String(reason)}`);
  if (emitted.size !== left.length + [...emitted].filter((id) => allowed.has(id) || onServer.has(id)).length)
    faults.push('the books do not balance');
  await client.close();
  if (time.pending > 0) faults.push('a timer is left');
  return { answers, events: emitted.size, faults };
}

const SESSION = { server: 'https://team.example', username: 'ada', teamSlug: 'acme' } as const;

test(
  'odd answers cost no event, show no secret and end every sync (US2-2, SEC-2, FR-029)',
  { timeout: 120_000 + ANSWERS * 10 },
  async ({ task }) => {
    const total = { answers: 0, events: 0, clients: 0 };
    for (let seed = SEED; total.answers < ANSWERS; seed += 1) {
      const { answers, events, faults } = await live(seed);
      expect(faults, `SPEC_KITTY_STORM_SEED=${seed} SPEC_KITTY_STORM_ANSWERS=1`).toEqual([]);
      total.answers += answers;
      total.events += events;
      total.clients += 1;
    }
    tellStorm(task, { storm: 'answers', seed: SEED, counts: total });
  },
);

/** Transports with one fault each, and the rule that has to notice. */
const BROKEN: readonly (readonly [mistake: string, broken: (transport: Transport) => Transport, noticed: RegExp])[] = [
  [
    'takes an answer without a verdict for a success',
    (inner) => ({
      push: async (batch, context) => {
        const answer = await inner.push(batch, context);
        return answer.kind === 'ok'
          ? { kind: 'ok', verdicts: batch.map(({ eventId }) => ({ eventId, verdict: 'success' })) }
          : answer;
      },
    }),
    /gone without permission/,
  ],
  [
    'takes unknown words for a success',
    (inner) => ({
      push: async (batch, context) => {
        const answer = await inner.push(batch, context);
        if (answer.kind !== 'ok') return answer;
        return {
          kind: 'ok',
          verdicts: answer.verdicts.map((each) =>
            each.reason?.startsWith('status') === true ? { ...each, verdict: 'success' as const } : each,
          ),
        };
      },
    }),
    /gone without permission/,
  ],
  [
    'repeats what a server says, word for word',
    (inner) => ({
      push: async (batch, context) => {
        const answer = await inner.push(batch, context);
        return answer.kind === 'failure' ? { ...answer, message: `\u001b[31m${context.accessToken}` } : answer;
      },
    }),
    /is shown/,
  ],
];

test.for(BROKEN)('the same rules find a transport out that %s', async ([mistake, broken, noticed], { task }) => {
  const found = new Set<string>();
  for (let seed = 1; seed <= 400 && ![...found].some((fault) => noticed.test(fault)); seed += 1)
    for (const fault of (await live(seed, broken)).faults) found.add(fault);

  expect([...found].join('\n')).toMatch(noticed);
  tellStorm(task, { storm: 'answers', caught: [`a transport that ${mistake}`] });
});

test('the judge of permissions agrees with the library on good answers', () => {
  const body = { results: [...TAKEN].map((status, at) => ({ event_id: `id-${at}`, status })) };

  expect(readVerdicts(body)?.every(({ verdict }) => verdict === 'success' || verdict === 'duplicate')).toBe(true);
});
