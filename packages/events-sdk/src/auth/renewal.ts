/**
 * Renewing a sign-in. Promises that of all callers in all processes of a home one alone spends a refresh token and
 * the others adopt what it got, that a rotation once begun is seen through, and that a refusal clears only the
 * tokens that were refused.
 */
import { EventsSdkError, isEventsSdkError } from '../errors.ts';
import type { Logger } from '../internal/logger.ts';
import type { Time } from '../internal/time.ts';
import type { CredentialChange, CredentialStore, Credentials, TokenPair } from './credential-store.ts';
import type { TokenAnswer } from './port.ts';
import { EXPIRED, isFresh, LOGGED_OUT, toSession, withToken } from './session-of.ts';
import { cleanName } from './token-claims.ts';
import type { TokenEndpoint } from './token-endpoint.ts';

/** What a renewal needs. */
export interface RenewalDeps {
  readonly store: CredentialStore;
  readonly endpoint: TokenEndpoint;
  readonly time: Time;
  readonly logger: Logger;
}

/** Answers with a token newer than `stale`, or why there is none. Never rejects. */
export type Renew = (stale: string, signal?: AbortSignal) => Promise<TokenAnswer>;

const CANCELLED: TokenAnswer = { kind: 'unreachable', message: 'Renewing the sign-in was cancelled.' };

/** One renewal under way in this process, and how many callers still want its answer. */
interface Flight {
  readonly answer: Promise<TokenAnswer>;
  waiting: number;
}

/** Creates the renewal of one home's sign-in. */
export function createRenewal({ store, endpoint, time, logger }: RenewalDeps): Renew {
  const flights = new Map<string, Flight>();

  /** Joins the renewal of `stale` already under way here, or starts it. */
  async function renew(stale: string, signal?: AbortSignal): Promise<TokenAnswer> {
    if (signal?.aborted === true) return CANCELLED;
    let flight = flights.get(stale);
    if (flight === undefined) {
      const started: Flight = {
        waiting: 0,
        answer: Promise.resolve().then(() => renewOnce(stale, () => started.waiting > 0)),
      };
      void started.answer.finally(() => flights.delete(stale));
      flights.set(stale, started);
      flight = started;
    }
    flight.waiting += 1;
    try {
      return await orAborted(flight.answer, signal);
    } finally {
      flight.waiting -= 1;
    }
  }

  async function renewOnce(stale: string, isWanted: () => boolean): Promise<TokenAnswer> {
    let decided: TokenAnswer | undefined;
    try {
      return await store.update(async (current) => {
        const change = await exchange(current, stale, isWanted);
        if (change.next !== undefined) decided = change.answer;
        return change;
      });
    } catch (error) {
      if (isEventsSdkError(error, 'STORAGE_BUSY')) {
        return { kind: 'unreachable', message: 'Another process is renewing the sign-in. Try again in a moment.' };
      }
      // Ours name a file and a remedy; a foreign error's text may hold anything, also a token.
      const message = error instanceof EventsSdkError ? error.message : 'The sign-in could not be renewed.';
      if (decided === undefined) return { kind: 'unreachable', message };
      // The server has decided and cannot be asked twice: this process goes on with what it got.
      const loss = decided.kind === 'token' ? ' The renewed sign-in is lost when this command ends.' : '';
      logger.warn('CREDENTIALS_NOT_SAVED', `${message}${loss}`);
      return decided;
    }
  }

  /** Runs under the lock. */
  async function exchange(
    current: Credentials | null,
    stale: string,
    isWanted: () => boolean,
  ): Promise<CredentialChange<TokenAnswer>> {
    if (current === null) return { answer: LOGGED_OUT };
    const { tokens } = current;
    if (tokens === null) return { answer: EXPIRED };
    // Another process was faster: its token is newer than the one that failed.
    if (tokens.access !== stale && isFresh(tokens, time.now())) return { answer: withToken(current, tokens) };
    if (tokens.refreshExpiresAt <= time.now()) return { answer: EXPIRED };
    if (!isWanted()) return { answer: CANCELLED };

    const reply = await endpoint.refresh({ server: current.server, refreshToken: tokens.refresh });
    switch (reply.kind) {
      case 'tokens': {
        // A claim never overrides a known team: a slug that flips would strand the events bound to it.
        const teamSlug = cleanName(reply.teamSlug) ?? toSession(current).teamSlug;
        const next = { ...current, tokens: reply.tokens, teamSlug };
        return { next, answer: withToken(next, reply.tokens) };
      }
      case 'refused':
        return afterRefusal(tokens);
      case 'unreachable':
      case 'invalid':
        return { answer: { kind: 'unreachable', message: reply.message } };
      default:
        return reply satisfies never;
    }
  }

  /** Programs that do not know our lock share this file: only the token that was refused may be cleared. */
  async function afterRefusal(refused: TokenPair): Promise<CredentialChange<TokenAnswer>> {
    const onDisk = await store.load();
    if (onDisk === null) return { answer: LOGGED_OUT };
    if (onDisk.tokens === null) return { answer: EXPIRED };
    if (onDisk.tokens.refresh === refused.refresh) {
      // The team may be known from the token only, which goes now.
      return { next: { ...onDisk, tokens: null, teamSlug: toSession(onDisk).teamSlug }, answer: EXPIRED };
    }
    if (isFresh(onDisk.tokens, time.now())) return { answer: withToken(onDisk, onDisk.tokens) };
    return { answer: { kind: 'unreachable', message: 'The sign-in changed while it was being renewed. Try again.' } };
  }

  return renew;
}

/** The answer, or "cancelled" as soon as this caller gives up; the renewal itself is seen through for the others. */
function orAborted(answer: Promise<TokenAnswer>, signal: AbortSignal | undefined): Promise<TokenAnswer> {
  if (signal === undefined) return answer;
  return new Promise((resolve, reject) => {
    const giveUp = (): void => {
      resolve(CANCELLED);
    };
    signal.addEventListener('abort', giveUp, { once: true });
    answer.then(resolve, reject).finally(() => {
      signal.removeEventListener('abort', giveUp);
    });
  });
}
