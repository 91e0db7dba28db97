/**
 * Reads and edits the frontmatter that we write ourselves without a YAML parser, whose first file costs a command 10 ms and
 * every further one more than a millisecond. It answers only for text in which every line has one of a few unmistakable
 * shapes, and then exactly what the parser would; for anything else it answers null and the parser is asked.
 * The parser is the judge of it in test/workflow/plain-frontmatter.test.ts.
 */

/** A scalar in one line, and where its text stands, quotes included. */
export interface PlainScalar {
  readonly value: string | number;
  readonly start: number;
  readonly end: number;
  readonly quote: '"' | "'" | '';
}

/** A top-level key: what it is set to, and its scalar where it has one. */
export interface PlainEntry {
  readonly value: unknown;
  readonly scalar?: PlainScalar;
}

const KEY = String.raw`(?<key>[A-Za-z][A-Za-z0-9_-]*)`;
/** Never read here: what does not print, other line ends, halves of characters. Ranges, because classes of Unicode are slow to compile. */
const ODD = String.raw`\x00-\x1f\x7f-\xa0\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff`;
/** Begins with a letter and holds neither a colon nor a hash, so nothing in it can mean anything to YAML. */
const TEXT = String.raw`[A-Za-z\xc0-\u024f/(][^${ODD}:#]*`;
const DATE = String.raw`\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}:\d{2}(?:\.\d+)?Z)?`;
const NUMBER = String.raw`0|[1-9]\d{0,14}`;
const IN_DOUBLE = String.raw`[^${ODD}"\\]*`;
const IN_SINGLE = String.raw`[^${ODD}']*`;
const WORD = String.raw`[A-Za-z][\w./-]*`;
const SCALAR = String.raw`(?<plain>${TEXT}|${DATE}|${NUMBER})|"(?<double>${IN_DOUBLE})"|'(?<single>${IN_SINGLE})'`;
const FLOW = String.raw`\[(?<flow>(?:(?:${WORD}|"${IN_DOUBLE}")(?:, *(?:${WORD}|"${IN_DOUBLE}"))*)?)\]`;
const REST = String.raw` *(?: #[ -~]*)?$`;

const BLANK = /^ *(?:#[ -~]*)?$/;
const PAIR = new RegExp(String.raw`^${KEY}:(?:(?<gap> +)(?:${SCALAR}|${FLOW}))?${REST}`);
const ITEM = new RegExp(String.raw`^(?<indent> *)- (?:${SCALAR})${REST}`);
const FIRST_OF_MAP = new RegExp(String.raw`^(?<indent> *)- ${KEY}:(?: +(?:${SCALAR}))?${REST}`);
const NEXT_OF_MAP = new RegExp(String.raw`^(?<indent> +)${KEY}:(?: +(?:${SCALAR}))?${REST}`);
/** Plain words that YAML 1.2 does not take for text. */
const NO_TEXT = /^(?:null|true|false)$/i;
/** What needs no quotes, and what is safe in either kind. */
const PLAIN_WORD = /^[A-Za-z][\w./-]*$/;
const SAFE_IN_QUOTES = /^[\w ./:+-]*$/;

type Groups = Readonly<Record<string, string | undefined>>;
type List = unknown[];

/** The top-level keys of frontmatter, without its fences; null when any line is of no plain shape. */
export function readPlainFrontmatter(source: string): ReadonlyMap<string, PlainEntry> | null {
  const entries = new Map<string, PlainEntry>();
  /** The last key, while it has no value of its own: a list may follow. */
  let open: { readonly key: string; list?: { readonly items: List; readonly indent: number } } | null = null;
  let offset = 0;
  for (const line of source.split('\n')) {
    const start = offset;
    offset += line.length + 1;
    const isLast = offset > source.length;
    const bare = line.endsWith('\r') && !isLast ? line.slice(0, -1) : line;
    if (BLANK.test(bare)) continue;
    const pair = PAIR.exec(bare)?.groups;
    if (pair !== undefined) {
      const entry = entryOf(pair, start);
      if (entry === null || isNoText(pair['key'] ?? '') || entries.has(pair['key'] ?? '')) return null;
      entries.set(pair['key'] ?? '', entry);
      open = entry.value === null ? { key: pair['key'] ?? '' } : null;
      continue;
    }
    if (open === null) return null;
    const list = listWith(open.list, bare);
    if (list === null) return null;
    open.list = list;
    entries.set(open.key, { value: list.items });
  }
  return entries;
}

function entryOf(groups: Groups, lineStart: number): PlainEntry | null {
  const flow = groups['flow'];
  if (flow !== undefined) {
    const items = flow === '' ? [] : flow.split(/, */).map((item) => item.replace(/^"(.*)"$/, '$1'));
    // A comma within quotes would have been cut in two; a word may be none.
    return flow.includes('"') && /"[^"]*,[^"]*"/.test(flow) ? null : items.some(isNoText) ? null : { value: items };
  }
  const value = scalarOf(groups);
  if (value === undefined) return null;
  if (value === null) return { value };
  const { plain, double } = groups;
  const quote = plain === undefined ? (double === undefined ? "'" : '"') : '';
  const text = plain === undefined ? `${quote}${value}${quote}` : withoutBlanks(plain);
  // Behind the colon come only blanks.
  const start = lineStart + (groups['key'] ?? '').length + 1 + (groups['gap'] ?? '').length;
  return { value, scalar: { value, start, end: start + text.length, quote } };
}

/** YAML's blanks end a plain scalar; other spaces belong to it. */
const withoutBlanks = (text: string): string => text.replace(/ +$/, '');

const isNoText = (word: string): boolean => NO_TEXT.test(word);

/** Null for nothing, undefined for what only the parser can tell. */
function scalarOf({ plain, double, single }: Groups): string | number | null | undefined {
  if (plain === undefined) return double ?? single ?? null;
  const text = withoutBlanks(plain);
  if (isNoText(text)) return undefined;
  return /^\d+$/.test(text) ? Number(text) : text;
}

/** The list with one more line of it; null when the line does not belong to it. */
function listWith(
  list: { readonly items: List; readonly indent: number } | undefined,
  line: string,
): { readonly items: List; readonly indent: number } | null {
  const next = list === undefined ? undefined : NEXT_OF_MAP.exec(line)?.groups;
  if (list !== undefined && next !== undefined) {
    const map = list.items.at(-1);
    const key = next['key'] ?? '';
    if (!isMap(map) || isNoText(key) || Object.hasOwn(map, key) || next['indent']?.length !== list.indent + 2)
      return null;
    const value = scalarOf(next);
    if (value === undefined) return null;
    map[key] = value;
    return list;
  }
  const item = ITEM.exec(line)?.groups;
  const first = item === undefined ? FIRST_OF_MAP.exec(line)?.groups : undefined;
  const groups = item ?? first;
  const indent = groups?.['indent']?.length;
  if (groups === undefined || indent === undefined || (list !== undefined && list.indent !== indent)) return null;
  const value = scalarOf(groups);
  if (value === undefined || isNoText(first?.['key'] ?? '')) return null;
  const added = first === undefined ? value : { [first['key'] ?? '']: value };
  return { items: [...(list?.items ?? []), added], indent };
}

const isMap = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

/** How `value` stands in the place of a scalar, in its quoting; null where that takes a parser to say. */
export function inPlaceOf({ quote }: PlainScalar, value: string): string | null {
  if (quote !== '') return SAFE_IN_QUOTES.test(value) ? `${quote}${value}${quote}` : null;
  return PLAIN_WORD.test(value) && !isNoText(value) ? value : null;
}
