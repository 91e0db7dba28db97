/** Frames no honest server sends, and a peer that does not read. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { testUlid } from '../../../src/testing/an-event.ts';
import { createTestTime } from '../../../src/testing/test-time.ts';
import { createWebSocketTransport } from '../../../src/transport/websocket/index.ts';
import { ack, openScripted, scriptedSocket } from './scripted-socket.ts';
import { aBatch } from './setup.ts';

describe('frames', () => {
  test('whatever arrives, nothing throws and no event counts as delivered without its ack (3,000 runs)', async () => {
    const text = fc.oneof(
      fc.string(),
      fc.json(),
      fc
        .record(
          {
            type: fc.constantFrom('ack', 'error', 'event', 'ping', 'snapshot', 'toString', 7),
            event_id: fc.oneof(fc.constant(testUlid(99)), fc.string(), fc.jsonValue()),
            status: fc.oneof(fc.constantFrom('accepted', 'rejected', '__proto__'), fc.jsonValue()),
            timestamp: fc.jsonValue(),
            server_clock: fc.jsonValue(),
          },
          { requiredKeys: [] },
        )
        .map((frame) => JSON.stringify(frame)),
    );
    const data = fc.oneof({ weight: 9, arbitrary: text }, fc.uint8Array(), fc.constant(undefined));
    const end = fc.option(fc.record({ code: fc.integer({ min: 0, max: 5000 }), reason: fc.string() }));

    await fc.assert(
      fc.asyncProperty(fc.array(data, { maxLength: 12 }), end, async (frames, closing) => {
        const { far, link, losses, time } = await openScripted();
        const answer = link.push(aBatch(1));
        await time.advance(0);

        for (const frame of frames) far.fire('message', { data: frame });
        if (closing !== null) far.fire('close', closing);
        await time.advance(5_000);

        const result = await answer;
        expect(result.kind).not.toBe('ok');
        expect(losses.length).toBeLessThanOrEqual(1);
        expect(far.isEnded).toBe(losses.length === 1);
        link.close();
        expect(time.pending).toBe(0);
      }),
      { numRuns: 3_000 },
    );
  });

  test('a ping is answered with the same timestamp', async () => {
    const { far } = await openScripted();

    far.fire('message', { data: '{"type":"ping","timestamp":"2026-02-07T18:04:05+00:00"}' });

    expect(far.sent).toEqual(['{"type":"pong","timestamp":"2026-02-07T18:04:05+00:00"}']);
  });

  test('pings of a server that does not read pile up no answers', async () => {
    const { far } = await openScripted();
    far.bufferedAmount = 300 * 1024;

    far.fire('message', { data: '{"type":"ping","timestamp":1}' });

    expect(far.sent).toEqual([]);
  });

  test('binary data ends the link', async () => {
    const { far, losses, link } = await openScripted();

    far.fire('message', { data: new Uint8Array(3) });

    expect(losses).toMatchObject([{ reason: 'protocol' }]);
    expect(await link.push(aBatch(1))).toMatchObject({ kind: 'retryable' });
  });

  test('words of a server lose their tokens and control characters (SEC-2)', async () => {
    const { far, losses, link } = await openScripted();
    const answer = link.push(aBatch(1));
    await Promise.resolve();
    const reason = 'wrong\u001B[2J link-token, Bearer access-token';

    far.fire('close', { code: 1008, reason });

    expect(await answer).toEqual({ kind: 'unauthorized' });
    expect(losses).toMatchObject([{ reason: 'unauthorized' }]);
    const words = JSON.stringify(losses);
    expect(words).not.toMatch(/link-token|access-token|u001b/i);
  });

  test('a policy closing that is not about the token is no sign-out', async () => {
    const { far, losses } = await openScripted();

    far.fire('close', { code: 1008, reason: 'too many links' });

    expect(losses).toEqual([
      { reason: 'closed', message: 'https://team.example/sub closed the realtime link (1008: too many links).' },
    ]);
  });

  test('an observer that throws costs neither the link nor the next frame', async () => {
    const { far, implementation } = scriptedSocket();
    const time = createTestTime();
    let told = 0;
    const fail = (): never => {
      told += 1;
      throw new Error('observer');
    };
    const answer = createWebSocketTransport({
      time,
      implementation,
      fetch: () => Promise.resolve(Response.json({ ws_token: 'link-token' })),
    }).connect({ server: 'https://team.example', accessToken: 'token', onEvent: fail, onLost: fail });
    await far.made;
    far.fire('open');

    far.fire('message', { data: '{"type":"event"}' });
    far.fire('message', { data: '{"type":"event"}' });
    far.fire('close', { code: 1001 });

    expect((await answer).kind).toBe('connected');
    expect(told).toBe(3);
    expect(time.pending).toBe(0);
  });
});

test('a socket that cannot send any more ends link and push at once', async () => {
  const { far, link, losses, time } = await openScripted();
  far.isBroken = true;

  const answer = await link.push(aBatch(3));

  expect(answer.kind).toBe('retryable');
  expect(losses).toHaveLength(1);
  expect(time.pending).toBe(0);
});

describe('a peer that reads slowly', () => {
  test('gets at most 256 events ahead of its answers, the next with each answer', async () => {
    const { far, link, time } = await openScripted();
    const answer = link.push(aBatch(300));
    await time.advance(0);
    expect(far.sent).toHaveLength(256);

    far.fire('message', ack(testUlid(1)));
    expect(far.sent).toHaveLength(257);
    for (let clock = 2; clock <= 300; clock += 1) far.fire('message', ack(testUlid(clock)));

    expect(await answer).toMatchObject({ kind: 'ok', verdicts: { length: 300 } });
  });

  test('gets at most a megabyte ahead of its answers, but always one event', async () => {
    const { far, link, time } = await openScripted();
    const large = (clock: number) => ({
      eventId: testUlid(clock),
      data: JSON.stringify({ event_id: testUlid(clock), text: 'x'.repeat(clock === 1 ? 2_000_000 : 400_000) }),
    });
    void link.push([1, 2, 3, 4, 5].map(large));
    await time.advance(0);
    expect(far.sent).toHaveLength(1);

    far.fire('message', ack(testUlid(1)));

    expect(far.sent).toHaveLength(3);
  });

  test('gets nothing while a megabyte lies unsent, then goes on', async () => {
    const { far, link, time } = await openScripted();
    far.bufferedAmount = 2 * 1024 * 1024;
    const answer = link.push(aBatch(2));
    await time.advance(1_000);
    expect(far.sent).toEqual([]);

    far.bufferedAmount = 0;
    await time.advance(25);
    expect(far.sent).toHaveLength(2);
    far.fire('message', ack(testUlid(1)));
    far.fire('message', ack(testUlid(2)));

    expect(await answer).toMatchObject({ kind: 'ok' });
    expect(time.pending).toBe(1);
  });

  test('is given up after 5 s in which nothing could be sent', async () => {
    const { far, link, time } = await openScripted();
    far.bufferedAmount = 2 * 1024 * 1024;
    const answer = link.push(aBatch(2));

    await time.advance(5_000);

    expect(await answer).toMatchObject({ kind: 'retryable', reason: 'timeout' });
    expect(time.pending).toBe(1);
  });

  test('an event is sent once, however often its row is in the batch', async () => {
    const { far, link, time } = await openScripted();
    const [item] = aBatch(1);
    const answer = link.push([item!, item!]);
    await time.advance(0);

    far.fire('message', ack(testUlid(1)));

    expect(far.sent).toHaveLength(1);
    expect(await answer).toMatchObject({ kind: 'ok', verdicts: { length: 1 } });
  });
});
