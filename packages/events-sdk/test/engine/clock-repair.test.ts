import { describe, expect, test } from 'vitest';

import { MAX_REMOTE_CLOCK } from '../../src/clock/lamport.ts';
import type { EventVerdict } from '../../src/contract/batch.ts';
import { anEvent, testUlid } from '../../src/testing/an-event.ts';
import type { BatchItem, PushAnswer } from '../../src/transport/port.ts';
import { setupEngine } from './setup.ts';

const OTHER_PROJECT = '8c1f9a52-7f0e-4c55-9d0b-2a6c1b7e4d10';
const clockOf = ({ data }: { readonly data: string }): number =>
  (JSON.parse(data) as { lamport_clock: number }).lamport_clock;

/** Refuses every event whose clock is not above `floor`. */
function behind(floor: number, extra: Partial<EventVerdict> = {}) {
  return (batch: readonly BatchItem[]): PushAnswer => ({
    kind: 'ok',
    verdicts: batch.map((item) =>
      clockOf(item) > floor
        ? { eventId: item.eventId, verdict: 'success' }
        : { eventId: item.eventId, verdict: 'rejected', reason: 'lamport_clock: behind the server', ...extra },
    ),
  });
}

const always = (answer: (batch: readonly BatchItem[]) => PushAnswer) => Array.from({ length: 30 }, () => answer);

describe('a server whose clock is ahead', () => {
  test('gets the refused events again with new clock values, in their old order and with their old ids (EC-3)', async () => {
    const { engine, transport, waiting, store } = await setupEngine({ queued: 3 });
    transport.answerNext(...always(behind(500, { serverClock: 500 })));

    const report = await engine.syncNow();

    expect(report).toMatchObject({ sent: 3, restamped: 3, remaining: 0, stoppedBy: 'drained' });
    expect(report.rejected, 'delivered after all, so nobody has to look at them').toEqual([]);
    expect(transport.pushes.map(({ batch }) => batch.map(({ eventId }) => eventId))).toEqual([
      [testUlid(1), testUlid(2), testUlid(3)],
      [testUlid(1), testUlid(2), testUlid(3)],
    ]);
    expect(transport.pushes[1]?.batch.map(clockOf)).toEqual([502, 503, 504]);
    expect(await waiting()).toEqual([]);
    expect(await store.read((reader) => reader.clock())).toBe(504);
  });

  test('is asked where its clock stands when the refusal does not say (EC-3)', async () => {
    const { engine, transport } = await setupEngine({ queued: 2 });
    transport.setServerClock(900);
    transport.answerNext(...always(behind(900)));

    expect(await engine.syncNow()).toMatchObject({ sent: 2, restamped: 2 });

    expect(transport.clockQuestions).toBe(1);
    expect(transport.pushes[1]?.batch.map(clockOf)).toEqual([902, 903]);
  });

  test('leaves the events rejected, counted once, when it does not say at all', async () => {
    const { engine, transport, store } = await setupEngine({ queued: 2 });
    transport.answerNext(...always(behind(900)));

    expect(await engine.syncNow()).toMatchObject({ sent: 0, restamped: 0, remaining: 2, stoppedBy: 'drained' });

    expect(transport.pushes).toHaveLength(1);
    expect(await store.read((reader) => reader.events().map(({ retryCount }) => retryCount))).toEqual([1, 1]);
  });

  test('costs each refused event one count, and the ones behind it none', async () => {
    const { engine, transport, put, store } = await setupEngine();
    await put([anEvent({ lamport_clock: 1 }), anEvent({ lamport_clock: 2 })]);
    transport.answerNext((batch) => ({
      kind: 'ok',
      verdicts: [{ eventId: batch[0]?.eventId ?? '', verdict: 'rejected', reason: 'clock', serverClock: 70 }],
    }));

    expect(await engine.syncNow()).toMatchObject({ stoppedBy: 'no-progress', restamped: 2 });

    expect(
      await store.read((reader) => reader.events().map((row) => [row.eventId, row.lamportClock, row.retryCount])),
    ).toEqual([
      [testUlid(1), 72, 1],
      [testUlid(2), 73, 0],
    ]);
  });

  test('moves what waits behind within the aggregate, held events too, and nothing else', async () => {
    const { engine, transport, put, store } = await setupEngine({
      lookUpProject: () =>
        Promise.resolve({ uuid: anEvent().project_uuid ?? '', slug: null, teamSlug: null, syncEnabled: false }),
    });
    await put([
      anEvent({ lamport_clock: 1, aggregate_id: 'WP01' }),
      anEvent({ lamport_clock: 2, aggregate_id: 'WP02' }),
      anEvent({ lamport_clock: 3, aggregate_id: 'WP01', project_uuid: OTHER_PROJECT }),
    ]);
    await put([anEvent({ lamport_clock: 4, aggregate_id: 'WP01', team_slug: null })], {
      state: 'held',
      reason: 'disabled',
      projectRoot: '/srv/demo',
    });
    transport.answerNext(
      (batch) => ({
        kind: 'ok',
        verdicts: batch.map(({ eventId }) =>
          eventId === testUlid(1)
            ? { eventId, verdict: 'rejected', reason: 'lamport too low', serverClock: 50 }
            : { eventId, verdict: 'pending' },
        ),
      }),
      { kind: 'retryable', reason: 'unreachable', message: 'gone' },
    );

    await engine.syncNow();

    const clocks = await store.read((reader) =>
      Object.fromEntries(reader.events().map((row) => [row.eventId, [row.lamportClock, clockOf(row)]])),
    );
    expect(clocks).toEqual({
      [testUlid(1)]: [52, 52],
      [testUlid(2)]: [2, 2],
      [testUlid(3)]: [3, 3],
      [testUlid(4)]: [53, 53],
    });
  });

  test('refusing clocks for ever is asked twice a pass and parks the event at the fifth refusal', async () => {
    const { engine, transport, store } = await setupEngine({ queued: 1 });
    transport.answerNext(
      ...always((batch) => ({
        kind: 'ok',
        verdicts: batch.map((item) => ({
          eventId: item.eventId,
          verdict: 'rejected',
          reason: 'lamport too low',
          serverClock: clockOf(item) + 1000,
        })),
      })),
    );

    expect(await engine.syncNow()).toMatchObject({
      stoppedBy: 'drained',
      restamped: 1,
      remaining: 1,
      rejected: [{ eventId: testUlid(1), retryCount: 2 }],
    });
    expect(transport.pushes).toHaveLength(2);
    for (let pass = 0; pass < 4; pass += 1) await engine.syncNow();

    expect(transport.pushes).toHaveLength(5);
    expect(await store.read((reader) => reader.event(testUlid(1)))).toMatchObject({ state: 'parked', retryCount: 5 });
  });

  test.each([
    ['cannot be true', MAX_REMOTE_CLOCK + 1],
    ['is below the event itself', 0],
  ])('is not believed when its value %s', async (_name, serverClock) => {
    const { engine, transport, store } = await setupEngine({ queued: 1 });
    transport.answerNext(...always(behind(10, { serverClock })));

    expect(await engine.syncNow()).toMatchObject({ restamped: 0, remaining: 1 });

    expect(transport.pushes).toHaveLength(1);
    expect(await store.read((reader) => reader.clock())).toBe(1);
  });
});

test('another refusal is no clock refusal, and the server is not asked', async () => {
  const { engine, transport } = await setupEngine({ queued: 1 });
  transport.setServerClock(900);
  transport.answerNext((batch) => ({
    kind: 'ok',
    verdicts: batch.map(({ eventId }) => ({ eventId, verdict: 'rejected', reason: 'payload: wp_id missing' })),
  }));

  expect(await engine.syncNow()).toMatchObject({ restamped: 0, remaining: 1 });

  expect(transport.clockQuestions).toBe(0);
});

test('nothing overtakes within an aggregate when a refused batch is taken apart and its clock repaired', async () => {
  const { engine, transport } = await setupEngine({ queued: 4 });
  transport.answerNext(
    { kind: 'failure', reason: 'too-large', message: 'Too large.' },
    ...always(behind(100, { serverClock: 100 })),
  );

  expect(await engine.syncNow()).toMatchObject({ sent: 4, restamped: 4 });

  const clocks = transport.pushes.map(({ batch }) => batch.map(clockOf));
  expect(clocks).toEqual([
    [1, 2, 3, 4],
    [1, 2],
    [102, 103],
    [104, 105],
  ]);
});
