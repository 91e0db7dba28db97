#!/usr/bin/env node
// Starts spec-kitty. Everything before the last line works on any Node that reads ES modules, so that an old one
// gets a sentence instead of a stack trace; `--version` is answered without loading the command framework.
import { readFileSync } from 'node:fs';
import * as nodeModule from 'node:module';

const OLDEST_NODE = 22;
const words = process.argv.slice(2);
const json = words.includes('--json');
const [first] = words.filter((word) => word !== '--json');

if (Number.parseInt(process.versions.node, 10) < OLDEST_NODE) {
  const message = `spec-kitty needs Node.js ${OLDEST_NODE} or newer; this is ${process.versions.node}.`;
  const remedy = 'Install a newer one from https://nodejs.org and run the command again.';
  if (json) console.log(JSON.stringify({ error: message, code: 'node-too-old', remedy }, null, 2));
  else console.error(`${message}\n${remedy}`);
  process.exitCode = 1;
} else if (first === '--version' || first === '-v') {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  console.log(json ? JSON.stringify({ version }, null, 2) : version);
} else {
  // Compiled code is kept between runs, where this Node can (22.1 on).
  nodeModule.enableCompileCache?.();
  // Not awaited: the framework's chunks import the bundle's entry, and an entry still waiting for itself never ends.
  import('../dist/main.js')
    .then(({ main }) => main())
    .catch((error) => {
      // Reached only when the program could not start; everything later is answered in main.
      const missing = error?.code === 'ERR_MODULE_NOT_FOUND';
      const message = missing ? 'This copy of spec-kitty is incomplete.' : 'spec-kitty could not start.';
      const remedy = missing
        ? 'Install it again; in a checkout, build it: pnpm build'
        : 'Show the cause: DEBUG=spec-kitty';
      if (json) console.log(JSON.stringify({ error: message, code: 'not-started', remedy }, null, 2));
      else console.error(`${message}\n${remedy}`);
      if (process.env.DEBUG !== undefined) console.error(error);
      process.exitCode = 1;
    });
}
