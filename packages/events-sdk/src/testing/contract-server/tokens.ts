/**
 * Sessions as JSON Web Tokens (HS256). An access token opens every endpoint until it expires; a refresh
 * token buys exactly one new pair: it is consumed in the same statement that checks it. A realtime token opens
 * a realtime link and nothing else.
 */
import { randomBytes, randomUUID } from 'node:crypto';

import { REALTIME_TOKEN_LIFETIME_S } from '../../contract/limits.ts';
import type { Time } from '../../internal/time.ts';
import type { Account, Accounts } from './accounts.ts';
import type { ServerDatabase } from './database.ts';
import { importJose } from './jose.ts';

/** What the token endpoints answer (CONTRACT §8.3). Lifetimes are in seconds. */
export interface TokenPair {
  readonly access: string;
  readonly refresh: string;
  readonly access_lifetime: number;
  readonly refresh_lifetime: number;
  readonly team_slug: string;
}

/** What the realtime token endpoint answers (CONTRACT §8.3). */
export interface RealtimeToken {
  readonly ws_token: string;
  /** Seconds. */
  readonly expires_in: number;
  readonly expires_at: string;
}

/** Issues and checks tokens. */
export interface Tokens {
  issue(account: Account): Promise<TokenPair>;
  /** The account behind an access token; undefined when it is forged, expired, revoked or of another kind. */
  checkAccess(token: string): Promise<Account | undefined>;
  /** A token for one link. */
  issueRealtime(account: Account): Promise<RealtimeToken>;
  /** The account behind a realtime token; undefined as for `checkAccess`. */
  checkRealtime(token: string): Promise<Account | undefined>;
  /** A new pair for an unused refresh token; undefined for any other. The old one is used up. */
  rotate(refreshToken: string): Promise<TokenPair | undefined>;
  /** Ends tokens before their time: access and realtime tokens only, or refresh tokens as well. */
  revoke(which: 'access' | 'all'): void;
}

/** Lifetimes in seconds. */
export interface TokenLifetimes {
  readonly accessS: number;
  readonly refreshS: number;
}

type TokenKind = 'access' | 'refresh' | 'realtime';

/** Tokens signed with the secret of the data file, which is made at first use. */
export async function createTokens(deps: {
  readonly database: ServerDatabase;
  readonly accounts: Accounts;
  readonly time: Time;
  readonly lifetimes: TokenLifetimes;
}): Promise<Tokens> {
  const { database, accounts, time, lifetimes } = deps;
  const { SignJWT, jwtVerify } = await importJose();
  const secret = signingSecret(database);
  const remember = database.sql.prepare('INSERT INTO refresh_tokens (jti, username, expires_at) VALUES (?, ?, ?)');
  const consume = database.sql.prepare('UPDATE refresh_tokens SET consumed = 1 WHERE jti = ? AND consumed = 0');
  const forgetExpired = database.sql.prepare('DELETE FROM refresh_tokens WHERE expires_at < ?');
  const consumeAll = database.sql.prepare('UPDATE refresh_tokens SET consumed = 1');
  /** Raised by `revoke`: access and realtime tokens of an earlier generation are refused. */
  let generation = 0;

  const nowS = (): number => Math.floor(time.now() / 1000);

  function sign(kind: TokenKind, account: Account, jti: string, lifetimeS: number): Promise<string> {
    return new SignJWT({ token_type: kind, team: account.teams[0], generation })
      .setProtectedHeader({ alg: 'HS256' })
      .setSubject(account.username)
      .setJti(jti)
      .setIssuedAt(nowS())
      .setExpirationTime(nowS() + lifetimeS)
      .sign(secret);
  }

  async function verify(token: string, kind: TokenKind): Promise<{ account: Account; jti: string } | undefined> {
    try {
      const { payload } = await jwtVerify(token, secret, {
        algorithms: ['HS256'],
        requiredClaims: ['sub', 'jti', 'exp', 'token_type'],
        currentDate: new Date(time.now()),
      });
      if (payload['token_type'] !== kind) return undefined;
      if (kind !== 'refresh' && Number(payload['generation']) < generation) return undefined;
      const account = accounts.find(payload.sub ?? '');
      return account === undefined ? undefined : { account, jti: payload.jti ?? '' };
    } catch {
      // Whatever is wrong with a token, the answer is the same: it opens nothing.
      return undefined;
    }
  }

  async function issue(account: Account): Promise<TokenPair> {
    const jti = randomUUID();
    const [access, refresh] = await Promise.all([
      sign('access', account, randomUUID(), lifetimes.accessS),
      sign('refresh', account, jti, lifetimes.refreshS),
    ]);
    forgetExpired.run(nowS());
    remember.run(jti, account.username, nowS() + lifetimes.refreshS);
    return {
      access,
      refresh,
      access_lifetime: lifetimes.accessS,
      refresh_lifetime: lifetimes.refreshS,
      team_slug: account.teams[0] ?? '',
    };
  }

  return {
    issue,
    async checkAccess(token) {
      return (await verify(token, 'access'))?.account;
    },
    async issueRealtime(account) {
      return {
        ws_token: await sign('realtime', account, randomUUID(), REALTIME_TOKEN_LIFETIME_S),
        expires_in: REALTIME_TOKEN_LIFETIME_S,
        expires_at: new Date((nowS() + REALTIME_TOKEN_LIFETIME_S) * 1000).toISOString(),
      };
    },
    async checkRealtime(token) {
      return (await verify(token, 'realtime'))?.account;
    },
    async rotate(refreshToken) {
      const verified = await verify(refreshToken, 'refresh');
      if (verified === undefined) return undefined;
      // Of two requests with one token, only one changes the row.
      return consume.run(verified.jti).changes === 1 ? issue(verified.account) : undefined;
    },
    revoke(which) {
      generation += 1;
      if (which === 'all') consumeAll.run();
    },
  };
}

function signingSecret(database: ServerDatabase): Uint8Array {
  database.sql
    .prepare(`INSERT INTO meta (key, value) VALUES ('signing_secret', ?) ON CONFLICT DO NOTHING`)
    .run(randomBytes(32).toString('base64'));
  const row = database.sql.prepare(`SELECT value FROM meta WHERE key = 'signing_secret'`).get();
  return new Uint8Array(Buffer.from(String(row?.['value']), 'base64'));
}
