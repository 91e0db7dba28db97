/** What the built library imports: nothing that its package.json does not promise to bring. */
import { readdirSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join } from 'node:path';

import { build } from 'esbuild';
import { expect, test } from 'vitest';

import { bundleOf, entries, packageRoot, readPackage } from '../../scripts/measure.ts';

const packageOf = (specifier: string): string => /^(?:@[^/]+\/)?[^/]+/.exec(specifier)?.[0] ?? specifier;

test('the code imports declared dependencies, and every one of them', async () => {
  const { metafile } = await build({
    absWorkingDir: packageRoot,
    entryPoints: [...entries().values()].map(({ code }) => code),
    outdir: 'nowhere',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    packages: 'external',
    write: false,
    metafile: true,
  });

  const outside = Object.values(metafile.outputs)
    .flatMap(({ imports }) => imports.filter(({ external }) => external === true))
    .map(({ path }) => path)
    .filter((path) => !isBuiltin(path));
  const { dependencies, peerDependencies } = readPackage();
  const declared = Object.keys({ ...dependencies, ...peerDependencies });
  expect([...new Set(outside.map(packageOf))].toSorted()).toEqual(declared.toSorted());
});

test('the declarations that people reach name only types of Node and of packages that bring their own', () => {
  const named = new Map<string, string>();
  const seen = new Set<string>();
  const waiting = [...entries().values()].map(({ types }) => join(packageRoot, types));
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (seen.has(file)) continue;
    seen.add(file);
    const text = readFileSync(file, 'utf8').replaceAll(/\/\*[\s\S]*?\*\//g, '');
    for (const [, specifier = ''] of text.matchAll(/(?:from|import\()\s*['"]([^'"]+)['"]/g)) {
      if (specifier.startsWith('.')) waiting.push(join(file, '..', specifier.replace(/\.[jt]s$/, '.d.ts')));
      else if (!isBuiltin(specifier)) named.set(packageOf(specifier), file);
    }
  }

  // These ship their declarations; sql.js and ws do not. OpenTelemetry is reached by whoever imports `…/otel`, and has it.
  expect([...named.keys()].toSorted()).toEqual(['@opentelemetry/api', 'valibot']);
  expect(named.get('@opentelemetry/api')).toMatch(/[\\/]otel[\\/]/);
});

test('the core and its contract import no module of Node', async () => {
  for (const name of ['@spec-kitty/events-sdk', '@spec-kitty/events-sdk/contract']) {
    const { code } = await bundleOf(`export * from '${name}';`, { thirdParty: true });

    expect(code).not.toMatch(/["']node:/);
  }
});

test('no declaration comes with a map: it would lead to sources that are not shipped', () => {
  const files = readdirSync(join(packageRoot, 'dist'), { recursive: true, encoding: 'utf8' });

  expect(files.filter((file) => file.endsWith('.d.ts.map'))).toEqual([]);
});
