/** `sync watch` as a person and a program use it: real processes, a real server. */
import { expect, test } from 'vitest';

import { makeWorld, startServer, until, type World } from './world.ts';

async function makeSignedIn(): Promise<{ world: World; server: Awaited<ReturnType<typeof startServer>> }> {
  const world = makeWorld({ delivery: 'courier' });
  const server = await startServer();
  await world.makeProject();
  await world.makeFeature(['First', 'Second']);
  await world.login(server);
  return { world, server };
}

test('says what happens while it delivers what other commands record, and ends in order on Ctrl-C (FR-031, FR-035)', async () => {
  const { world, server } = await makeSignedIn();
  const watch = world.start(['sync', 'watch']);
  await until('the link to open', () => watch.output.stdout.includes('[Connected]'));

  await world.must(['implement', 'WP01']);
  await until('the event to arrive', () => server.events({}).length === 1);
  await until('the line about it', () => watch.output.stdout.includes('1 sent'));
  watch.kill('SIGINT');

  const ended = await watch.ended;
  expect(ended.code).toBe(130);
  expect(ended.stderr).toBe('');
  const time = String.raw`\d\d:\d\d:\d\d`;
  expect(ended.stdout).toMatch(
    new RegExp(
      [
        `^(?:${time} \\[Reconnecting\\] a realtime link is being opened\\n)?${time} Delivering for this home. Ctrl-C ends it.`,
        `(?:${time} \\[Reconnecting\\] a realtime link is being opened\\n)?${time} \\[Connected\\] a realtime link is open`,
        `${time} 1 sent in 1 batch .*`,
        `${time} Ended: 1 event delivered, 0 refused, 0 still to send.\\n$`,
      ].join('\\n'),
    ),
  );
  expect(world.homeFile('courier.log'), 'no courier beside it').toBe('');
});

test('as JSON every line is a document, and a wrong word is answered in one line too', async () => {
  const { world } = await makeSignedIn();
  const watch = world.start(['sync', 'watch', '--json']);
  await until('the link to open', () => watch.output.stdout.includes('"state":"connected"'));
  await world.must(['implement', 'WP01']);
  await until('the line about it', () => watch.output.stdout.includes('"sent":1'));
  watch.kill('SIGTERM');

  const ended = await watch.ended;
  expect(ended.code).toBe(143);
  const documents = ended.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(documents.filter(({ kind }) => kind === 'delivery')).toMatchObject([{ sent: 1, stopped_by: 'drained' }]);
  expect(documents.at(-1)).toMatchObject({ kind: 'ended', delivered: 1, pending: 0, rejected: 0 });
  expect(documents.every(({ time }) => typeof time === 'string')).toBe(true);

  const wrong = await world.specKitty(['sync', 'watch', '--json', 'x']);
  expect([wrong.code, JSON.parse(wrong.stdout)]).toMatchObject([2, { code: 'usage' }]);
  expect(wrong.stdout.trimEnd()).not.toContain('\n');
});

test('takes over from the courier, and a second watch is refused (US7-4)', async () => {
  const { world, server } = await makeSignedIn();
  world.env['SPEC_KITTY_COURIER_IDLE_S'] = '60';
  await world.must(['implement', 'WP01']);
  await until('the event to arrive', () => server.events({}).length === 1);

  const watch = world.start(['sync', 'watch']);
  await until('the watch to deliver', () => watch.output.stdout.includes('Delivering'));

  expect(watch.output.stdout).toMatch(/The courier \(process \d+\) is asked to make room\./);
  // It gives the lease up first and tells its log then.
  await until('the courier to have left', () => world.homeFile('courier.log').includes(' left=asked delivered=1 '));
  const second = await world.specKitty(['sync', 'watch', '--json']);
  expect([second.code, JSON.parse(second.stdout)]).toMatchObject([3, { code: 'busy' }]);
  expect(JSON.parse((await world.must(['sync', 'status', '--json'])).stdout)).toMatchObject({
    courier: { role: 'watch', pid: watch.pid },
  });
  expect(JSON.parse((await world.must(['sync', 'now', '--json'])).stdout)).toMatchObject({ stopped_by: 'drained' });
});

test('waits for a sign-in that is no longer accepted, and goes on with the next one (US7-3)', async () => {
  const { world, server } = await makeSignedIn();
  const watch = world.start(['sync', 'watch']);
  await until('the link to open', () => watch.output.stdout.includes('[Connected]'));

  server.revokeTokens('all');
  server.endLinks();
  await world.must(['implement', 'WP01']);
  await until('the watch to say so', () => watch.output.stdout.includes('waiting for a sign-in'));
  await until('the warning', () => watch.output.stderr.includes('Warning: Events wait for a sign-in.'));
  expect(world.queued()).toHaveLength(1);
  await world.login(server);

  await until('the queue to be empty', () => world.queued().length === 0);
  expect(server.events({})).toHaveLength(1);
  expect(watch.output.stderr.match(/Warning: Events wait for a sign-in\./g)).toHaveLength(1);
});

test('a second Ctrl-C ends at once, whatever the server does (FR-035)', async () => {
  const { world, server } = await makeSignedIn();
  server.hang({ path: '/api/v1/events/batch/' });
  server.respondNext({ status: 404 }, { path: '/ws/v1/events/', times: 100 });
  const watch = world.start(['sync', 'watch']);
  await until('the watch to deliver', () => watch.output.stdout.includes('Delivering'));
  await world.must(['implement', 'WP01']);
  await until('a request that hangs', () => server.requests.some(({ path }) => path === '/api/v1/events/batch/'));

  // An impatient person: whichever is the second one that it hears ends it.
  const pressing = setInterval(() => watch.kill('SIGINT'), 100);
  const ended = await watch.ended;
  clearInterval(pressing);

  expect(ended.code).toBe(130);
  expect(watch.output.stdout).not.toContain('Ended');
  expect(world.queued()).toHaveLength(1);
});
