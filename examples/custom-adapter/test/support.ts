/** Folders of one test, and processes that write into one journal. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { onTestFinished } from 'vitest';

export interface Folder {
  readonly path: string;
  remove(): void;
}

export function aFolder(): Folder {
  const path = mkdtempSync(join(tmpdir(), 'custom-adapter-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** A folder that is gone with its test. */
export function temporaryFolder(): string {
  const { path, remove } = aFolder();
  onTestFinished(remove);
  return path;
}

/** Emits into the journal from a process of its own; the ids it was told are recorded arrive one a line. */
export function emitInProcess(journal: string, count: number) {
  const child = spawn(
    process.execPath,
    [fileURLToPath(new URL('emit.child.ts', import.meta.url)), journal, `${count}`],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const recorded: string[] = [];
  const lines = createInterface({ input: child.stdout });
  lines.on('line', (line) => recorded.push(line));
  const ended = once(child, 'close');
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  return { child, lines, recorded, ended };
}
