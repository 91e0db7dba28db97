/** The examples of a page as programs, so that what people copy compiles. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Writes each TypeScript example of the page into a file of its own in `folder`; answers their names. Throws when there is none. */
export function writeExamples(page: string, folder: string): readonly string[] {
  const examples = [...readFileSync(page, 'utf8').matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, code = '']) => code);
  if (examples.length === 0) throw new Error(`${page} has no example to compile.`);
  return examples.map((code, index) => {
    const name = `example-${index + 1}.ts`;
    writeFileSync(join(folder, name), `${code}export {};\n`);
    return name;
  });
}
