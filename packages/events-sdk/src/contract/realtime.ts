/**
 * The frames of the realtime link (CONTRACT §10). Reading is tolerant and total: nothing a server sends makes it
 * throw, and only a well-formed verdict on an event is one.
 */
import { readVerdicts, type EventVerdict } from './batch.ts';

/** Where a realtime token is asked for. The trailing slash matters. */
export const REALTIME_TOKEN_PATH = '/api/v1/ws-token/';

/** Where links are opened, below the server's address. The trailing slash matters. */
export const REALTIME_PATH = '/ws/v1/events/';

/** Close codes of this contract. The others are those of RFC 6455. */
export const REALTIME_CLOSE = {
  /** The token is missing, late, expired or not accepted. */
  unauthorized: 4401,
  /** The account may not send what it sent. */
  forbidden: 4403,
} as const;

/** What a ping carries, given back as it came. */
export type PingTimestamp = string | number | boolean | null;

/** A frame of the server, by what the client does with it. */
export type ServerFrame =
  /** The first frame: the state of the team's work packages. Only counted. */
  | { readonly kind: 'snapshot'; readonly workPackages: number }
  /** Somebody's event, without the frame's `type`; otherwise unchecked. */
  | { readonly kind: 'event'; readonly event: Readonly<Record<string, unknown>> }
  | { readonly kind: 'ping'; readonly timestamp: PingTimestamp }
  /** An `ack` or `error` frame about one event. */
  | { readonly kind: 'verdict'; readonly verdict: EventVerdict }
  /** JSON of no use to us, perhaps of a later version. */
  | { readonly kind: 'unknown' }
  /** Not JSON: the other side does not speak this contract. */
  | { readonly kind: 'unreadable' };

/** A longer timestamp is not one, and would make this client repeat whatever a server likes. */
const MAX_TIMESTAMP_CHARS = 200;

/** Reads a server's text frame. */
export function readServerFrame(text: string): ServerFrame {
  let frame: unknown;
  try {
    frame = JSON.parse(text);
  } catch {
    return { kind: 'unreadable' };
  }
  if (typeof frame !== 'object' || frame === null || Array.isArray(frame)) return { kind: 'unknown' };
  // Narrowed to an object; its values stay unknown and are checked one by one.
  const { type, ...fields } = frame as Record<string, unknown>;
  switch (type) {
    case 'snapshot': {
      const workPackages = fields['work_packages'];
      return { kind: 'snapshot', workPackages: Array.isArray(workPackages) ? workPackages.length : 0 };
    }
    case 'event':
      return { kind: 'event', event: fields };
    case 'ping':
      return readPing(fields['timestamp'] ?? null);
    case 'ack':
    case 'error':
      return readVerdictFrame(type, fields);
    default:
      return { kind: 'unknown' };
  }
}

function readPing(timestamp: unknown): ServerFrame {
  const isPlain = timestamp === null || typeof timestamp === 'number' || typeof timestamp === 'boolean';
  if (isPlain || (typeof timestamp === 'string' && timestamp.length <= MAX_TIMESTAMP_CHARS))
    return { kind: 'ping', timestamp };
  return { kind: 'unknown' };
}

function readVerdictFrame(type: 'ack' | 'error', fields: Readonly<Record<string, unknown>>): ServerFrame {
  // Some servers say why only by category.
  const { error_category: category } = fields;
  const hasWords = typeof fields['error'] === 'string' || typeof fields['error_message'] === 'string';
  const result = hasWords || typeof category !== 'string' ? fields : { ...fields, error: category };
  const verdict = readVerdicts({ results: [result] })?.[0];
  if (verdict === undefined) return { kind: 'unknown' };
  const isRefusal = verdict.verdict === 'rejected';
  if (verdict.verdict === 'pending' || isRefusal === (type === 'error')) return { kind: 'verdict', verdict };
  // Type and status contradict each other: such a server has decided nothing.
  const { eventId } = verdict;
  return { kind: 'verdict', verdict: { eventId, verdict: 'pending', reason: 'contradictory verdicts' } };
}

/**
 * The frame that sends a stored envelope. Its text travels as it is: parsing and writing it again could change what
 * was acknowledged. Undefined when the text is no object with fields.
 */
export function eventFrame(envelopeJson: string): string | undefined {
  const start = /^\s*\{(?=\s*")/.exec(envelopeJson)?.[0];
  return start === undefined ? undefined : `{"type":"event",${envelopeJson.slice(start.length)}`;
}

/** The answer to a ping. */
export function pongFrame(timestamp: PingTimestamp): string {
  return JSON.stringify({ type: 'pong', timestamp });
}

/** The first frame of a client that cannot send headers. */
export function authFrame(token: string): string {
  return JSON.stringify({ type: 'auth', token });
}
