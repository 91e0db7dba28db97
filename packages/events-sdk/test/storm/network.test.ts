/**
 * Several homes, accounts and teams on one real server, over a line that cuts, delays, mutes and refuses connections, while the
 * server fails in every way of the catalogue and takes back tokens. Then the weather clears: the server has each acknowledged
 * event once, under its own team, in the order of its home, and nothing waits. `SPEC_KITTY_STORM_ROUNDS` sets how long the
 * bad weather lasts, `SPEC_KITTY_STORM_SEED` draws it.
 */
import { setTimeout as pause } from 'node:timers/promises';

import { tellStorm } from '@spec-kitty/storm';
import { expect, onTestFinished, test } from 'vitest';

import { wpStatusChanged } from '../../src/events/builders.ts';
import type { NodeClient } from '../../src/node/node-client.ts';
import { faultCatalogue } from '../../src/testing/contract-server/index.ts';
import { createRandom } from '../../src/testing/seeded-random.ts';
import { makeWorld, readQueue, startServer, type World } from '../node/world.ts';
import { judge, type Known } from './judge.ts';
import { between } from './random.ts';
import { createRoughProxy } from './rough-proxy.ts';

const ROUNDS = Number(process.env['SPEC_KITTY_STORM_ROUNDS'] ?? 20);
const SEED = Number(process.env['SPEC_KITTY_STORM_SEED'] ?? Date.now() % 1_000_000);
const PEOPLE = ['ada', 'bob', 'cyd', 'dan'].map((name, at) => ({
  username: `${name}@example.com`,
  password: 'a long password',
  // Two of them share a team.
  team: ['acme', 'beta', 'acme', 'delta'][at] ?? 'acme',
}));
/** Endless faults are the client's patience to end: a minute each is not worth the time here. */
const FAULTS = faultCatalogue.filter(({ isEndless }) => !isEndless);
/** Delivery is given this long in bad weather, in milliseconds. */
const SYNC_MS = 1_500;

interface Home {
  readonly world: World;
  readonly client: NodeClient;
  readonly person: (typeof PEOPLE)[number];
  readonly acknowledged: Known[];
}

test(
  `${PEOPLE.length} homes of three teams deliver every event once, in order and to their own team, through cuts, faults and taken tokens (SC-007, SC-009, SEC-1, US2-2)`,
  { timeout: 120_000 + ROUNDS * 20_000 },
  async ({ task }) => {
    const random = createRandom(SEED);
    const server = await startServer();
    const proxy = await createRoughProxy(server.url, random);
    onTestFinished(() => proxy.close());
    const homes: Home[] = [];
    for (const [at, person] of PEOPLE.entries()) {
      if (server.accounts.find(person.username) === undefined) await server.accounts.addUser(person);
      const world = makeWorld();
      const project = { uuid: `3f1c9a52-7f0e-4c55-9d0b-2a6c1b7e4d1${at}`, slug: person.username };
      const { client } = world.open({ project });
      await signInThrough(client, proxy.url, person);
      homes.push({ world, client, person, acknowledged: [] });
    }
    // Two deliver as a courier does, over a link where the line lets one stand; the others send batches.
    const couriers = await Promise.all(homes.slice(0, 2).map(({ client }) => client.background()));
    for (const courier of couriers) await courier.start();

    let struck = 0;
    for (let round = 0; round < ROUNDS; round += 1) {
      for (let faults = between(random, 0, 3); faults > 0; faults -= 1) {
        FAULTS[between(random, 0, FAULTS.length - 1)]?.arm(server, random);
        struck += 1;
      }
      if (random() < 0.15) server.revokeTokens('access');
      await Promise.all(homes.map((home) => work(home, between(random, 1, 12))));
    }

    proxy.calm();
    for (const courier of couriers) await courier.stop({ deadlineMs: 0 });
    let signIns = 0;
    for (const { client, person } of homes)
      // Faults that are armed strike in good weather too.
      await clear(client, 100 + struck, async () => {
        signIns += 1;
        await signInThrough(client, proxy.url, person);
      });

    const stored = server.events();
    const emitted = homes.flatMap(({ acknowledged }) => acknowledged);
    expect(stored).toHaveLength(emitted.length);
    for (const { world, client, person, acknowledged } of homes) {
      const own = new Set(acknowledged.map(({ id }) => id));
      const arrived = stored.filter(({ envelope }) => own.has(envelope.event_id));
      const { rows, integrity } = readQueue(world.home);
      expect(
        judge({
          acknowledged,
          server: arrived.map(({ envelope: { event_id, lamport_clock, node_id } }) => ({
            id: event_id,
            clock: lamport_clock,
            node: `${world.home} ${node_id}`,
          })),
          queue: rows,
        }),
      ).toEqual([]);
      expect(integrity).toBe('ok');
      expect(new Set(arrived.map(({ envelope }) => envelope.team_slug))).toEqual(new Set([person.team]));
      const clocks = arrived.map(({ envelope }) => envelope.lamport_clock);
      expect(clocks).toEqual(clocks.toSorted((a, b) => a - b));
      expect(await client.status()).toMatchObject({ queued: 0, parked: 0, dropped: 0 });
    }
    const { through = 0, ...rough } = proxy.met;
    expect(Object.keys(rough).length).toBeGreaterThan(3);
    tellStorm(task, {
      storm: 'network',
      seed: SEED,
      counts: {
        homes: homes.length,
        'events delivered': stored.length,
        'connections through': through,
        'connections spoiled': Object.values(rough).reduce((sum, count) => sum + count, 0),
        'faults of the server': struck,
        'sign-ins lost with a renewal': signIns,
      },
    });
  },
);

async function signInThrough(client: NodeClient, server: string, person: (typeof PEOPLE)[number]): Promise<void> {
  for (let tries = 0; ; tries += 1) {
    try {
      await client.login({ server, username: person.username, password: person.password });
      return;
    } catch (cause) {
      if (tries > 60) throw cause;
    }
  }
}

async function work({ world, client, acknowledged }: Home, events: number): Promise<void> {
  for (let n = 0; n < events; n += 1) {
    const draft = wpStatusChanged({ wpId: `WP0${1 + (n % 3)}`, previousStatus: 'planned', newStatus: 'doing' });
    const outcome = await client.emit(draft);
    expect(outcome.status).toBe('queued');
    if (outcome.status !== 'queued') continue;
    const { event_id: id, lamport_clock: clock, node_id: node } = outcome.envelope;
    acknowledged.push({ id, clock, node: `${world.home} ${node}` });
  }
  await client.syncNow({ deadlineMs: SYNC_MS, waitForOthersMs: 0 });
}

/**
 * Delivers what is left; a server may have asked for a second or two. Where the answer to a renewal was lost on the line, the
 * server knows only a token that nobody has: a person signs in again.
 */
async function clear(client: NodeClient, mostTries: number, signInAgain: () => Promise<void>): Promise<void> {
  let last: unknown;
  for (let tries = 0; tries < mostTries; tries += 1) {
    const report = await client.syncNow();
    last = report;
    // Refused five times by faults that refuse whatever comes: a person sends it again.
    if (report.parked > 0) await client.rejected.retry('all');
    else if (report.remaining === 0 && report.stoppedBy === 'drained') return;
    if (report.stoppedBy === 'unauthorized' || report.stoppedBy === 'logged-out') await signInAgain();
    await pause(Math.min(report.retryAfterMs ?? 20, 3_000));
  }
  throw new Error(`In good weather the queue does not empty: ${JSON.stringify(last)}`);
}
