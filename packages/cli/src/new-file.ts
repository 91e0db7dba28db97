/** Files a person asked for by name: for their owner only, written whole, and never over one that is there. */
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';

import { Refusal } from './failure.ts';

/** Writes a new file. Refuses, having written nothing, when the name is taken or the place cannot be written. */
export async function writeNewFile(path: string, text: string, flag: string): Promise<void> {
  try {
    await writeFile(path, text, { flag: 'wx', mode: 0o600 });
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error';
    if (code === 'EEXIST') throw taken(flag);
    throw new Refusal('file-unusable', `The file cannot be written (${code}).`, {
      remedy: `Name another one with ${flag}.`,
    });
  }
}

/** Refuses a name that is taken, before work is done whose result could then not be kept. */
export function refuseTaken(path: string, flag: string): void {
  if (existsSync(path)) throw taken(flag);
}

function taken(flag: string): Refusal {
  return new Refusal('file-exists', 'That file is there already; nothing was written.', {
    remedy: `Name another one with ${flag}.`,
  });
}
