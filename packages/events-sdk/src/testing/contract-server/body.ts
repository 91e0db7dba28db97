/**
 * Reads a request body within a byte limit that also holds while inflating, so that a small compressed
 * body can never become a large one in memory.
 */
import type { IncomingMessage } from 'node:http';
import { createGunzip } from 'node:zlib';

/** A body as JSON, or why it is none. `wireBytes` counts what arrived before inflating. */
export type BodyResult =
  | { readonly kind: 'json'; readonly value: unknown }
  | { readonly kind: 'too-large' }
  | { readonly kind: 'unreadable'; readonly error: string }
  | { readonly kind: 'unsupported-encoding' }
  /** The client went away. */
  | { readonly kind: 'aborted' };

/** How much of an oversize body is swallowed before the socket is cut, as a multiple of the limit. */
const SWALLOW_FACTOR = 8;

/** Reads and parses the body. Accepts gzip and identity; `onBytes` hears of every piece that arrives. */
export async function readJsonBody(
  request: IncomingMessage,
  options: { readonly maxBytes: number; readonly onBytes: (count: number) => void },
): Promise<BodyResult> {
  const encoding = (request.headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  if (encoding !== 'gzip' && encoding !== 'identity') {
    request.resume();
    return { kind: 'unsupported-encoding' };
  }
  const bytes = await collect(request, encoding === 'gzip', options);
  if (!(bytes instanceof Uint8Array)) return bytes;
  try {
    return { kind: 'json', value: JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) };
  } catch {
    return { kind: 'unreadable', error: 'Body is not readable JSON' };
  }
}

function collect(
  request: IncomingMessage,
  gzipped: boolean,
  { maxBytes, onBytes }: { readonly maxBytes: number; readonly onBytes: (count: number) => void },
): Promise<Uint8Array | BodyResult> {
  return new Promise((resolve) => {
    const gunzip = gzipped ? createGunzip() : undefined;
    const chunks: Buffer[] = [];
    let size = 0;
    let arrived = 0;
    let refused: BodyResult | undefined;

    /** Stops keeping, but reads on: a client that is still writing would lose an early answer. */
    const refuse = (result: BodyResult): void => {
      if (refused !== undefined) return;
      refused = result;
      chunks.length = 0;
      gunzip?.destroy();
      if (request.readableEnded) resolve(result);
      else request.resume();
    };
    const keep = (chunk: Buffer): void => {
      size += chunk.length;
      if (size > maxBytes) refuse({ kind: 'too-large' });
      else if (refused === undefined) chunks.push(chunk);
    };

    gunzip?.on('data', keep);
    gunzip?.on('end', () => {
      resolve(Buffer.concat(chunks));
    });
    gunzip?.on('error', () => {
      refuse({ kind: 'unreadable', error: 'Body is not readable gzip' });
    });
    gunzip?.on('drain', () => {
      request.resume();
    });

    request.on('data', (chunk: Buffer) => {
      arrived += chunk.length;
      onBytes(chunk.length);
      if (arrived > maxBytes * SWALLOW_FACTOR) request.destroy();
      else if (gunzip === undefined) keep(chunk);
      else if (refused === undefined && !gunzip.write(chunk)) request.pause();
    });
    request.on('end', () => {
      if (refused !== undefined) resolve(refused);
      else if (gunzip === undefined) resolve(Buffer.concat(chunks));
      else gunzip.end();
    });
    request.on('close', () => {
      if (!request.readableEnded) {
        gunzip?.destroy();
        resolve({ kind: 'aborted' });
      }
    });
  });
}
