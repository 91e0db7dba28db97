/**
 * The values of a YAML document that parsed. An unquoted `*` makes an alias of what follows, and an alias that stands for
 * nothing, or aliases that multiply, are found out only when values are asked for.
 */
import { parseDocument, visit, YAMLParseError, type Document, type LineCounter } from 'yaml';

/** The parser compares every key with every other: what is longer would hold a command up for seconds. */
const MAX_YAML_CHARS = 128 * 1024;

/** A parsed document; a text that is too long has one error, and no content. Prints nothing. */
export function parseYamlDocument(
  text: string,
  options: { readonly schema?: 'core'; readonly lineCounter?: LineCounter; readonly prettyErrors?: boolean } = {},
): ReturnType<typeof parseDocument> {
  // Its warnings would go to the terminal as they are, with the file's own characters in them.
  if (text.length <= MAX_YAML_CHARS) return parseDocument(text, { ...options, logLevel: 'error' });
  const empty = parseDocument('', options);
  empty.errors.push(new YAMLParseError([0, 0], 'RESOURCE_EXHAUSTION', 'it is longer than 128 KiB'));
  return empty;
}

/** `broken`: where (one-based) and why, without a full stop. */
export type YamlValues =
  | { readonly kind: 'read'; readonly value: unknown }
  | { readonly kind: 'broken'; readonly line: number; readonly why: string };

/** Reads them; `source` is the text the document was parsed from. Never throws. */
export function readYamlValues(document: Document, source: string): YamlValues {
  try {
    const value: unknown = document.toJS();
    return { kind: 'read', value };
  } catch {
    const lost = lostAlias(document);
    if (lost === undefined) return { kind: 'broken', line: 1, why: 'its aliases multiply beyond what is read' };
    const line = source.slice(0, lost.at).split('\n').length;
    return { kind: 'broken', line, why: `*${lost.name} stands for nothing; a value that begins with * needs quotes` };
  }
}

function lostAlias(document: Document): { readonly name: string; readonly at: number } | undefined {
  let lost: { readonly name: string; readonly at: number } | undefined;
  visit(document, {
    Alias(_key, node) {
      if (node.resolve(document) !== undefined) return undefined;
      lost = { name: node.source, at: node.range?.[0] ?? 0 };
      return visit.BREAK;
    },
  });
  return lost;
}
