/** The version of this package, read from its package.json so that it is written down once. */
import { readFileSync } from 'node:fs';

/** The package's package.json, parsed. The built files stand one folder below it, like the sources. */
export function readPackage(): { readonly version: string } & Record<string, unknown> {
  // Our own file, checked by the build: not a border worth a schema at every start.
  return JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string };
}
