/**
 * Answers a test prepares: each is used instead of the server's own for the next fitting requests. This is
 * the one place where faults enter: a fault is a handler that answers, delays or destroys a request.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';

import type { Time } from '../../internal/time.ts';

/** A handler of its own; `'continue'` lets the server answer as usual afterwards. */
export type ScriptedHandler = (
  request: IncomingMessage,
  response: ServerResponse,
) => void | 'continue' | Promise<void | 'continue'>;

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
}

/** The prepared answers of a server. */
export interface ScriptedAnswers {
  readonly respondNext: (answer: FixedAnswer | ScriptedHandler, scope?: ScriptedScope) => void;
  /** Accepts the next request and never answers it. */
  readonly hang: (scope?: ScriptedScope) => void;
  /** Answers the next request with 200 and bytes that are no JSON. */
  readonly garbage: (scope?: ScriptedScope) => void;
  /** Answers a request if something was prepared for it; false: the server answers. */
  readonly intercept: (path: string, request: IncomingMessage, response: ServerResponse) => Promise<boolean>;
}

/** An empty script. */
export function createScriptedAnswers(time: Time): ScriptedAnswers {
  const prepared: { handler: ScriptedHandler; path: string | undefined; left: number }[] = [];

  function respondNext(answer: FixedAnswer | ScriptedHandler, scope: ScriptedScope = {}): void {
    const handler = typeof answer === 'function' ? answer : fixed(answer, time);
    prepared.push({ handler, path: scope.path, left: scope.times ?? 1 });
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
      const index = prepared.findIndex((entry) => entry.path === undefined || entry.path === path);
      const entry = prepared[index];
      if (entry === undefined) return false;
      entry.left -= 1;
      if (entry.left <= 0) prepared.splice(index, 1);
      return (await entry.handler(request, response)) !== 'continue';
    },
  };
}

function fixed(answer: FixedAnswer, time: Time): ScriptedHandler {
  const { status, body = '', headers = {}, delayMs = 0 } = answer;
  const isRaw = typeof body === 'string' || body instanceof Uint8Array;
  return (request, response) => {
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
