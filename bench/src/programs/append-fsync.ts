/** The limit: a line at the end of a file, forced to disk. No clock, no lock, no way to take one out again. */
import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';

import { ENVELOPE } from '../an-envelope.ts';
import { run } from './program.ts';

await run({
  open(folder) {
    const file = openSync(`${folder}/events.jsonl`, 'a');
    return {
      record() {
        writeSync(file, `${ENVELOPE}\n`);
        fsyncSync(file);
      },
      close: () => closeSync(file),
    };
  },
  fill(folder, rows) {
    const file = openSync(`${folder}/events.jsonl`, 'a');
    writeSync(file, `${ENVELOPE}\n`.repeat(rows));
    closeSync(file);
  },
});
