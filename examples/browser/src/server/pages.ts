/** Serves the built page from the contract server itself: same origin, so no CORS. */
import { readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';

import type { RequestFilter } from '@spec-kitty/events-sdk/testing';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.wasm': 'application/wasm',
};
/** Scripts, the wasm and requests to this origin only; compiling wasm needs its own word. */
const POLICY = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'unsafe-inline'; img-src data:";

/** Answers for the files of these folders, the first that has one; everything else is the contract's. */
export function pagesFrom(...folders: readonly string[]): RequestFilter {
  return async (path, request, response) => {
    const name = path === '/' ? 'index.html' : path.slice(1);
    const type = TYPES[extname(name)];
    // Plain names only: no folders, so nothing outside of ours.
    if (request.method !== 'GET' || type === undefined || !/^[\w.-]+$/.test(name)) return false;
    for (const folder of folders) {
      const body = await readFile(join(folder, name)).catch(() => undefined);
      if (body === undefined) continue;
      response.writeHead(200, { 'content-type': type, 'content-security-policy': POLICY, 'cache-control': 'no-cache' });
      response.end(body);
      return true;
    }
    return false;
  };
}
