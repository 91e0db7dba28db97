/**
 * Answers a test prepares: each is used instead of the server's own for the next fitting requests. This is where
 * faults of requests enter: a fault is a handler that answers, delays or destroys a request, or that lets the server
 * decide and spoils the delivery. The usual ones are in `faults`.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';

import type { Time } from '../../internal/time.ts';
import type { Delivery, RequestFilter } from './http.ts';

/** What a handler leaves to the server: nothing, everything, or everything but writing the answer. */
export type ScriptedOutcome = void | 'continue' | Delivery;

/** A handler of one's own. `'continue'` lets the server answer as usual, a delivery lets it decide. */
export type ScriptedHandler = (
  request: IncomingMessage,
  response: ServerResponse,
  /** The server's time. */
  time: Time,
) => ScriptedOutcome | Promise<ScriptedOutcome>;

/** A fixed answer. Objects are sent as JSON, text and bytes as they are. */
export interface FixedAnswer {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** How long the answer is held back. */
  readonly delayMs?: number;
}

/** Which requests a scripted answer is for. */
export interface ScriptedScope {
  /** Exact path; default: any. */
  readonly path?: string;
  /** How many requests; default 1. */
  readonly times?: number;
  /** How many fitting requests pass before; default 0. */
  readonly skip?: number;
}

/** The prepared answers of a server. */
export interface ScriptedAnswers {
  readonly respondNext: (answer: FixedAnswer | ScriptedHandler, scope?: ScriptedScope) => void;
  /** Accepts the next request and never answers it. */
  readonly hang: (scope?: ScriptedScope) => void;
  /** Answers the next request with 200 and bytes that are no JSON. */
  readonly garbage: (scope?: ScriptedScope) => void;
  /** Answers a request if something was prepared for it; false: the server answers. */
  readonly intercept: RequestFilter;
}

/** An empty script. */
export function createScriptedAnswers(time: Time): ScriptedAnswers {
  const prepared: { handler: ScriptedHandler; path: string | undefined; left: number; skip: number }[] = [];

  function respondNext(answer: FixedAnswer | ScriptedHandler, scope: ScriptedScope = {}): void {
    const handler = typeof answer === 'function' ? answer : fixed(answer);
    prepared.push({ handler, path: scope.path, left: scope.times ?? 1, skip: scope.skip ?? 0 });
  }

  return {
    respondNext,
    hang(scope) {
      respondNext((request) => {
        request.resume();
      }, scope);
    },
    garbage(scope) {
      respondNext(
        { status: 200, body: '<!doctype html><p>not the contract', headers: { 'content-type': 'text/html' } },
        scope,
      );
    },
    async intercept(path, request, response) {
      const fitting = prepared.filter((entry) => entry.path === undefined || entry.path === path);
      const entry = fitting.find(({ skip }) => skip === 0);
      for (const other of fitting) if (other.skip > 0) other.skip -= 1;
      if (entry === undefined) return false;
      entry.left -= 1;
      if (entry.left <= 0) prepared.splice(prepared.indexOf(entry), 1);
      const outcome = await entry.handler(request, response, time);
      return typeof outcome === 'function' ? outcome : outcome !== 'continue';
    },
  };
}

function fixed(answer: FixedAnswer): ScriptedHandler {
  const { status, body = '', headers = {}, delayMs = 0 } = answer;
  const isRaw = typeof body === 'string' || body instanceof Uint8Array;
  return (request, response, time) => {
    // Swallowed, so that the connection can be used again.
    request.resume();
    const send = (): void => {
      response.writeHead(status, { ...(isRaw ? {} : { 'content-type': 'application/json' }), ...headers });
      response.end(isRaw ? body : JSON.stringify(body));
    };
    if (delayMs > 0) time.after(delayMs, send);
    else send();
  };
}
