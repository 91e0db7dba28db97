/** A listening contract server with two teams, and the few requests the tests make of it. */
import { gzipSync } from 'node:zlib';

import { onTestFinished } from 'vitest';

import {
  createContractServer,
  type ContractServer,
  type ContractServerOptions,
} from '../../src/testing/contract-server/index.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // Tests compare whole bodies; their shape is what is being tested.
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly body: any;
}

export interface Setup {
  readonly server: ContractServer;
  readonly url: string;
  /** Access token of alice, who is in team acme; bob is in team globex. */
  readonly alice: string;
  readonly bob: string;
  call(
    method: string,
    path: string,
    options?: { token?: string; body?: unknown; headers?: Record<string, string> },
  ): Promise<Answer>;
  /** Sends events as a gzipped batch, by default as alice. */
  push(events: readonly unknown[], token?: string): Promise<Answer>;
}

export async function startServer(options: ContractServerOptions = {}): Promise<Setup> {
  const server = await createContractServer(options);
  onTestFinished(() => server.close());
  await server.accounts.addUser({ username: 'alice', password: 'correct horse', team: 'acme' });
  await server.accounts.addUser({ username: 'bob', password: 'battery staple', team: 'globex' });
  const url = await server.listen();
  const alice = (await server.signIn('alice')).access;
  const bob = (await server.signIn('bob')).access;

  const call: Setup['call'] = async (method, path, { token, body, headers } = {}) => {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined
        ? {}
        : { body: body instanceof Uint8Array || typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    return { status: response.status, headers: response.headers, body: await response.json() };
  };
  return {
    server,
    url,
    alice,
    bob,
    call,
    push: (events, token = alice) =>
      call('POST', '/api/v1/events/batch/', {
        token,
        body: gzipSync(JSON.stringify({ events })),
        headers: { 'content-encoding': 'gzip' },
      }),
  };
}
