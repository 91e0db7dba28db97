/** What the suites assert with. Ours, because `node:assert` would keep a suite out of browsers, where adapters run as well. */

/** Rejected expectation of a suite. */
class CheckFailed extends Error {
  override readonly name = 'CheckFailed';
}

/** Passes for anything but false, 0, '', null and undefined. */
export function ok(value: unknown): asserts value {
  if (!value) throw new CheckFailed('Expected a value, got none.');
}

/** Passes for the same value. */
export function equal<T>(actual: unknown, expected: T): asserts actual is T {
  if (!Object.is(actual, expected)) throw new CheckFailed(difference(actual, expected));
}

/** Passes for another value. */
export function notEqual(actual: unknown, unexpected: unknown): void {
  if (Object.is(actual, unexpected)) throw new CheckFailed(`Expected anything but ${show(unexpected)}.`);
}

/** Passes for arrays and objects of the same values, `undefined` and absent told apart; anything else by identity. */
export function deepEqual<T>(actual: unknown, expected: T): asserts actual is T {
  if (!isSame(actual, expected)) throw new CheckFailed(difference(actual, expected));
}

/** Passes when the promise rejects with what `fits` accepts. */
export async function rejects(
  promise: Promise<unknown>,
  fits: (error: unknown) => boolean = () => true,
): Promise<void> {
  const outcome = await promise.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  if (!('error' in outcome)) throw new CheckFailed(`Expected a rejection, got ${show(outcome.value)}.`);
  if (!fits(outcome.error)) throw new CheckFailed('Rejected, but not as expected.', { cause: outcome.error });
}

function isSame(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b) || !(isPlain(a) || Array.isArray(a))) return false;
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length &&
    // Both are plain objects or arrays, so they may be read by key.
    keys.every((key) => key in b && isSame((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key]))
  );
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function difference(actual: unknown, expected: unknown): string {
  return `Expected ${show(expected)}, got ${show(actual)}.`;
}

function show(value: unknown): string {
  return (
    JSON.stringify(value, (_key, inner: unknown) => (inner === undefined ? '(undefined)' : inner)) ?? String(value)
  ).slice(0, 2_000);
}
