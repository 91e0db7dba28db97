/**
 * The simulated servers: accounts with tokens that turn over, events told apart by their ids, and verdicts as in the
 * contract (CONTRACT §8.3, §9), answered as HTTP so that the library's own reader of answers is used. In bad weather they
 * also answer in every wrong way. They note what no client may ever send.
 */
import type { TokenEndpointAnswer } from '../../src/auth/token-endpoint.ts';
import type { HttpAnswer } from '../../src/transport/classify.ts';
import type { BatchItem } from '../../src/transport/port.ts';
import { drawFault, spoil } from './server-faults.ts';
import type { World } from './world.ts';

export interface Account {
  readonly server: string;
  readonly username: string;
  readonly team: string;
}

/** Two on one server, one on another; each team has one account, so that an event's team names where it belongs. */
export const ACCOUNTS = [
  { server: 'https://one.example', username: 'ada', team: 'acme' },
  { server: 'https://one.example', username: 'bob', team: 'tigers' },
  { server: 'https://two.example', username: 'cyd', team: 'delta' },
] as const satisfies readonly Account[];

/** As much of an envelope as is looked at. */
export interface Envelope {
  readonly event_id: string;
  readonly node_id: string;
  readonly lamport_clock: number;
  readonly team_slug: string | null;
  /** `changed_by` says which event of which emission it is. */
  readonly payload: { readonly changed_by: string };
}

export type RawAnswer = Pick<HttpAnswer, 'status' | 'headers' | 'body'>;

export interface Servers {
  /** Every event stored, each time. */
  readonly stored: readonly Envelope[];
  handleBatch(request: { server: string; accessToken: string; batch: readonly BatchItem[] }): RawAnswer;
  /** Null: this token is none of that server's. */
  accountOf(server: string, accessToken: string): Account | null;
  obtain(server: string, username: string): TokenEndpointAnswer;
  refresh(server: string, refreshToken: string): TokenEndpointAnswer;
  /** Takes back every access token given out; every sign-in as well if `all`. */
  takeBack(all: boolean): void;
  clock(server: string): number;
}

export interface ServersOptions {
  readonly world: World;
  /** By the machine's wall clock, which is all the client knows. */
  readonly now: () => number;
  /** Most events it takes in one batch. */
  readonly maxEvents: number;
}

export function createServers({ world, now, maxEvents }: ServersOptions): Servers {
  const { chance, note, sometimes, breach } = world;
  const stored: Envelope[] = [];
  const known = new Map<string, Set<string>>();
  const access = new Map<string, Account>();
  const refreshing = new Map<string, Account>();
  const clocks = new Map<string, number>();
  let tokens = 0;

  function issue(account: Account): TokenEndpointAnswer {
    const number = (tokens += 1);
    access.set(`access-${number}`, account);
    refreshing.set(`refresh-${number}`, account);
    return {
      kind: 'tokens',
      teamSlug: account.team,
      tokens: {
        access: `access-${number}`,
        refresh: `refresh-${number}`,
        accessExpiresAt: now() + chance.oneOf([20_000, 900_000, 3_600_000]),
        refreshExpiresAt: now() + 7 * 86_400_000,
      },
    };
  }

  function idsOf(server: string): Set<string> {
    const present = known.get(server) ?? new Set();
    known.set(server, present);
    return present;
  }

  function checkRouting(account: Account, batch: readonly Envelope[]): void {
    for (const { event_id, team_slug } of batch) {
      if (team_slug !== account.team)
        breach('wrong account', `${event_id} of team ${team_slug} came from ${account.username}`);
    }
    if (batch.some(({ lamport_clock }, at) => lamport_clock < (batch[at - 1]?.lamport_clock ?? 0)))
      breach('out of order', 'a batch is not in the order of its clocks');
  }

  function accept(server: string, event: Envelope): object {
    const { event_id, lamport_clock } = event;
    if (event.payload.changed_by.endsWith('poison')) {
      sometimes('event refused for ever');
      return { event_id, status: 'rejected', error_message: 'payload: not acceptable' };
    }
    const ids = idsOf(server);
    if (ids.has(event_id)) {
      sometimes('verdict duplicate');
      return { event_id, status: 'duplicate' };
    }
    ids.add(event_id);
    stored.push(event);
    clocks.set(server, Math.max(clocks.get(server) ?? 0, lamport_clock));
    sometimes('verdict success');
    return { event_id, status: 'success' };
  }

  return {
    stored,
    accountOf: (server, token) => {
      const account = access.get(token);
      return account?.server === server ? account : null;
    },
    handleBatch({ server, accessToken, batch }) {
      // The client's own envelopes.
      const events = batch.map(({ data }) => JSON.parse(data) as Envelope);
      const account = access.get(accessToken);
      if (account === undefined) {
        sometimes('answer 401');
        return answer(401, { detail: 'token' });
      }
      if (account.server !== server) breach('wrong account', `a token of ${account.server} came to ${server}`);
      checkRouting(account, events);
      if (events.length > maxEvents) {
        sometimes('answer 413');
        return answer(413, { limits: { max_events_per_batch: maxEvents } });
      }
      const fault = world.isClear ? null : drawFault(chance);
      if (fault !== null) sometimes(`server ${fault}`);
      note(`server ${events.length} events${fault === null ? '' : `, ${fault}`}`);
      return spoil(fault, { chance, events, clock: clocks.get(server) ?? 0, accept: (event) => accept(server, event) });
    },
    obtain(server, username) {
      const account = ACCOUNTS.find((one) => one.server === server && one.username === username);
      return account === undefined ? { kind: 'refused' } : issue(account);
    },
    refresh(server, refreshToken) {
      const account = refreshing.get(refreshToken);
      // Each is good once.
      refreshing.delete(refreshToken);
      if (account === undefined || account.server !== server) {
        sometimes('refresh refused');
        return { kind: 'refused' };
      }
      sometimes('token renewed');
      return issue(account);
    },
    takeBack(all) {
      access.clear();
      if (all) refreshing.clear();
    },
    clock: (server) => clocks.get(server) ?? 0,
  };
}

export function answer(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): RawAnswer {
  return {
    status,
    headers: { get: (name) => headers[name.toLowerCase()] ?? null },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  };
}
