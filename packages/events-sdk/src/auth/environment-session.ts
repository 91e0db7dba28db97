/**
 * The sign-in of CI jobs and agents: a token handed over in the environment. It is never written to disk, goes
 * only to the server named beside it, and cannot be renewed.
 */
import { isEventsSdkError } from '../errors.ts';
import { silentLogger, type Logger } from '../internal/logger.ts';
import type { Session, SessionProvider, TokenAnswer } from './port.ts';
import { parseServerUrl } from './server-url.ts';
import { cleanName, teamFromToken, usernameFromToken } from './token-claims.ts';

/** What the environment session reads. */
export interface EnvironmentSessionOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The person's own configured server, used without SPEC_KITTY_SERVER. Never one named by a repository. */
  readonly server?: string;
  readonly logger?: Logger;
}

/**
 * The session of SPEC_KITTY_TOKEN, SPEC_KITTY_TEAM and SPEC_KITTY_SERVER; null when SPEC_KITTY_TOKEN is not set.
 * A token that cannot be used (no server, a bad address, not a header value) warns and counts as logged out:
 * falling back to another sign-in would send events under a name nobody asked for.
 */
export function sessionFromEnvironment(options: EnvironmentSessionOptions): SessionProvider | null {
  const { env, logger = silentLogger } = options;
  const token = env['SPEC_KITTY_TOKEN']?.trim() ?? '';
  if (token === '') return null;

  const server = readServer(env['SPEC_KITTY_SERVER']?.trim() || options.server, logger);
  if (!/^[\x21-\x7e]+$/.test(token)) {
    logger.warn(
      'AUTH_ENVIRONMENT',
      'SPEC_KITTY_TOKEN holds spaces or control characters and is not used. Set it again.',
    );
    return providerOf(null, token);
  }
  if (server === null) return providerOf(null, token);
  const teamSlug = cleanName(env['SPEC_KITTY_TEAM']) ?? teamFromToken(token);
  return providerOf({ server, username: usernameFromToken(token) ?? 'SPEC_KITTY_TOKEN', teamSlug }, token);
}

function readServer(text: string | undefined, logger: Logger): string | null {
  if (text === undefined) {
    logger.warn('AUTH_ENVIRONMENT', 'SPEC_KITTY_TOKEN is set but no server is. Set SPEC_KITTY_SERVER to its address.');
    return null;
  }
  try {
    return parseServerUrl(text);
  } catch (error) {
    if (!isEventsSdkError(error)) throw error;
    logger.warn('AUTH_ENVIRONMENT', `SPEC_KITTY_TOKEN is not used: ${error.message}`);
    return null;
  }
}

function providerOf(session: Session | null, accessToken: string): SessionProvider {
  const token: TokenAnswer = session === null ? { kind: 'logged-out' } : { kind: 'token', accessToken, session };
  const refused: TokenAnswer = session === null ? token : { kind: 'expired' };
  return {
    current: () => Promise.resolve(session),
    accessToken: () => Promise.resolve(token),
    // Only whoever set the variable can set a newer one.
    refresh: () => Promise.resolve(refused),
  };
}
