/**
 * Edits YAML frontmatter without rewriting it: only the touched key's text changes; comments, quoting, key
 * order and line endings of everything else stay byte for byte. A file whose YAML is broken is never touched.
 */
import { isAlias, isCollection, isMap, isScalar, isSeq, stringify, Scalar } from 'yaml';
import type { Node, Pair, YAMLMap, YAMLSeq } from 'yaml';

import { WorkflowError } from '../errors.ts';
import { inPlaceOf, readPlainFrontmatter, type PlainEntry } from './plain-frontmatter.ts';
import { parseYamlDocument, readYamlValues } from './yaml-values.ts';

/** What a key may be set to. */
export type FrontmatterValue = string | readonly string[];

/** A Markdown file with frontmatter. Immutable: `set` returns a new one. */
export interface FrontmatterFile {
  /** The whole file. Equal to what was read until something is set; then without a byte order mark. */
  readonly text: string;
  /** Everything after the closing fence line. */
  readonly body: string;
  /** The value of a top-level key, as YAML 1.2 reads it (dates stay text); undefined when absent. */
  get(key: string): unknown;
  has(key: string): boolean;
  set(key: string, value: FrontmatterValue): FrontmatterFile;
  withBody(body: string): FrontmatterFile;
}

/** The order of keys in a work package file; a new key is put behind the nearest one that precedes it here. */
export const WP_KEY_ORDER: readonly string[] = [
  'work_package_id',
  'title',
  'lane',
  'dependencies',
  'base_branch',
  'base_commit',
  'created_at',
  'subtasks',
  'phase',
  'assignee',
  'agent',
  'shell_pid',
  'review_status',
  'reviewed_by',
  'history',
];

interface Parts {
  readonly name: string;
  readonly text: string;
  /** Where the YAML starts and ends within `text`. */
  readonly start: number;
  readonly end: number;
  readonly bodyStart: number;
}

/** Reads a file's text. Rejects by throwing `frontmatter-invalid` with `name` and the line. */
export function parseFrontmatter(name: string, text: string): FrontmatterFile {
  const parts = split(name, text);
  // What we write ourselves needs no parser, neither to be read nor to be moved to another lane.
  const plain = readPlainFrontmatter(text.slice(parts.start, parts.end));
  const values = plain === null ? parseYaml(parts).values : valuesOf(plain);
  return {
    text,
    body: text.slice(parts.bodyStart),
    get: (key) => values[key],
    has: (key) => Object.hasOwn(values, key),
    set(key, value) {
      const edited = plainSet(parts, plain?.get(key), value) ?? applySet(parts, parseYaml(parts).map, key, value);
      return checked(name, values, key, value, edited);
    },
    withBody: (body) => parseFrontmatter(name, headOf(parts) + body),
  };
}

function valuesOf(entries: ReadonlyMap<string, PlainEntry>): Readonly<Record<string, unknown>> {
  return Object.fromEntries([...entries].map(([key, { value }]) => [key, value]));
}

/** The whole text with another scalar; null where the parser has to say how. */
function plainSet(parts: Parts, entry: PlainEntry | undefined, value: FrontmatterValue): string | null {
  if (entry?.scalar === undefined || typeof value !== 'string') return null;
  const inPlace = inPlaceOf(entry.scalar, value);
  return inPlace === null ? null : spliced(parts, entry.scalar.start, entry.scalar.end, inPlace);
}

/** The whole text with other YAML from `start` to `end` of the frontmatter; without a byte order mark. */
function spliced(parts: Parts, start: number, end: number, yaml: string): string {
  const { text } = parts;
  return (text.slice(0, parts.start + start) + yaml + text.slice(parts.start + end)).replace(/^\uFEFF/, '');
}

/** The line ending a text mostly uses. */
export function lineEnding(text: string): '\n' | '\r\n' {
  const crlf = text.split('\r\n').length - 1;
  return crlf > 0 && crlf * 2 >= text.split('\n').length - 1 ? '\r\n' : '\n';
}

function split(name: string, text: string): Parts {
  const open = /^\uFEFF?---[ \t]*\r?\n/.exec(text);
  if (open === null) throw invalid(name, 1, 'the file does not begin with a line ---');
  const start = open[0].length;
  const close = /^---[ \t]*(?:\r?\n|$)/m.exec(text.slice(start));
  if (close === null) throw invalid(name, 1, 'the frontmatter has no closing line ---');
  const end = start + close.index;
  return { name, text, start, end, bodyStart: end + close[0].length };
}

/** Up to the body, closing line included, which a file without a body may end right behind. */
function headOf({ text, bodyStart }: Parts): string {
  const head = text.slice(0, bodyStart).replace(/^\uFEFF/, '');
  return head.endsWith('\n') ? head : head + lineEnding(text);
}

function parseYaml(parts: Parts): { readonly map: YAMLMap; readonly values: Record<string, unknown> } {
  const source = parts.text.slice(parts.start, parts.end);
  const document = parseYamlDocument(source, { schema: 'core', prettyErrors: true });
  const problem = document.errors[0];
  if (problem !== undefined) {
    const line = (problem.linePos?.[0].line ?? 1) + 1;
    throw invalid(parts.name, line, problem.message.split(' at line ')[0]?.trim() ?? 'broken YAML');
  }
  if (!isMap(document.contents)) throw invalid(parts.name, 2, 'the frontmatter is not a list of keys and values');
  const values = readYamlValues(document, source);
  if (values.kind === 'broken') throw invalid(parts.name, values.line + 1, values.why);
  // A YAML map becomes an object.
  return { map: document.contents, values: values.value as Record<string, unknown> };
}

/** Proof after the fact: exactly this key changed. Whatever YAML we did not foresee stops here, before any write. */
function checked(
  name: string,
  before: Readonly<Record<string, unknown>>,
  key: string,
  value: FrontmatterValue,
  text: string,
): FrontmatterFile {
  const after = parseFrontmatter(name, text);
  const isSame = Object.keys(before).every(
    (k) => k === key || JSON.stringify(after.get(k)) === JSON.stringify(before[k]),
  );
  if (!isSame || JSON.stringify(after.get(key)) !== JSON.stringify(value)) {
    throw invalid(name, 1, `the key ${key} cannot be changed without touching others; edit it by hand`);
  }
  return after;
}

function applySet(parts: Parts, map: YAMLMap, key: string, value: FrontmatterValue): string {
  const source = parts.text.slice(parts.start, parts.end);
  const pair = map.items.find((item) => isScalar(item.key) && item.key.value === key);
  const edited = pair === undefined ? insert(source, map, key, value) : replace(source, pair, value);
  return spliced(parts, 0, source.length, edited);
}

function replace(source: string, pair: Pair, value: FrontmatterValue): string {
  const node = pair.value;
  const colon = source.indexOf(':', rangeOf(pair.key)[1]) + 1;
  if (isSeq(node) && node.flow !== true && Array.isArray(value)) return replaceBlockList(source, node, colon, value);
  const isBare = node === null || (isScalar(node) && rangeOf(node)[0] === rangeOf(node)[1]);
  if (isBare) {
    const rest = /^[ \t]*(?=\r?\n|$)/.exec(source.slice(colon));
    return `${source.slice(0, colon)} ${inline(value)}${source.slice(colon + (rest?.[0].length ?? 0))}`;
  }
  const [start] = rangeOf(node);
  const end = contentEnd(source, node);
  const isBlock =
    (isCollection(node) && node.flow !== true) || (isScalar(node) && String(node.type).startsWith('BLOCK'));
  if (isBlock) return `${source.slice(0, colon)} ${inline(value)}${source.slice(end)}`;
  return source.slice(0, start) + inline(value, isScalar(node) ? node.type : undefined) + source.slice(end);
}

function replaceBlockList(source: string, node: YAMLSeq, colon: number, value: readonly string[]): string {
  const [start] = rangeOf(node);
  const end = contentEnd(source, node);
  if (value.length === 0) {
    const lineEnd = colon + (/^[^\r\n]*/.exec(source.slice(colon))?.[0].length ?? 0);
    return `${source.slice(0, colon)} []${source.slice(colon, lineEnd)}${source.slice(end)}`;
  }
  const indent = source.slice(source.lastIndexOf('\n', start - 1) + 1, start);
  const first = node.items[0];
  const type = isScalar(first) ? first.type : undefined;
  const lines = value.map((item) => `- ${inline(item, type)}`);
  return source.slice(0, start) + lines.join(lineEnding(source) + indent) + source.slice(end);
}

function insert(source: string, map: YAMLMap, key: string, value: FrontmatterValue): string {
  const eol = lineEnding(source);
  const lines =
    Array.isArray(value) && value.length > 0
      ? [`${key}:`, ...value.map((item) => `- ${inline(item)}`)]
      : [`${key}: ${inline(value)}`];
  const added = lines.join(eol) + eol;
  const rank = WP_KEY_ORDER.indexOf(key);
  const before = map.items.filter((item) => {
    const other = WP_KEY_ORDER.indexOf(isScalar(item.key) ? String(item.key.value) : '');
    return rank === -1 || (other !== -1 && other < rank);
  });
  const previous = before.at(-1);
  if (previous === undefined) return added + source;
  const end = contentEnd(source, previous.value ?? previous.key, rangeOf(previous.key)[1]);
  const newline = source.indexOf('\n', end);
  return newline === -1 ? `${source}${eol}${added}` : source.slice(0, newline + 1) + added + source.slice(newline + 1);
}

/** The value as it stands on one line, in the quoting `type` where that can hold it. */
function inline(value: FrontmatterValue, type?: Scalar['type']): string {
  if (typeof value !== 'string') return `[${value.map((item) => inline(item)).join(', ')}]`;
  // JSON is YAML, and stays on one line whatever it holds.
  if (/[\r\n]/.test(value)) return JSON.stringify(value);
  const scalar = new Scalar(value);
  const isQuoted = type === Scalar.QUOTE_SINGLE || type === Scalar.QUOTE_DOUBLE;
  const isPlainWord = /^[A-Za-z][\w./-]*$/.test(value);
  scalar.type = isQuoted ? type : type === Scalar.PLAIN || isPlainWord ? Scalar.PLAIN : Scalar.QUOTE_DOUBLE;
  // A plain word inside our own flow list is safe; anything else there is quoted by the rule above.
  return stringify(scalar, { lineWidth: 0, schema: 'core' }).trimEnd();
}

/** Where a node's own text ends, without the comments and blank lines the parser counts to it. */
function contentEnd(source: string, node: unknown, atLeast = 0): number {
  let end = Math.max(atLeast, lastLeafEnd(node, atLeast));
  // YAML's own blanks; any other space is part of a value.
  while (end > atLeast && /[ \t\r\n]/.test(source[end - 1] ?? '')) end -= 1;
  return end;
}

function lastLeafEnd(node: unknown, fallback: number): number {
  if (isCollection(node) && node.flow !== true && node.items.length > 0) {
    const last = node.items.at(-1) as Node | Pair; // items of a map are pairs, of a list nodes
    if ('key' in last) return Math.max(lastLeafEnd(last.key, fallback), lastLeafEnd(last.value, fallback));
    return lastLeafEnd(last, fallback);
  }
  return node === null || node === undefined ? fallback : rangeOf(node)[1];
}

function rangeOf(node: unknown): readonly [number, number] {
  const range = isScalar(node) || isCollection(node) || isAlias(node) ? node.range : undefined;
  return range ? [range[0], range[1]] : [0, 0];
}

function invalid(name: string, line: number, why: string): WorkflowError {
  return new WorkflowError('frontmatter-invalid', `${name}, line ${line}: ${why}. The file was not changed.`);
}
