/** The names a built entry exports, read from its declarations: types leave no trace in the code. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Values and types, each sorted. A class is a value. */
export interface ExportedNames {
  readonly values: readonly string[];
  readonly types: readonly string[];
}

/** Reads the declarations of `file` and of what it passes on. Throws on a kind of export it does not know. */
export function exportedNames(file: string): ExportedNames {
  const values = new Set<string>();
  const types = new Set<string>();
  // Comments may hold examples.
  const text = readFileSync(file, 'utf8').replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
  for (const [line] of text.matchAll(/^export\b[^;{=(]*(?:\{[^}]*\})?[^;\n]*/gm)) {
    const star = /^export \* from ['"](?<from>\.[^'"]+)['"]/.exec(line)?.groups?.['from'];
    const list = /^export (?<type>type )?\{(?<names>[^}]*)\}/.exec(line)?.groups;
    const declared =
      /^export (?:declare )?(?:abstract )?(?<kind>const|let|function|class|interface|type|enum) (?<name>[\w$]+)/.exec(
        line,
      )?.groups;
    if (star !== undefined) {
      const inner = exportedNames(join(dirname(file), star.replace(/\.[jt]s$/, '.d.ts')));
      for (const name of inner.values) values.add(name);
      for (const name of inner.types) types.add(name);
    } else if (list !== undefined) {
      for (const each of (list['names'] ?? '').split(',').map((name) => name.trim())) {
        if (each === '') continue;
        const name = each.replace(/^type /, '').replace(/^.* as /, '');
        (list['type'] !== undefined || each.startsWith('type ') ? types : values).add(name);
      }
    } else if (declared !== undefined) {
      const isType = declared['kind'] === 'interface' || declared['kind'] === 'type';
      (isType ? types : values).add(declared['name'] ?? '');
    } else throw new Error(`${file}: cannot read the export "${line}".`);
  }
  return { values: [...values].toSorted(), types: [...types].toSorted() };
}
