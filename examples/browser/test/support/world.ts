/** A server with its data, and a browser that reaches nothing but this machine. Everything ends with `close`. */
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { ContractServer } from '@spec-kitty/events-sdk/testing';
import { build } from 'esbuild';
import { chromium, type BrowserContext, type Page } from 'playwright-core';

import { createFieldServer } from '../../src/server/server.ts';
import { chromiumPath } from './chromium.ts';

/** Who may sign in. */
export const ADA = { username: 'ada', password: 'analytical', team: 'field' };

/** How long a test waits for what the page is to show; below the time a test may take. */
const PATIENCE_MS = 60_000;

export interface World {
  /** The running server; another one after `startServer`. */
  readonly server: ContractServer;
  stopServer(): Promise<void>;
  /** On the same port and data as before. */
  startServer(): Promise<void>;
  /** A browser without a past; its tabs share their storage. */
  newContext(): Promise<BrowserContext>;
  /** A tab on that path of the server. */
  open(context: BrowserContext, path?: string): Promise<Page>;
  close(): Promise<void>;
}

/** Starts both. */
export async function makeWorld(): Promise<World> {
  const folder = mkdtempSync(join(tmpdir(), 'browser-example-'));
  await buildProbe(folder);
  const data = join(folder, 'field.db');
  const create = (): Promise<ContractServer> => createFieldServer({ data, folders: [folder] });
  let server = await create();
  await server.accounts.addUser(ADA);
  const url = await server.listen();
  const browser = await chromium.launch({
    ...(chromiumPath === undefined ? {} : { executablePath: chromiumPath }),
    // Containers run as root, where Chromium's sandbox does not start; only our own pages are opened.
    chromiumSandbox: false,
    // No name but this machine's resolves: not even the browser's own services are asked.
    args: ['--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1'],
  });

  return {
    get server() {
      return server;
    },
    stopServer: () => server.close(),
    async startServer() {
      server = await create();
      await server.listen(Number(new URL(url).port));
    },
    async newContext() {
      const context = await browser.newContext();
      context.setDefaultTimeout(PATIENCE_MS);
      return context;
    },
    async open(context, path = '/') {
      const page = await context.newPage();
      await page.goto(`${url}${path}`);
      return page;
    },
    async close() {
      await browser.close();
      await server.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function buildProbe(folder: string): Promise<void> {
  const source = join(import.meta.dirname, '..', 'probe');
  await build({
    entryPoints: [join(source, 'probe.ts')],
    outdir: folder,
    bundle: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2024',
    logLevel: 'warning',
  });
  copyFileSync(join(source, 'probe.html'), join(folder, 'probe.html'));
}
