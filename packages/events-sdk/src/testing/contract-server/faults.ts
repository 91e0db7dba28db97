/**
 * The usual ways in which a request goes wrong, each to be passed to `respondNext`. Where it says "decided", the server
 * has taken the batch in as ever and only its answer is spoiled: the cases in which work gets lost or doubled.
 */
import type { ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';

import type { Time } from '../../internal/time.ts';
import type { Reply } from './http.ts';
import { FOREIGN_EVENT_ID } from './link-faults.ts';
import type { FixedAnswer, ScriptedHandler } from './scripted-answers.ts';

/** Cuts the connection when the request arrives: nothing was decided. */
function cutBefore(): ScriptedHandler {
  return (request) => {
    request.socket.destroy();
  };
}

/** Decided, then the connection is cut before the first byte of the answer. */
function cutUnanswered(): ScriptedHandler {
  return spoil((response) => {
    response.destroy();
  });
}

/** Decided, then half of the answer's body, then the connection is cut. */
function cutInside(): ScriptedHandler {
  return spoil((response, reply, body) => {
    writeHead(response, reply, { 'content-length': String(body.length) });
    response.write(half(body), () => {
      response.destroy();
    });
  });
}

/** Decided, and the whole body goes out, but the connection is cut where its end should be said. */
function cutAfter(): ScriptedHandler {
  return spoil((response, reply, body) => {
    writeHead(response, reply, {});
    response.write(body, () => {
      response.destroy();
    });
  });
}

/** Decided, then one byte of the answer every `everyMs` of the server's time (default 1 s). */
function slow(everyMs = 1_000): ScriptedHandler {
  return spoil((response, reply, body, time) => {
    writeHead(response, reply, { 'content-length': String(body.length) });
    let sent = 0;
    const sendOne = (): void => {
      if (response.destroyed) return;
      response.write(body.subarray(sent, sent + 1));
      sent += 1;
      if (sent < body.length) time.after(everyMs, sendOne);
      else response.end();
    };
    sendOne();
  });
}

/** Decided; half of the answer's JSON arrives as if it were all. */
function truncatedJson(): ScriptedHandler {
  return spoil((response, reply, body) => {
    writeHead(response, reply, {});
    response.end(half(body));
  });
}

/** Decided; half of the compressed answer arrives as if it were all. */
function truncatedGzip(): ScriptedHandler {
  return spoil((response, reply, body) => {
    writeHead(response, reply, { 'content-encoding': 'gzip' });
    response.end(half(gzipSync(body)));
  });
}

/** Decided; the answer says that it is compressed and is not. */
function notGzip(): ScriptedHandler {
  return spoil((response, reply, body) => {
    writeHead(response, reply, { 'content-encoding': 'gzip' });
    response.end(body);
  });
}

/** Decided; the list of verdicts is what `change` makes of it. Answers without such a list stay as they are. */
function results(change: (results: readonly object[]) => unknown): ScriptedHandler {
  return spoil((response, reply) => {
    writeHead(response, reply, {});
    const { body } = reply;
    const list: unknown = typeof body === 'object' && body !== null && 'results' in body ? body.results : undefined;
    // The batch endpoint writes objects; what is no list is another endpoint's answer.
    response.end(JSON.stringify(Array.isArray(list) ? { results: change(list as readonly object[]) } : body));
  });
}

/** Decided; no verdicts. */
function noResults(): ScriptedHandler {
  return results(() => []);
}

/** Decided; something else where the verdicts should be. */
function wrongResults(): ScriptedHandler {
  return results(() => 'all fine');
}

/** Decided; every verdict is on an event nobody sent. */
function foreignIds(): ScriptedHandler {
  return results((list) => list.map((result) => ({ ...result, event_id: FOREIGN_EVENT_ID })));
}

/** Decided; one verdict too many, on an event nobody sent. */
function extraIds(): ScriptedHandler {
  return results((list) => [...list, { event_id: FOREIGN_EVENT_ID, status: 'success' }]);
}

/** Decided; only the first `keep` verdicts, by default the first half. */
function partialResults(keep?: number): ScriptedHandler {
  return results((list) => list.slice(0, keep ?? Math.floor(list.length / 2)));
}

/** Refused, with the time to wait: seconds, a date, or any text. */
function retryAfter(status: number, after: number | Date | string): FixedAnswer {
  const value = after instanceof Date ? after.toUTCString() : String(after);
  return { status, body: { error: 'later' }, headers: { 'retry-after': value } };
}

/** Sent elsewhere. */
function redirect(location = 'https://elsewhere.example/', status = 307): FixedAnswer {
  return { status, headers: { location } };
}

/** A sign-in portal in between: 200 and a web page. */
function portal(): FixedAnswer {
  const body = '<!doctype html><title>Welcome</title><p>Sign in to use this network';
  return { status: 200, body, headers: { 'content-type': 'text/html' } };
}

/** Faults of requests, by name. */
export const faults = {
  cutBefore,
  cutUnanswered,
  cutInside,
  cutAfter,
  slow,
  truncatedJson,
  truncatedGzip,
  notGzip,
  results,
  noResults,
  wrongResults,
  foreignIds,
  extraIds,
  partialResults,
  retryAfter,
  redirect,
  portal,
} as const;

/** Lets the server decide, and writes its answer in another way. */
function spoil(write: (response: ServerResponse, reply: Reply, body: Buffer, time: Time) => void): ScriptedHandler {
  return (_request, _response, time) => (request, response, reply) => {
    request.resume();
    if (!response.destroyed) write(response, reply, Buffer.from(JSON.stringify(reply.body)), time);
  };
}

function writeHead(response: ServerResponse, reply: Reply, headers: Readonly<Record<string, string>>): void {
  response.writeHead(reply.status, { 'content-type': 'application/json', ...reply.headers, ...headers });
}

function half(bytes: Buffer): Buffer {
  return bytes.subarray(0, Math.ceil(bytes.length / 2));
}
