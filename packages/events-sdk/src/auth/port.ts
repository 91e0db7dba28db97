/**
 * Who is signed in, as the rest of the library sees it. Reading a session is local and cheap;
 * only `accessToken` and `refresh` may use the network, and only delivery calls them.
 */

/** A sign-in on one server. Exists until logout, also when its tokens have expired. */
export interface Session {
  /** The server that issued the tokens, normalised; tokens go nowhere else. */
  readonly server: string;
  readonly username: string;
  /** The team events are routed to; null when the server named none. */
  readonly teamSlug: string | null;
}

/** A token to send with, or why there is none. */
export type TokenAnswer =
  | { readonly kind: 'token'; readonly accessToken: string; readonly session: Session }
  /** Nobody is signed in. */
  | { readonly kind: 'logged-out' }
  /** The server no longer accepts the sign-in; only a new login helps. */
  | { readonly kind: 'expired' }
  /** The server could not be asked; the sign-in may still be good. */
  | { readonly kind: 'unreachable'; readonly message: string };

/** The signed-in person's tokens, shared by all processes of a home. */
export interface SessionProvider {
  /** The sign-in on disk; null when logged out. No network. */
  current(): Promise<Session | null>;
  /** A token believed valid, refreshed first if it has run out. */
  accessToken(signal?: AbortSignal): Promise<TokenAnswer>;
  /** After a 401: another process's newer token if there is one, else one refresh, single flight across processes. */
  refresh(rejectedToken: string, signal?: AbortSignal): Promise<TokenAnswer>;
}
