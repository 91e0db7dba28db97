/** Signing in and staying signed in. No Node modules: the store and the endpoint are ports. */
export type { Session, SessionProvider, TokenAnswer } from './port.ts';
export {
  createMemoryCredentialStore,
  type CredentialChange,
  type CredentialStore,
  type Credentials,
  type TokenPair,
} from './credential-store.ts';
export { sessionFromEnvironment, type EnvironmentSessionOptions } from './environment-session.ts';
export { isLoopbackHost, parseServerUrl } from './server-url.ts';
export { teamFromToken } from './token-claims.ts';
export type { TokenEndpoint, TokenEndpointAnswer } from './token-endpoint.ts';
export {
  createTokenManager,
  type AuthStatus,
  type LoginInput,
  type TokenManager,
  type TokenManagerDeps,
} from './token-manager.ts';
