/**
 * Sets keys of a JSON file without rewriting it: inline lists stay inline, escapes stay escapes, and only the lines of
 * the touched keys change. JSON is YAML, so the YAML parser says where each value stands. Pure.
 */
import { isMap, isNode, isScalar } from 'yaml';
import type { YAMLMap } from 'yaml';

import { lineEnding } from './frontmatter.ts';
import { parseYamlDocument } from './yaml-values.ts';

/** A stretch of the text, and what takes its place. */
interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/**
 * The text with the keys set, new ones at the end; undefined when that cannot be done in place. A byte order mark goes.
 * An undefined value, which would take a key away, is not done in place.
 */
export function setJsonKeys(source: string, changes: Readonly<Record<string, unknown>>): string | undefined {
  const text = source.replace(/^\uFEFF/, '');
  const { contents, errors } = parseYamlDocument(text, { schema: 'core' });
  if (errors.length > 0 || !isMap(contents) || contents.items.length === 0) return undefined;
  if (Object.values(changes).includes(undefined)) return undefined;

  const result = editsOf(text, contents, changes)
    .toSorted((a, b) => b.start - a.start)
    .reduce((edited, { start, end, text: piece }) => edited.slice(0, start) + piece + edited.slice(end), text);
  return isExactly(result, { ...parsed(text), ...changes }) ? result : undefined;
}

function editsOf(text: string, map: YAMLMap, changes: Readonly<Record<string, unknown>>): readonly Edit[] {
  const eol = lineEnding(text);
  const indent = /^\{\s*\n([ \t]+)"/.exec(text)?.[1];
  const json = (value: unknown): string =>
    JSON.stringify(value, undefined, indent).replaceAll('\n', eol + (indent ?? ''));
  const edits: Edit[] = [];
  let added = '';
  for (const [key, value] of Object.entries(changes)) {
    const place = valuePlace(map, key);
    if (place === undefined)
      added += `,${indent === undefined ? ' ' : eol + indent}${JSON.stringify(key)}: ${json(value)}`;
    else if (!isExactly(text.slice(place.start, place.end), value)) edits.push({ ...place, text: json(value) });
  }
  const last = map.items.at(-1)?.value;
  const end = isNode(last) ? (last.range?.[1] ?? 0) : 0;
  return [...edits, { start: end, end, text: added }];
}

function valuePlace(map: YAMLMap, key: string): Omit<Edit, 'text'> | undefined {
  const value = map.items.find((pair) => isScalar(pair.key) && pair.key.value === key)?.value;
  const range = isNode(value) ? value.range : undefined;
  return range ? { start: range[0], end: range[1] } : undefined;
}

/** Proof after the fact, key order included: whatever we did not foresee stops here. */
function isExactly(json: string, wanted: unknown): boolean {
  try {
    return JSON.stringify(JSON.parse(json)) === JSON.stringify(wanted);
  } catch {
    return false;
  }
}

function parsed(text: string): object {
  const value: unknown = JSON.parse(text);
  return typeof value === 'object' && value !== null ? value : {};
}
