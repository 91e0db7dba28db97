/** A session whose tokens are plain counters, for tests of what is built upon the session port. */
import type { Session, SessionProvider, TokenAnswer } from '../auth/port.ts';

export interface FakeSession extends SessionProvider {
  /** How often a refresh really took place. */
  readonly refreshes: number;
  /** Signs another account in, or out with null. */
  signIn(session: Session | null): void;
  /** What the next refreshes answer; afterwards they succeed again. */
  refreshNext(...answers: readonly TokenAnswer[]): void;
}

/** The account tests use unless they say otherwise. */
export const TEST_SESSION: Session = { server: 'https://team.example', username: 'ada@example.com', teamSlug: 'acme' };

export function createFakeSession(initial: Session | null = TEST_SESSION): FakeSession {
  let session = initial;
  let generation = 1;
  let refreshes = 0;
  const script: TokenAnswer[] = [];
  const token = (): TokenAnswer =>
    session === null ? { kind: 'logged-out' } : { kind: 'token', accessToken: `token-${generation}`, session };
  return {
    get refreshes() {
      return refreshes;
    },
    signIn(next) {
      session = next;
      generation += 1;
    },
    refreshNext: (...answers) => {
      script.push(...answers);
    },
    current: () => Promise.resolve(session),
    accessToken: () => Promise.resolve(token()),
    refresh(rejectedToken) {
      const scripted = script.shift();
      if (scripted !== undefined) return Promise.resolve(scripted);
      // A token newer than the refused one is adopted, as the real manager does.
      if (rejectedToken === `token-${generation}`) {
        generation += 1;
        refreshes += 1;
      }
      return Promise.resolve(token());
    },
  };
}
