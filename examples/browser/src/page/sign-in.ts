/**
 * The sign-in of all tabs of this origin, in `localStorage`: it survives a reload. Whatever script runs on the origin can
 * read it there; a server that signs people in by cookie needs none of this.
 */
import { systemTime } from '@spec-kitty/events-sdk';
import {
  createTokenManager,
  type CredentialStore,
  type Credentials,
  type TokenManager,
} from '@spec-kitty/events-sdk/auth';
import { createHttpTokenEndpoint } from '@spec-kitty/events-sdk/transport/http';

/** The token manager of the tabs that say the same name. */
export function createSignIn(name: string): TokenManager {
  return createTokenManager({
    store: createLocalCredentials(`${name} sign-in`),
    endpoint: createHttpTokenEndpoint({ time: systemTime }),
    time: systemTime,
  });
}

function createLocalCredentials(key: string): CredentialStore {
  const load = (): Credentials | null => {
    const text = localStorage.getItem(key);
    // Written below and nowhere else.
    return text === null ? null : (JSON.parse(text) as Credentials);
  };
  return {
    load: () => Promise.resolve(load()),
    // The lock spans the request in between: of two tabs only one may spend a refresh token.
    update: (work) =>
      navigator.locks.request(key, async () => {
        const { answer, next } = await work(load());
        if (next === null) localStorage.removeItem(key);
        else if (next !== undefined) localStorage.setItem(key, JSON.stringify(next));
        return answer;
      }),
  };
}
