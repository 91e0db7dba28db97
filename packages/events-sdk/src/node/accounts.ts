/**
 * Who a program on this machine acts for: the token of the environment where one is set, else the sign-in on disk.
 */
import { sessionFromEnvironment } from '../auth/environment-session.ts';
import type { SessionProvider } from '../auth/port.ts';
import { createTokenManager, type AuthStatus, type TokenManager } from '../auth/token-manager.ts';
import type { Logger } from '../internal/logger.ts';
import { once } from '../internal/once.ts';
import type { Time } from '../internal/time.ts';
import type { SyncConfig } from './config-file.ts';
import { createCredentialsFile } from './credentials-file.ts';
import type { Env, Home } from './home.ts';

/** The sessions of a home and its environment. */
export interface Accounts {
  /** Whoever this process acts for: the environment's token where one is set, else the sign-in on disk. */
  readonly session: SessionProvider;
  /** The sign-in on disk. */
  readonly manager: TokenManager;
  /** Where `session` stands. */
  readonly status: () => Promise<AuthStatus>;
}

/** The accounts of a home. Reads nothing before it is asked. */
export function createAccounts(deps: {
  readonly home: Home;
  readonly env: Env;
  readonly time: Time;
  readonly logger: Logger;
  readonly config: () => Promise<SyncConfig>;
}): Accounts {
  const { home, env, time, logger } = deps;
  const endpoint = once(async () => (await import('../transport/http/index.ts')).createHttpTokenEndpoint({ time }));
  const manager = createTokenManager({
    store: createCredentialsFile({
      path: home.credentials,
      lockPath: home.lockPaths.credentials,
      time,
      shownAs: home.display(home.credentials),
      logger,
    }),
    endpoint: {
      obtain: async (...args) => (await endpoint()).obtain(...args),
      refresh: async (...args) => (await endpoint()).refresh(...args),
    },
    time,
    logger,
  });
  if ((env['SPEC_KITTY_TOKEN'] ?? '').trim() === '')
    return { session: manager, manager, status: () => manager.status() };
  const provider = once(async () => {
    const { serverUrl } = await deps.config();
    return sessionFromEnvironment({ env, logger, ...(serverUrl === null ? {} : { server: serverUrl }) }) ?? manager;
  });
  const session: SessionProvider = {
    current: async () => (await provider()).current(),
    accessToken: async (signal) => (await provider()).accessToken(signal),
    refresh: async (token, signal) => (await provider()).refresh(token, signal),
  };
  const status = async (): Promise<AuthStatus> => {
    const current = await session.current();
    return {
      session: current,
      state: current === null ? 'logged-out' : 'active',
      accessExpiresAt: null,
      refreshExpiresAt: null,
    };
  };
  return { session, manager, status };
}
