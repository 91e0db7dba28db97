/** What goes through the socket: one JSON text a line in each direction, one question and one answer a connection. */
import type { Socket } from 'node:net';

import type { BatchItem, PushAnswer } from '@spec-kitty/events-sdk';

/** What the transport asks. The events' own text travels as text, so that not one byte of it changes. */
export interface Question {
  readonly server: string;
  readonly accessToken: string;
  readonly batch: readonly BatchItem[];
}

/** Longest line either side reads: a batch of 8 MiB with room for its quotes. */
const MAX_LINE_BYTES = 32 * 1024 * 1024;

const NEWLINE = 0x0a;

/** The first line of `socket`. Rejects when it ends before, is longer than the bound, or fails. */
export function readLine(socket: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let length = 0;
    socket.on('data', (part: Buffer) => {
      const end = part.indexOf(NEWLINE);
      parts.push(end === -1 ? part : part.subarray(0, end));
      length += part.length;
      if (end !== -1) resolve(Buffer.concat(parts).toString('utf8'));
      else if (length > MAX_LINE_BYTES) reject(new Error('too long'));
    });
    socket.on('error', reject);
    socket.on('close', () => {
      reject(new Error('closed'));
    });
  });
}

/** A question, or undefined for anything else. */
export function toQuestion(line: string): Question | undefined {
  const value = parse(line);
  if (!isObject(value) || typeof value['server'] !== 'string' || typeof value['accessToken'] !== 'string')
    return undefined;
  const { batch } = value;
  if (!Array.isArray(batch) || !batch.every(isItem)) return undefined;
  return { server: value['server'], accessToken: value['accessToken'], batch };
}

/** An answer about events of `batch`, or undefined for anything else: a broken peer must not decide anything. */
export function toAnswer(line: string, batch: readonly BatchItem[]): PushAnswer | undefined {
  const value = parse(line);
  if (!isObject(value)) return undefined;
  const sent = new Set(batch.map(({ eventId }) => eventId));
  switch (value['kind']) {
    case 'ok': {
      const { verdicts } = value;
      if (!Array.isArray(verdicts) || !verdicts.every(isVerdict)) return undefined;
      return { kind: 'ok', verdicts: verdicts.filter(({ eventId }) => sent.has(eventId)) };
    }
    case 'unauthorized':
      return { kind: 'unauthorized' };
    case 'forbidden':
      return { kind: 'forbidden', message: textOf(value['message']) };
    case 'retryable':
    case 'failure':
      // The gateway speaks of a `PushAnswer` of the SDK, so beyond its kind it is taken at its word.
      return typeof value['reason'] === 'string' ? (value as unknown as PushAnswer) : undefined;
    default:
      return undefined;
  }
}

type Verdict = Extract<PushAnswer, { kind: 'ok' }>['verdicts'][number];

const VERDICTS = new Set(['success', 'duplicate', 'pending', 'rejected']);

function isVerdict(value: unknown): value is Verdict {
  return isObject(value) && typeof value['eventId'] === 'string' && VERDICTS.has(String(value['verdict']));
}

function isItem(value: unknown): value is BatchItem {
  return isObject(value) && typeof value['eventId'] === 'string' && typeof value['data'] === 'string';
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch {
    return undefined;
  }
}
