/**
 * HTTP around the contract: matches path and method, checks the access token, writes JSON, and keeps a log
 * of requests without their bodies. It knows nothing of events.
 */
import { createServer, ServerResponse, type IncomingMessage, type Server } from 'node:http';
import type { Socket } from 'node:net';

import type { Account } from './accounts.ts';
import { readJsonBody, type BodyResult } from './body.ts';

/** One request as tests and operators see it. */
export interface RequestRecord {
  readonly method: string;
  /** Path without the query. */
  readonly path: string;
  /** Null while unanswered, and for good when the answer never went out whole. 101: became a realtime link. */
  readonly status: number | null;
  /** Bytes of the body as they travelled (compressed ones where it was). */
  readonly bytes: number;
  /** Events in the batch, where the request carried one that could be read. */
  readonly events: number | null;
}

/** An answer of the contract. */
export interface Reply {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What a route may use of its request. */
export interface Call {
  /** Present on every route that is not open. */
  readonly account: Account | undefined;
  /** The body as JSON; `maxBytes` lowers the server's limit for routes that need little. */
  readBody(maxBytes?: number): Promise<BodyResult>;
  /** Notes the size of the batch in the log. */
  countEvents(count: number): void;
}

/** A path of the contract. */
export interface Route {
  readonly method: 'GET' | 'POST';
  /** Reachable without a token. */
  readonly isOpen?: boolean;
  /** Undefined when the client has gone and nobody is left to answer. */
  readonly answer: (call: Call) => Promise<Reply | undefined>;
}

/** Writes an answer the contract has decided on: what is stored stays stored, however this delivers it. */
export type Delivery = (request: IncomingMessage, response: ServerResponse, reply: Reply) => void;

/**
 * Takes a request (also one for an upgrade) before the contract's routes do: true when it has dealt with it, a
 * delivery when the contract shall decide and somebody else shall answer.
 */
export type RequestFilter = (
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
) => Promise<boolean | Delivery>;

/** Takes an upgraded connection over, or says why not. */
export type Upgrade = (request: IncomingMessage, socket: Socket, head: Buffer) => Promise<Reply | undefined>;

/** The longest log; older records are forgotten first. */
const MAX_RECORDS = 10_000;

/** A Node server for the routes. It listens nowhere yet. */
export function createHttpServer(deps: {
  readonly routes: Readonly<Record<string, Route>>;
  readonly upgrades: Readonly<Record<string, Upgrade>>;
  readonly maxBodyBytes: () => number;
  readonly checkAccess: (token: string) => Promise<Account | undefined>;
  readonly filters: readonly RequestFilter[];
}): {
  readonly server: Server;
  readonly requests: () => readonly RequestRecord[];
  /** Ends connections that were to be upgraded; the Node server no longer knows them. */
  readonly endUpgrades: () => void;
} {
  const records: { -readonly [K in keyof RequestRecord]: RequestRecord[K] }[] = [];

  function note(request: IncomingMessage, response: ServerResponse) {
    const record = {
      method: request.method ?? 'GET',
      path: pathOf(request),
      status: null as number | null,
      bytes: Number(request.headers['content-length'] ?? 0),
      events: null as number | null,
    };
    records.push(record);
    if (records.length > MAX_RECORDS) records.shift();
    response.on('finish', () => {
      record.status = response.statusCode;
    });
    return record;
  }

  /** How the contract's answer is to be delivered; undefined when a filter has dealt with the request. */
  async function passFilters(request: IncomingMessage, response: ServerResponse): Promise<Delivery | undefined> {
    for (const filter of deps.filters) {
      const taken = await filter(pathOf(request), request, response);
      if (taken === true) return undefined;
      if (typeof taken === 'function') return taken;
    }
    return send;
  }

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const record = note(request, response);
    const { method, path } = record;
    const send = await passFilters(request, response);
    if (send === undefined) return;

    const route = Object.hasOwn(deps.routes, path) ? deps.routes[path] : undefined;
    if (route === undefined) return send(request, response, notFound(path, { ...deps.routes, ...deps.upgrades }));
    if (route.method !== method) {
      return send(request, response, {
        status: 405,
        body: { error: `Method ${method} is not allowed here` },
        headers: { allow: route.method },
      });
    }

    const account = await deps.checkAccess(bearerOf(request));
    if (account === undefined && route.isOpen !== true) {
      const headers = { 'www-authenticate': 'Bearer' };
      return send(request, response, {
        status: 401,
        body: { error: 'Access token is missing, expired or not valid' },
        headers,
      });
    }

    record.bytes = 0;
    const reply = await route.answer({
      account,
      readBody: (maxBytes = deps.maxBodyBytes()) =>
        readJsonBody(request, {
          maxBytes,
          onBytes: (count) => {
            record.bytes += count;
          },
        }),
      countEvents(count) {
        record.events = count;
      },
    });
    if (reply !== undefined) send(request, response, reply);
  }

  async function upgrade(request: IncomingMessage, response: ServerResponse, socket: Socket, head: Buffer) {
    const record = note(request, response);
    const send = await passFilters(request, response);
    if (send === undefined) return;
    const accept = Object.hasOwn(deps.upgrades, record.path) ? deps.upgrades[record.path] : undefined;
    if (accept === undefined)
      return send(request, response, notFound(record.path, { ...deps.routes, ...deps.upgrades }));
    response.detachSocket(socket);
    const refusal = await accept(request, socket, head);
    if (refusal === undefined) {
      record.status = 101;
      return;
    }
    response.assignSocket(socket);
    send(request, response, refusal);
  }

  const server = createServer((request, response) => {
    respond(request, response).catch(() => {
      // The reason may quote what was sent; the client only learns that it was not its fault.
      if (response.headersSent || response.destroyed) response.destroy();
      else send(request, response, { status: 500, body: { error: 'The server failed' } });
    });
  });
  const upgrading = new Set<Socket>();
  server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    upgrading.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => upgrading.delete(socket));
    // So that a refusal, scripted or not, is written like any other answer.
    const response = new ServerResponse(request);
    response.shouldKeepAlive = false;
    response.assignSocket(socket);
    response.on('finish', () => {
      socket.end();
    });
    upgrade(request, response, socket, head).catch(() => {
      socket.destroy();
    });
  });
  server.requestTimeout = 60_000;

  return {
    server,
    requests: () => records.map((record) => ({ ...record })),
    endUpgrades() {
      for (const socket of upgrading) socket.destroy();
    },
  };
}

/** The path of a request, without its query. */
export function pathOf(request: IncomingMessage): string {
  return (request.url ?? '/').split('?', 1)[0] ?? '/';
}

/** The token of an `Authorization: Bearer` header; empty without one. */
export function bearerOf(request: IncomingMessage): string {
  return /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? '';
}

function notFound(path: string, routes: Readonly<Record<string, unknown>>): Reply {
  // A redirect would turn a client's POST into a GET (CONTRACT §9.1), so the slash is asked for in words.
  const hint = Object.hasOwn(routes, `${path}/`) ? '; the path ends with a slash' : '';
  return { status: 404, body: { error: `Not found${hint}` } };
}

function send(request: IncomingMessage, response: ServerResponse, reply: Reply): void {
  if (response.destroyed) return;
  // A body nobody read must be swallowed, or the connection cannot be used again.
  request.resume();
  const body = JSON.stringify(reply.body);
  response.writeHead(reply.status, {
    'content-type': 'application/json',
    'cache-control': 'no-store',
    ...reply.headers,
  });
  response.end(body);
}
