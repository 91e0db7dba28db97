/**
 * What a batch answer means (CONTRACT §9.2, §9.3). Pure, total, and conservative: only a well-formed verdict on an
 * event is one, everything else leaves the queue as it is, and nothing a server sends makes this throw.
 */
import { readVerdicts, type EventVerdict } from '../contract/batch.ts';
import type { PushAnswer, RetryableReason } from './port.ts';
import { readRetryAfter } from './retry-after.ts';
import { fieldsOf, isWebPage, parseJson, readDetails, readLimits, wordsOf } from './server-body.ts';
import { cleanServerText } from './server-text.ts';

/** An HTTP answer, read to its end or to its bound. */
export interface HttpAnswer {
  /** Shown in messages. */
  readonly address: string;
  /** 0: a redirect whose status the runtime hides (browsers). */
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  readonly body: string;
  /** Wall time in milliseconds, for a `Retry-After` date. */
  readonly now: number;
}

/** CONTRACT §9.5: how servers say "too large" under another status than 413. */
const TOO_LARGE_WORDS = [
  'exceeds decompressed byte limit',
  'sync_batch_too_large',
  'request_too_large',
  'payload too large',
  'oversized event',
] as const;

/** The answer, by what the caller does next. */
export function classifyAnswer(answer: HttpAnswer): PushAnswer {
  const { status, address } = answer;
  if (status >= 200 && status < 300) return classifySuccess(answer);
  if (status === 0 || (status >= 300 && status < 400)) return redirected(answer);
  switch (status) {
    case 400:
      return classifyBadRequest(answer);
    case 401:
      return { kind: 'unauthorized' };
    case 403:
      return {
        kind: 'forbidden',
        message: withWords(answer, `${address} refuses these events for this account (403)`),
      };
    case 404:
    case 405:
      return failed('protocol', `${address} has no batch endpoint (${status}). Check the server's address.`);
    case 408:
      return later(answer, 'timeout', `${address} gave up waiting for the batch (408)`);
    case 412:
      return failed('protocol', withWords(answer, `${address} does not speak this client's protocol (412)`));
    case 413:
      return tooLarge(answer);
    case 425:
    case 429:
      return later(answer, 'throttled', `${address} asks to slow down (${status})`);
    default:
      if (status >= 500 && status < 600) return later(answer, 'server-error', `${address} is in trouble (${status})`);
      return failed('unexpected', withWords(answer, `${address} answered ${status}`));
  }
}

function classifySuccess(answer: HttpAnswer): PushAnswer {
  const { address, body, headers } = answer;
  const verdicts = readVerdicts(parseJson(body));
  if (verdicts !== undefined) return { kind: 'ok', verdicts: agreeing(verdicts) };
  if (isWebPage(headers.get('content-type'), body)) {
    return failed(
      'protocol',
      `${address} answered with a web page. Check the server's address and any proxy or sign-in portal.`,
    );
  }
  return failed('protocol', `${address} answered ${answer.status} without verdicts. Check that it is a sync server.`);
}

/** One verdict an event. A server that contradicts itself has decided nothing: such an event stays untouched. */
function agreeing(verdicts: readonly EventVerdict[]): readonly EventVerdict[] {
  const byId = new Map<string, EventVerdict>();
  for (const verdict of verdicts) {
    const { eventId } = verdict;
    const earlier = byId.get(eventId);
    const isAgreed = earlier === undefined || outcome(earlier) === outcome(verdict);
    byId.set(
      eventId,
      isAgreed ? (earlier ?? clean(verdict)) : { eventId, verdict: 'pending', reason: 'contradictory verdicts' },
    );
  }
  return [...byId.values()];
}

/** Both mean that the server has the event. */
function outcome({ verdict }: EventVerdict): string {
  return verdict === 'duplicate' ? 'success' : verdict;
}

function clean(verdict: EventVerdict): EventVerdict {
  return verdict.reason === undefined ? verdict : { ...verdict, reason: cleanServerText(verdict.reason) };
}

function classifyBadRequest(answer: HttpAnswer): PushAnswer {
  const body = parseJson(answer.body);
  const verdicts = readDetails(body);
  if (verdicts.length === 0 && saysTooLarge(answer.body)) return tooLarge(answer);
  const message = withWords(answer, `${answer.address} refuses the batch (400)`);
  return { kind: 'failure', reason: 'bad-request', message, ...(verdicts.length === 0 ? {} : { verdicts }) };
}

function saysTooLarge(body: string): boolean {
  const text = body.toLowerCase();
  return TOO_LARGE_WORDS.some((words) => text.includes(words));
}

function tooLarge(answer: HttpAnswer): PushAnswer {
  const limits = readLimits(parseJson(answer.body));
  const message = withWords(answer, `${answer.address} finds the batch too large (${answer.status})`);
  return { kind: 'failure', reason: 'too-large', message, ...(limits === undefined ? {} : { limits }) };
}

function redirected(answer: HttpAnswer): PushAnswer {
  const target = answer.headers.get('location');
  const where = target === null ? '' : ` to ${cleanServerText(withoutSecrets(target))}`;
  return failed(
    'protocol',
    `${answer.address} redirects${where}. A token follows no redirect: set the server's real address.`,
  );
}

/** A redirect's query may carry anything; scheme, host and path are enough to act on. */
function withoutSecrets(location: string): string {
  return location.replace(/[?#].*/s, '').replace(/\/\/[^/]*@/, '//');
}

function later(answer: HttpAnswer, reason: RetryableReason, text: string): PushAnswer {
  const retryAfterMs = readRetryAfter(answer.headers.get('retry-after'), answer.now);
  return {
    kind: 'retryable',
    reason,
    message: withWords(answer, text),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
}

function failed(reason: 'protocol' | 'unexpected', message: string): PushAnswer {
  return { kind: 'failure', reason, message };
}

/** Our words, then the server's own where it has some in a known place. */
function withWords(answer: HttpAnswer, text: string): string {
  const fields = fieldsOf(parseJson(answer.body));
  const parts = [
    wordsOf(fields, ['error_code']),
    wordsOf(fields, ['error', 'detail', 'message', 'reason']),
    wordsOf(fields, ['details']),
    wordsOf(fieldsOf(fields['sync_protocol']), ['upgrade_guidance']),
  ].filter((part) => part !== undefined && !/^\[\s*[{"\]]/.test(part));
  if (parts.length === 0) return `${text}.`;
  const words = cleanServerText(parts.join(' · '));
  return `${text}: ${words}${/[.!?…]$/.test(words) ? '' : '.'}`;
}
