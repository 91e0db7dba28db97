/** Answers that a server might give if it were mistaken, broken or hostile: good ones, changed in structure and in bytes. By chance. */
import { between } from './random.ts';

/** What a `fetch` resolves with. */
export interface OddAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const STATUSES = [
  200, 200, 200, 200, 200, 201, 204, 206, 302, 400, 400, 401, 403, 404, 408, 409, 412, 413, 418, 425, 429, 500, 503,
  599,
];
const WORDS = [
  'success',
  'accepted',
  'warning',
  'duplicate',
  'pending',
  'queued',
  'rejected',
  'error',
  'toString',
  '',
  'SUCCESS',
  'success ',
];
const HEADERS: Readonly<Record<string, readonly string[]>> = {
  'retry-after': [
    '0',
    '1',
    '-5',
    '1e9',
    '99999999999999999999',
    'soon',
    'Sat, 07 Feb 2099 17:00:00 GMT',
    'NaN',
    '\t3 ',
  ],
  'content-type': ['application/json', 'text/html', 'application/json; charset=utf-16', '', 'x'.repeat(5_000)],
  location: ['https://evil.example/?token=', '//', 'javascript:alert(1)', '\u0000'.replace('\u0000', '%00')],
  'content-length': ['0', '9999999'],
};

/** One answer about the batch with these ids; `secret` is what a careless server echoes. */
export function oddAnswer(random: () => number, ids: readonly string[], secret: string): OddAnswer {
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T; // never empty here
  let body: unknown = base(pick, ids);
  for (let changes = between(random, 0, 4); changes > 0; changes -= 1)
    body = changed(body, { random, pick, ids, secret });
  let text = typeof body === 'string' && random() < 0.3 ? body : JSON.stringify(body ?? null);
  for (let cuts = random() < 0.3 ? between(random, 1, 3) : 0; cuts > 0; cuts -= 1) text = torn(text, random, pick);
  const status = pick(STATUSES);
  const headers = Object.entries(HEADERS).flatMap(([name, values]) =>
    random() < 0.25 ? [[name, pick(values)] as const] : [],
  );
  // What the runtime itself refuses never reaches us.
  return { status, headers: Object.fromEntries(headers), body: status === 204 ? '' : text };
}

type Pick = <T>(items: readonly T[]) => T;

function base(pick: Pick, ids: readonly string[]): unknown {
  const results = ids.map((event_id) => ({
    event_id,
    status: pick(WORDS),
    error: pick(['', 'no', 'Lamport clock too low']),
  }));
  return pick<unknown>([
    { results },
    { results },
    { results, limits: { max_events: 5, max_bytes: 100 } },
    { error: 'refused', details: results.slice(0, 2).map(({ event_id }) => ({ event_id, detail: 'bad' })) },
    { error: 'sync_batch_too_large', limits: { max_decompressed_bytes_per_batch: 2_000 } },
    { error: 'rejected', details: JSON.stringify(results) },
    '<!doctype html><title>Sign in</title>',
    results,
  ]);
}

interface Change {
  readonly random: () => number;
  readonly pick: Pick;
  readonly ids: readonly string[];
  readonly secret: string;
}

/** The value with one place in it made odd. */
function changed(value: unknown, change: Change): unknown {
  const { random, pick } = change;
  if (random() < 0.35 || value === null || typeof value !== 'object') return oddValue(change);
  if (Array.isArray(value)) {
    if (value.length === 0 || random() < 0.2) return [...value, oddValue(change)];
    const at = between(random, 0, value.length - 1);
    const action = random();
    if (action < 0.2) return value.toSpliced(at, 1);
    if (action < 0.4) return [...value, value[at]];
    return value.with(at, changed(value[at], change));
  }
  const keys = Object.keys(value);
  const key =
    keys.length === 0 || random() < 0.15
      ? pick(['event_id', 'results', '__proto__', 'constructor', 'status', 'server_clock'])
      : pick(keys);
  // Defined, not assigned: `__proto__` is to be a key like any other.
  return Object.defineProperty({ ...value }, key, {
    value: changed((value as Record<string, unknown>)[key], change),
    enumerable: true,
    configurable: true,
    writable: true,
  });
}

function oddValue({ random, pick, ids, secret }: Change): unknown {
  return pick<() => unknown>([
    () => null,
    () => true,
    () => pick([0, -1, 1.5, 2 ** 53, -0, 1e308]),
    () => pick(WORDS),
    () => pick(ids),
    () => `01KGVZ3Q8M5T2N7RJ4W6XA9B${between(random, 10, 99)}`,
    () => `Bearer ${secret}`,
    () => `\u001b[2J\u001b]0;owned\u0007\u202e${secret}\u0000\r\n`,
    () => 'x'.repeat(between(random, 1, 20_000)),
    () => '\ud800 alone',
    () => [],
    () => ({}),
    () => deep(between(random, 10, 800)),
    () => ({ event_id: pick(ids), status: pick(WORDS) }),
    () => [{ event_id: pick(ids), status: 'success' }],
  ])();
}

function deep(levels: number): unknown {
  let value: unknown = 'bottom';
  for (let level = 0; level < levels; level += 1) value = level % 2 === 0 ? [value] : { results: value };
  return value;
}

function torn(text: string, random: () => number, pick: Pick): string {
  const at = between(random, 0, Math.max(0, text.length - 1));
  return pick([
    () => text.slice(0, at),
    () => text.slice(0, at) + pick(['"', '{', ']', ',', '\u0000', '\\', '\u001b[31m', '9']) + text.slice(at),
    () => text.slice(0, at) + text.slice(at + between(random, 1, 9)),
    () => text + text,
  ])();
}
