/**
 * How long a whole emitting command takes while the server is healthy, refusing, silent, slow, talking nonsense, or
 * nobody is signed in: side by side, in turns. `finalize-tasks --emit` records four events and does little else.
 */
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type Server } from 'node:net';

import { createContractServer, type ContractServer } from '@spec-kitty/events-sdk/testing';

import { makeCommandWorld } from './command-world.ts';
import { table } from './markdown.ts';
import type { Section } from './section.ts';
import { digits, medianOf, quantile, spread } from './statistics.ts';

const STATES = ['delivery off', 'healthy', 'refused', 'black hole', 'slow', 'garbage', 'logged out'] as const;
const ROUNDS = 7;
const ADA = { username: 'ada@example.com', password: 'correct horse battery', team: 'acme' };

type ServerState = (typeof STATES)[number];

interface Case {
  readonly state: ServerState;
  readonly run: () => Promise<number>;
  readonly close: () => Promise<void>;
}

export const serversSection: Section = {
  name: 'servers',
  title: 'A whole command, whatever the server does',
  async measure(effort) {
    const servers = await measureServers(effort.rounds(ROUNDS));
    const off = servers[0]?.times ?? [];
    const lines = servers.map(({ state, times }) => [
      state,
      digits(medianOf(times, off, (a, b) => a / b)),
      spread(times),
      digits(quantile(times, 0.95)),
    ]);
    return {
      text: `Wall time of \`spec-kitty agent feature finalize-tasks --emit\`, start to end, ${off.length} runs each, in turns.

${table(['server', '× delivery off', 'ms', 'p95 ms'], lines)}`,
    };
  },
};

/** Milliseconds of each run, by state. */
async function measureServers(
  rounds: number,
): Promise<readonly { readonly state: ServerState; readonly times: readonly number[] }[]> {
  const cases: Case[] = [];
  for (const state of STATES) cases.push(await prepare(state));
  const results = cases.map(({ state }) => ({ state, times: [] as number[] }));
  for (let round = 0; round < rounds; round += 1) {
    for (const [index, { run }] of cases.entries()) {
      results[index]?.times.push(await run());
      await courierLeaves();
    }
  }
  for (const { close } of cases) await close();
  return results;
}

/** Two cores: what the courier of one run starts with must not compete with the next run. It stays, as it would. */
function courierLeaves(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, 400);
  });
}

async function prepare(state: ServerState): Promise<Case> {
  const world = await makeCommandWorld({ SPEC_KITTY_DELIVERY: state === 'delivery off' ? 'off' : 'courier' });
  const contract = await createContractServer();
  await contract.accounts.addUser(ADA);
  const url = await contract.listen();
  if (state !== 'logged out') {
    await world.specKitty(
      ['auth', 'login', '--server', url, '--username', ADA.username, '--password-stdin'],
      `${ADA.password}\n`,
    );
  }
  const standIn = await replace(contract, state);
  return {
    state,
    run: () => world.specKitty(['agent', 'feature', 'finalize-tasks', '--emit']),
    async close() {
      standIn?.close();
      await contract.close();
      world.remove();
    },
  };
}

/** Puts another server, or none, where the healthy one was. */
async function replace(contract: ContractServer, state: ServerState): Promise<Server | undefined> {
  if (state === 'garbage') contract.garbage();
  if (state !== 'refused' && state !== 'black hole' && state !== 'slow') return undefined;
  const port = Number(new URL(contract.url).port);
  await contract.close();
  if (state === 'refused') return undefined;
  const server =
    state === 'black hole' ? createServer(() => {}) : createHttpServer((_, response) => void response.write('{'));
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  server.unref();
  return server;
}
