// @ts-check
/** What typedoc reads: the entries of the library's package.json, so that the reference shows what can be imported. */
import { readFileSync } from 'node:fs';

const sdk = new URL('../../packages/events-sdk/', import.meta.url);
/** @type {{ exports: Record<string, string | { default: string }> }} */
const { exports } = JSON.parse(readFileSync(new URL('package.json', sdk), 'utf8'));
const entries = Object.values(exports).flatMap((entry) => (typeof entry === 'string' ? [] : [entry.default]));

export default {
  name: '@spec-kitty/events-sdk',
  tsconfig: '../../packages/events-sdk/tsconfig.build.json',
  entryPoints: entries.map(
    (file) => `../../packages/events-sdk/${file.replace('./dist/', 'src/').replace('.js', '.ts')}`,
  ),
  readme: '../../packages/events-sdk/README.md',
  out: 'dist',
  disableSources: true,
  treatWarningsAsErrors: true,
  // Seams of the library's own tests, and lists whose members the types name.
  intentionallyNotExported: [
    'AnyWebSocket',
    'Disk',
    'HELD_REASONS',
    'Kept',
    'Processes',
    'QUEUE_DRIVERS',
    'Schema',
    'SpillFolder',
    'StorePatience',
    'SqlDatabase',
    'SYNC_STOPS',
  ],
};
