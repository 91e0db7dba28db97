/** Facts out of JSON of unknown shape: never deeper than asked, never throwing. Pure. */

/** A JSON object. */
export type JsonRecord = Readonly<Record<string, unknown>>;

/** `value` when it is an object with keys. */
export function record(value: unknown): JsonRecord | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonRecord) : undefined; // parsed JSON
}

/** The first of `keys` that holds text; or a list of pieces of text, joined. */
export function textAt(value: JsonRecord, keys: readonly string[]): string | undefined {
  for (const key of keys) {
    const found = own(value, key);
    if (typeof found === 'string') return found;
    if (typeof found === 'number') return String(found);
    const pieces = Array.isArray(found) ? found.flatMap((piece: unknown) => pieceText(piece) ?? []) : [];
    if (pieces.length > 0) return pieces.join('\n');
  }
  return undefined;
}

/** All text under `keys`: single, in lists, or as the path or hash of listed objects. */
export function stringsAt(value: JsonRecord, keys: readonly string[]): readonly string[] {
  return keys.flatMap((key) => {
    const found = own(value, key);
    const items: readonly unknown[] = Array.isArray(found) ? found : [found];
    return items.flatMap((item) => {
      if (typeof item === 'string') return item === '' ? [] : [item];
      const inner = record(item);
      return inner === undefined ? [] : (textAt(inner, ['path', 'file', 'hash', 'sha', 'message']) ?? []);
    });
  });
}

/** The objects of the list under `key`. */
export function entriesAt(value: JsonRecord, key: string): readonly JsonRecord[] {
  const found = own(value, key);
  const items: readonly unknown[] = Array.isArray(found) ? found : [];
  return items.map(record).filter((item) => item !== undefined);
}

/** An object in words, when none of its keys is known. */
export function allText(value: JsonRecord): string {
  const pairs = Object.entries(value).slice(0, 10);
  return pairs
    .map(([key, each]) => `${key}: ${typeof each === 'object' ? '…' : (JSON.stringify(each) ?? '')}`)
    .join(', ');
}

function pieceText(piece: unknown): string | undefined {
  if (typeof piece === 'string') return piece;
  const inner = record(piece);
  const text = inner === undefined ? undefined : own(inner, 'text');
  return typeof text === 'string' ? text : undefined;
}

function own(value: JsonRecord, key: string): unknown {
  return Object.hasOwn(value, key) ? value[key] : undefined;
}
