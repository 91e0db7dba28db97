/** Sign-ins for the tests of this folder. */
import type { Credentials, TokenPair } from '../../src/auth/index.ts';

/** The moment every test of this folder begins: a second at which nothing rounds. */
export const NOW = Date.UTC(2026, 1, 7, 18, 4, 5, 120);

/** A token as servers issue them, unsigned. */
export function jwt(claims: object): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'HS256' })}.${part(claims)}.c2ln`;
}

export function tokenPair(changes: Partial<TokenPair> = {}): TokenPair {
  return {
    access: 'access-1',
    refresh: 'refresh-1',
    accessExpiresAt: NOW + 900_000,
    refreshExpiresAt: NOW + 604_800_000,
    ...changes,
  };
}

export function credentials(changes: Partial<Credentials> = {}): Credentials {
  return {
    server: 'https://sync.example',
    username: 'alice@example.com',
    teamSlug: 'acme',
    tokens: tokenPair(),
    ...changes,
  };
}
