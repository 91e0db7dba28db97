/**
 * Reads which modules a TypeScript source names, type-only imports included. A single pass over tokens, because
 * dependency-cruiser needs a TypeScript below 7 to read `.ts` and Node's own type stripping drops type imports.
 */

// Comments, import/export specifiers, then every other string or template, so that text inside those is passed over.
const TOKENS =
  /\/\*[\s\S]*?\*\/|\/\/[^\n]*|\bfrom\s*(['"])(?<from>[^'"\n]+)\1|\bimport\s*\(?\s*(['"])(?<import>[^'"\n]+)\3|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`/g;

/** The specifiers a source imports, re-exports, or loads with a literal `import()`, each once, in order. */
export function importsOf(source: string): readonly string[] {
  const found = new Set<string>();
  for (const match of source.matchAll(TOKENS)) {
    const specifier = match.groups?.['from'] ?? match.groups?.['import'];
    if (specifier !== undefined) found.add(specifier);
  }
  return [...found];
}
