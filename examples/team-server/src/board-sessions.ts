/** Who is signed in to the board: a random cookie per browser, kept in memory, so a restart signs everyone out. */
import { randomBytes } from 'node:crypto';

/** Sessions of the board. */
export interface BoardSessions {
  /** A new session's cookie value. */
  open(username: string): string;
  /** Whose session it is; undefined when unknown or over. */
  find(id: string): string | undefined;
  close(id: string): void;
}

/** How long one sign-in lasts: a working day. */
export const SESSION_MS = 12 * 60 * 60 * 1000;

/** An empty set of sessions. */
export function createBoardSessions(now: () => number): BoardSessions {
  const sessions = new Map<string, { readonly username: string; readonly endsAt: number }>();
  return {
    open(username) {
      for (const [id, session] of sessions) if (session.endsAt <= now()) sessions.delete(id);
      const id = randomBytes(32).toString('base64url');
      sessions.set(id, { username, endsAt: now() + SESSION_MS });
      return id;
    },
    find(id) {
      const session = sessions.get(id);
      return session === undefined || session.endsAt <= now() ? undefined : session.username;
    },
    close: (id) => void sessions.delete(id),
  };
}
