/** Asks the server in force how it is, as the account in force: for a person who wants to know now. */
import type { SessionProvider } from '../auth/port.ts';
import type { Time } from '../internal/time.ts';
import type { ProbeVerdict } from '../transport/http/probe-server.ts';

/** What a server said of itself. */
export interface ServerProbe {
  readonly server: string;
  /** Whether it was asked as somebody: without a token a healthy server says nothing about the sign-in. */
  readonly isSignedIn: boolean;
  readonly verdict: ProbeVerdict;
}

/** One question; null when no server is set. A token that has run out is renewed first, as for a delivery. Never rejects. */
export type ProbeServer = (signal?: AbortSignal) => Promise<ServerProbe | null>;

export function createProbe(deps: {
  readonly server: () => Promise<string | null>;
  readonly session: Pick<SessionProvider, 'accessToken'>;
  readonly time: Time;
}): ProbeServer {
  return async (signal) => {
    const server = await deps.server();
    if (server === null) return null;
    const token = await deps.session.accessToken(signal);
    const { probeServer } = await import('../transport/http/index.ts');
    const verdict = await probeServer({
      server,
      time: deps.time,
      ...(token.kind === 'token' ? { accessToken: token.accessToken } : {}),
      ...(signal === undefined ? {} : { signal }),
    });
    return { server, isSignedIn: token.kind === 'token', verdict };
  };
}
