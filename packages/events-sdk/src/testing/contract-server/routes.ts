/** The endpoints of the Feature 008 contract (CONTRACT §8.3, §9, §12): what each asks and answers. */
import * as v from 'valibot';

import { BATCH_PATH } from '../../contract/batch.ts';
import { REALTIME_PATH, REALTIME_TOKEN_PATH } from '../../contract/realtime.ts';
import type { Account, Accounts } from './accounts.ts';
import type { BatchIntake } from './batch.ts';
import type { BodyResult } from './body.ts';
import type { Call, Reply, Route } from './http.ts';
import type { TokenPair, Tokens } from './tokens.ts';
import type { WireEnvelope } from './validate.ts';

/** Where everything is. Trailing slashes matter. */
export const SERVER_PATHS = {
  token: '/api/v1/token/',
  refresh: '/api/v1/token/refresh/',
  batch: BATCH_PATH,
  health: '/api/v1/sync/health/',
  realtimeToken: REALTIME_TOKEN_PATH,
  /** The WebSocket. */
  realtime: REALTIME_PATH,
  /** Our extension, for a client whose clock fell behind (DESIGN §4.7). */
  clock: '/api/v1/events/clock/',
} as const;

/** What the server takes at most. */
export interface ServerLimits {
  readonly maxEvents: number;
  /** Of a body once inflated. */
  readonly maxBytes: number;
}

/** Anyone may send these requests, so they get little room. */
const MAX_SIGN_IN_BYTES = 16 * 1024;

const credentials = v.object({ username: v.string(), password: v.string() });
const refreshRequest = v.object({ refresh: v.string() });

/** The routes of one server. `onStored` hears of new events. */
export function createRoutes(deps: {
  readonly accounts: Accounts;
  readonly tokens: Tokens;
  readonly intake: BatchIntake;
  readonly limits: ServerLimits;
  readonly onStored: (events: readonly WireEnvelope[]) => void;
}): Readonly<Record<string, Route>> {
  const { accounts, tokens, intake, limits } = deps;
  const wireLimits = () => ({
    max_events_per_batch: limits.maxEvents,
    max_decompressed_bytes_per_batch: limits.maxBytes,
  });

  async function login(call: Call): Promise<Reply | undefined> {
    const body = await call.readBody(MAX_SIGN_IN_BYTES);
    if (body.kind !== 'json') return bodyRefusal(body, refuse(413, 'Body is too large'));
    const parsed = v.safeParse(credentials, body.value);
    if (!parsed.success) return refuse(400, 'username and password are required');
    const account = await accounts.verify(parsed.output.username, parsed.output.password);
    return account === undefined ? refuse(401, 'Invalid username or password') : ok(await tokens.issue(account));
  }

  async function refresh(call: Call): Promise<Reply | undefined> {
    const body = await call.readBody(MAX_SIGN_IN_BYTES);
    if (body.kind !== 'json') return bodyRefusal(body, refuse(413, 'Body is too large'));
    const parsed = v.safeParse(refreshRequest, body.value);
    if (!parsed.success) return refuse(400, 'refresh is required');
    const pair: TokenPair | undefined = await tokens.rotate(parsed.output.refresh);
    return pair === undefined ? refuse(401, 'Refresh token is expired, used or not valid') : ok(pair);
  }

  async function batch(call: Call): Promise<Reply | undefined> {
    const body = await call.readBody();
    if (body.kind !== 'json') {
      const error = 'Batch payload exceeds decompressed byte limit';
      return bodyRefusal(body, { status: 413, body: { error, limits: wireLimits() } });
    }
    const outcome = intake.take(body.value, signedIn(call));
    switch (outcome.kind) {
      case 'ok':
        call.countEvents(outcome.results.length);
        if (outcome.stored.length > 0) deps.onStored(outcome.stored);
        return ok({ results: outcome.results });
      case 'bad-request':
        return {
          status: 400,
          body: { error: outcome.error, ...(outcome.details === undefined ? {} : { details: outcome.details }) },
        };
      case 'forbidden':
        return refuse(403, outcome.error);
      default:
        return outcome satisfies never;
    }
  }

  return {
    [SERVER_PATHS.token]: { method: 'POST', isOpen: true, answer: login },
    [SERVER_PATHS.refresh]: { method: 'POST', isOpen: true, answer: refresh },
    [SERVER_PATHS.batch]: { method: 'POST', answer: batch },
    [SERVER_PATHS.realtimeToken]: {
      method: 'POST',
      answer: async (call) => ok(await tokens.issueRealtime(signedIn(call))),
    },
    [SERVER_PATHS.health]: {
      method: 'GET',
      answer: async () => ok({ status: 'ok', sync_ingress: { limits: wireLimits() } }),
    },
    [SERVER_PATHS.clock]: {
      method: 'GET',
      answer: async (call) => ok({ lamport_clock: intake.clock(signedIn(call)) }),
    },
  };
}

function bodyRefusal(body: Exclude<BodyResult, { kind: 'json' }>, tooLarge: Reply): Reply | undefined {
  switch (body.kind) {
    case 'too-large':
      return tooLarge;
    case 'unreadable':
      return refuse(400, body.error);
    case 'unsupported-encoding':
      return refuse(415, 'Content-Encoding must be gzip or identity');
    case 'aborted':
      return undefined;
    default:
      return body satisfies never;
  }
}

function signedIn(call: Call): Account {
  if (call.account === undefined) throw new Error('A protected route was reached without an account.');
  return call.account;
}

function ok(body: unknown): Reply {
  return { status: 200, body };
}

function refuse(status: number, error: string): Reply {
  return { status, body: { error } };
}
