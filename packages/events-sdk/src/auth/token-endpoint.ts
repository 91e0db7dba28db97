/** The port to a server's token endpoint (CONTRACT §8.3): asks once, never retries, never rejects. */
import type { TokenPair } from './credential-store.ts';

/** What the server answered, by what the caller does next. */
export type TokenEndpointAnswer =
  /** Fresh tokens; `teamSlug` is null when the response named no team. */
  | { readonly kind: 'tokens'; readonly tokens: TokenPair; readonly teamSlug: string | null }
  /** The name, password or refresh token is not accepted; asking again is pointless. */
  | { readonly kind: 'refused' }
  /** Nothing was decided: no connection, no answer in time, or the server is in trouble. */
  | { readonly kind: 'unreachable'; readonly message: string }
  /** The server answered outside the contract. */
  | { readonly kind: 'invalid'; readonly message: string };

/** Trades a password or a refresh token for tokens. */
export interface TokenEndpoint {
  obtain(
    request: { readonly server: string; readonly username: string; readonly password: string },
    signal?: AbortSignal,
  ): Promise<TokenEndpointAnswer>;
  /** Cannot be aborted: an abandoned rotation would leave this home with a token the server has already replaced. */
  refresh(request: { readonly server: string; readonly refreshToken: string }): Promise<TokenEndpointAnswer>;
}
