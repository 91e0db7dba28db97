/** Reading and writing the project's text files: UTF-8 or a clear refusal, and never half a file. */
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

import { WorkflowError } from '../errors.ts';

/** A file's text, byte order mark included; undefined when there is no such file. `name` is how messages call it. */
export function readText(path: string, name: string): string | undefined {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (cause) {
    if (isCode(cause, 'ENOENT')) return undefined;
    throw new WorkflowError('file-unreadable', `${name} cannot be read.`, { kind: 'runtime', cause });
  }
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    // Decoding with replacement characters would lose the user's letters at the next write.
    throw new WorkflowError('file-not-utf8', `${name} is not UTF-8 text.`, { cause });
  }
}

/** Replaces or creates a file in one step, keeping its permissions. Parent directories are made. */
export function writeText(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    const mode = statSync(path, { throwIfNoEntry: false })?.mode;
    writeFileSync(temporary, text, { flush: true, ...(mode === undefined ? {} : { mode }) });
    renameSync(temporary, path);
  } catch (cause) {
    rmSync(temporary, { force: true });
    throw cause;
  }
}

/** Remembers files as they are; the returned function puts them back (removing what did not exist). */
export function rememberFiles(paths: readonly string[]): () => void {
  const before = paths.map((path) => ({
    path,
    bytes: statSync(path, { throwIfNoEntry: false }) ? readFileSync(path) : undefined,
  }));
  return () => {
    for (const { path, bytes } of before) {
      if (bytes === undefined) rmSync(path, { force: true });
      else if (!bytes.equals(readFileSync(path))) writeFileSync(path, bytes);
    }
  };
}

/** Removes a directory with everything in it; nothing happens when it is not there. */
export function removeTree(path: string): void {
  rmSync(path, { recursive: true, force: true });
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
